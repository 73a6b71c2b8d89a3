"""The physical world people and vehicles share: who moves what, and how it survives a restart."""

import asyncio
import hashlib
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mobility.simulator.citymap import CityMap
from mobility.simulator.clock import SimClock
from mobility.simulator.device import Device
from mobility.simulator.geometry import Place, near
from mobility.simulator.radio import Radio
from mobility.simulator.streets import Streets

HOP_M = 250.0
STRAY_LOOK_S = 5.0
LOOK_AROUND_S = (10.0, 30.0)
STAY_S = (240.0, 480.0)


@dataclass(slots=True)
class World:
    """All vehicles by code, the map and the streets."""

    clock: SimClock
    city: CityMap
    streets: Streets
    radios: dict[str, Radio] = field(default_factory=dict)

    def device(self, code: str) -> Device:
        """The device of a vehicle that is part of this run."""
        return self.radios[code].device

    def touch(self, code: str) -> None:
        """Somebody handles the vehicle: its motion sensor wakes the radio at once."""
        self.radios[code].wake.set()

    def board(self, code: str) -> None:
        """A simulated rider takes the vehicle: it goes nowhere by itself."""
        self.device(code).vehicle.ridden = True
        self.touch(code)

    def leave(self, code: str) -> None:
        """The simulated rider steps off."""
        self.device(code).vehicle.ridden = False

    async def drive(self, code: str, goal: Place, *, limit_s: float = 7_200.0) -> bool:
        """Take a vehicle to ``goal`` and come back when it stands.

        False when it is not there: locked, empty on the way, or after ``limit_s`` of the city.
        """
        vehicle = self.device(code).vehicle
        route = self.streets.route(vehicle.place, goal)
        if not vehicle.drive(route, at_s=self.clock.elapsed_s()):
            return False
        self.touch(code)
        try:
            async with asyncio.timeout(limit_s / self.clock.speed):
                await vehicle.arrived.wait()
        except TimeoutError:
            vehicle.halt()
        self.touch(code)
        return vehicle.place == goal

    async def move_strays(self, rng: random.Random) -> None:
        """For ever: a vehicle unlocked by somebody who is not simulated rides short hops.

        A person at a browser has no legs in this world. The vehicle they unlocked goes for a
        few hundred metres, stands long enough to be ended there, and goes on.
        """
        resting: dict[str, float] = {}
        while True:
            await asyncio.sleep(STRAY_LOOK_S)
            now_s = self.clock.elapsed_s()
            strays = {code for code, radio in self.radios.items() if _stray(radio.device)}
            resting = {code: until for code, until in resting.items() if code in strays}
            for code in strays:
                if now_s >= resting.setdefault(code, now_s + rng.uniform(*LOOK_AROUND_S)):
                    self._hop(code, rng)
                    resting[code] = now_s + rng.uniform(*STAY_S)

    def _hop(self, code: str, rng: random.Random) -> None:
        vehicle = self.device(code).vehicle
        goal = near(vehicle.place, within_m=HOP_M, rng=rng)
        if self.city.may_park(vehicle.kind, goal):
            vehicle.drive(self.streets.route(vehicle.place, goal), at_s=self.clock.elapsed_s())
            self.touch(code)


def save_world(world: World, *, path: Path, stamp: str) -> None:
    """Remember where everything stands, so that a restart does not teleport the fleet.

    Sequence numbers of commands are not kept: a city set up anew counts from one again.
    """
    rows = {code: _state(radio.device) for code, radio in world.radios.items()}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"stamp": stamp, "vehicles": rows}), encoding="utf-8")
    fresh.replace(path)


def restore_world(world: World, *, path: Path, stamp: str) -> int:
    """Put everything back; a file of another fleet is ignored.

    Returns the number of vehicles found.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    if data.get("stamp") != stamp:
        return 0
    known = {code: row for code, row in data["vehicles"].items() if code in world.radios}
    for code, row in known.items():
        _put_back(world.device(code), row)
    return len(known)


def city_stamp(codes: Iterable[str]) -> str:
    """What tells one city's fleet from another's."""
    return hashlib.sha256(",".join(sorted(codes)).encode()).hexdigest()


def _stray(device: Device) -> bool:
    vehicle = device.vehicle
    return not (vehicle.locked or vehicle.ridden or vehicle.moving or vehicle.empty)


def _state(device: Device) -> dict[str, Any]:
    vehicle = device.vehicle
    return {
        "lon": vehicle.place.lon,
        "lat": vehicle.place.lat,
        "battery_pct": vehicle.battery_pct,
        "odometer_m": vehicle.odometer_m,
        "locked": vehicle.locked,
    }


def _put_back(device: Device, row: dict[str, Any]) -> None:
    vehicle = device.vehicle
    vehicle.place = Place(row["lon"], row["lat"])
    vehicle.battery_pct = row["battery_pct"]
    vehicle.odometer_m = row["odometer_m"]
    vehicle.locked = row["locked"]
