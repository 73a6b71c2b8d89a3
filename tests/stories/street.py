"""Real devices of the simulator, driven by a test: they report, obey and move in a thread."""

import asyncio
import random
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from mobility.simulator.chargers import run_chargers
from mobility.simulator.citymap import CityMap
from mobility.simulator.clock import SimClock
from mobility.simulator.credentials import Credentials, DeviceSpec
from mobility.simulator.device import FLAWLESS, Device, Temper
from mobility.simulator.geometry import Place
from mobility.simulator.radio import Radio
from mobility.simulator.streets import Streets
from mobility.simulator.tally import Tally
from mobility.simulator.vehicle import Vehicle
from mobility.simulator.wire import Wire
from mobility.simulator.world import World

Answer = TypeVar("Answer")
DRIVE_PATIENCE_S = 60.0


class Street:
    """A few vehicles that never misbehave, in a city that moves ``speed`` times faster."""

    def __init__(self, credentials: Credentials, *, speed: float) -> None:
        self.tally = Tally()
        self.loop = asyncio.new_event_loop()
        self._credentials = credentials
        self._world = World(SimClock(speed=speed), CityMap((), (), {}, {}), Streets([]))
        self._running: list[asyncio.Task[None]] = []
        self._specs = {spec.code: spec for spec in credentials.devices}

    def put(
        self,
        code: str,
        *,
        place: Place | None = None,
        battery_pct: float = 90.0,
        temper: Temper = FLAWLESS,
    ) -> None:
        """Switch on the device of this vehicle, at ``place`` or where the demo city put it."""
        spec = replace(self._specs[code], battery_pct=battery_pct)
        if place is not None:
            spec = replace(spec, lon=place.lon, lat=place.lat)
        self.do(self._switch_on(spec, temper))

    def touch(self, code: str) -> None:
        """Somebody handles it: it reports at once."""
        self.loop.call_soon_threadsafe(self._world.board, code)

    def drive(self, code: str, goal: Place) -> None:
        """Ride there and stand."""
        assert self.do(self._world.drive(code, goal)), f"{code} did not get there"

    def carry(self, code: str, goal: Place) -> None:
        """Somebody lifts it away, locked as it is; it tells at once."""
        self._world.device(code).vehicle.carry(to=goal)
        self.loop.call_soon_threadsafe(self._world.touch, code)

    def swap_battery(self, code: str) -> None:
        """Put in a full one; the vehicle tells at once."""
        self._world.device(code).vehicle.swap_battery()
        self.loop.call_soon_threadsafe(self._world.touch, code)

    def locked(self, code: str) -> bool:
        """Is the bolt shut?"""
        return self._world.device(code).vehicle.locked

    def place(self, code: str) -> Place:
        """Where it really stands."""
        return self._world.device(code).vehicle.place

    def do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run something in the street's own thread and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(DRIVE_PATIENCE_S)

    async def _switch_on(self, spec: DeviceSpec, temper: Temper) -> None:
        rng = random.Random(spec.code)
        vehicle = Vehicle(spec.code, spec.kind, Place(spec.lon, spec.lat), rng, spec.battery_pct)
        device = Device(vehicle, self._world.clock, rng, temper)
        wire = Wire(self._credentials.api_url)
        radio = Radio(device, wire, spec.secret, self.tally, rng)
        self._world.radios[spec.code] = radio
        self._running.append(asyncio.create_task(radio.run()))

    async def _switch_all_off(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for radio in self._world.radios.values():
            radio.wire.close()


@contextmanager
def open_street(credentials: Credentials, *, speed: float = 20.0) -> Iterator[Street]:
    """A street that is there for the length of a ``with``."""
    street = Street(credentials, speed=speed)
    thread = threading.Thread(target=street.loop.run_forever, daemon=True)
    thread.start()
    try:
        yield street
    finally:
        street.do(street._switch_all_off())
        street.loop.call_soon_threadsafe(street.loop.stop)
        thread.join(5)
        street.loop.close()


@contextmanager
def open_chargers(
    credentials: Credentials,
    identities: set[str],
    *,
    speed: float,
    tokens: list[str],
    seed: int = 1,
) -> Iterator[None]:
    """These chargers, alive for the length of a ``with``; drivers come with ``tokens``."""
    specs = [spec for spec in credentials.chargers if spec.identity in identities]
    assert len(specs) == len(identities), f"no such chargers: {identities}"
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    living = run_chargers(
        specs, rng=random.Random(seed), clock=SimClock(speed=speed), tokens=tokens, stop=stop
    )
    thread = threading.Thread(target=loop.run_until_complete, args=(living,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(15)
        loop.close()
