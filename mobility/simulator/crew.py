"""Hands from outside: a van that walks the published tasks, and battery swaps nobody planned."""

import random
from collections import defaultdict
from typing import Any

from mobility.simulator.city_api import ServiceAway
from mobility.simulator.geometry import Place, distance_m, near
from mobility.simulator.person import Person
from mobility.simulator.tally import Tally
from mobility.simulator.world import World

VAN_MPS = 6.0
HANDLING_S = 150.0
LOOK_AGAIN_S = 300.0
PAVEMENT_M = 8.0
GIVES_UP = 0.03

ROUND_S = 1_800.0
LOW_PCT = 14.0
FOUND = 0.35


class Crew(Person):
    """One van: takes the next open task, drives there, does it, says so."""

    async def run(self) -> None:
        """For ever; without a published plan it only looks now and then."""
        self._aboard: dict[str, list[str]] = defaultdict(list)
        self._broken: list[str] = []
        self._place: Place | None = None
        while True:
            try:
                worked = await self._work()
            except ServiceAway:
                worked = False
            if not worked:
                await self.world.clock.sleep(LOOK_AGAIN_S)

    async def _work(self) -> bool:
        """One task from claim to completion; False when there was none to take."""
        for task in await self.api.rows("fleet/tasks", state="open"):
            if not self._can(task):
                continue
            claimed = await self.api.post(f"fleet/tasks/{task['id']}/claim")
            if claimed.ok:
                await self._do(claimed.body)
                return True
        return False

    def _can(self, task: dict[str, Any]) -> bool:
        """A drop-off needs something aboard; a vehicle must be part of this run."""
        if task["kind"] == "unload":
            return bool(self._broken)
        if task["vehicle"] is None:
            return bool(self._aboard[task["vehicle_kind"]])
        return task["vehicle"] in self.world.radios

    async def _do(self, task: dict[str, Any]) -> None:
        place, path = Place(task["lon"], task["lat"]), f"fleet/tasks/{task['id']}"
        driven_m = await self._drive_to(place)
        await self.api.post(f"{path}/arrive", {"driven_m": round(driven_m)})
        if task["vehicle"] is not None and self.rng.random() < GIVES_UP:
            await self.api.post(f"{path}/drop", {"reason": "not_found"})
            self.tally.add("tasks.not_found")
            return
        done = await self.api.post(f"{path}/complete", self._handle(task, place))
        if done.ok:
            self.tally.add(f"tasks.{task['kind']}")

    def _handle(self, task: dict[str, Any], place: Place) -> dict[str, Any]:
        """Move things in the physical world; returns what the crew's phone has to say."""
        kind, code = task["vehicle_kind"], task["vehicle"]
        if task["kind"] == "swap_battery":
            self.world.device(code).vehicle.swap_battery()
            self.world.touch(code)
        elif task["kind"] == "move_pickup":
            broken = task.get("reason") == "maintenance"
            (self._broken if broken else self._aboard[kind]).append(code)
        elif task["kind"] == "drive_to_charge":
            charger = task["reason_params"]
            self.world.device(code).vehicle.carry(to=Place(charger["to_lon"], charger["to_lat"]))
            self.world.touch(code)
        else:
            aboard = self._broken if task["kind"] == "unload" else self._aboard[kind]
            down = aboard[: task["quantity"]]
            del aboard[: task["quantity"]]
            for one in down:
                spot = near(place, within_m=PAVEMENT_M, rng=self.rng)
                self.world.device(one).vehicle.carry(to=spot)
                self.world.touch(one)
            return {"vehicles": down}
        return {}

    async def _drive_to(self, place: Place) -> float:
        """Be there, with the hands' work done; returns the metres of the way."""
        way_m = distance_m(self._place, place) if self._place else 2_000.0
        await self.world.clock.sleep(way_m / VAN_MPS + HANDLING_S)
        self._place = place
        return way_m


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
