"""Hands from outside: who finds a vehicle nearly empty puts in a full battery later."""

import random

from mobility.simulator.tally import Tally
from mobility.simulator.world import World

ROUND_S = 1_800.0
LOW_PCT = 14.0
FOUND = 0.35


async def keep_charged(*, world: World, tally: Tally, rng: random.Random) -> None:
    """For ever: each half hour of the city a third of the nearly empty, locked ones is served."""
    while True:
        await world.clock.sleep(ROUND_S)
        for code, radio in world.radios.items():
            vehicle = radio.device.vehicle
            waiting = vehicle.locked and vehicle.battery_pct <= LOW_PCT
            if waiting and rng.random() < FOUND:
                vehicle.swap_battery()
                world.touch(code)
                tally.add("batteries.swapped")
