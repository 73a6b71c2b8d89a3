"""One run of the city: open the doors, wake everybody, stop on a signal, say what happened."""

import asyncio
import logging
import random
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from mobility.simulator.chargers import run_chargers
from mobility.simulator.city_api import CityApi, ServiceAway
from mobility.simulator.citymap import CityMap, read_map
from mobility.simulator.clock import SimClock
from mobility.simulator.credentials import Credentials, DeviceSpec, PersonSpec, share
from mobility.simulator.crew import Crew, keep_charged
from mobility.simulator.demand import settle
from mobility.simulator.device import Device
from mobility.simulator.geometry import Place
from mobility.simulator.person import Person
from mobility.simulator.radio import Radio
from mobility.simulator.residents import Resident
from mobility.simulator.streets import Streets
from mobility.simulator.tally import Tally
from mobility.simulator.vehicle import MAKES, Vehicle
from mobility.simulator.wire import Wire
from mobility.simulator.world import World, city_stamp, restore_world, save_world

log = logging.getLogger("simulator")

SAVE_EVERY_S = 30.0
SAY_EVERY_S = 300.0
CONNECTIONS = httpx.Limits(max_connections=16, max_keepalive_connections=16, keepalive_expiry=1.5)
PATIENCE = httpx.Timeout(15.0, pool=60.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: ``hours`` of the city (None: until stopped), how fast, who takes part.

    ``scale`` is the share of vehicles, people and chargers; ``demand`` multiplies how often
    people go out: 1 is three trips per vehicle and day; ``planned`` is the share of outings
    that people think of ahead; ``city_begins`` is what the city's clock shows at first.
    """

    credentials: Credentials
    credentials_path: Path
    hours: float | None = None
    speed: float = 1.0
    seed: int = 1
    scale: float = 1.0
    demand: float = 1.0
    planned: float = 0.1
    city_begins: datetime | None = None

    def rng(self, actor: str) -> random.Random:
        """The random numbers of one actor: the same for the same seed, whoever else runs."""
        return random.Random(f"{self.seed}:{actor}")


async def run_town(*, plan: Plan, tally: Tally, stop: asyncio.Event) -> None:
    """Live until ``stop`` is set or the hours are over; then remember where everything stands."""
    clock = SimClock(speed=plan.speed, city_begins=plan.city_begins)
    wire = Wire(plan.credentials.api_url)
    async with _door(plan) as people_door:
        city = await _wait_for_map(CityApi(people_door, tally, plan.rng("visitor")), plan, stop)
        if city is None:
            return
        world = _build_world(plan, city, clock, wire, tally)
        jobs = {
            **{f"device {code}": radio.run() for code, radio in world.radios.items()},
            **_people(plan, world, people_door, tally),
            "chargers": run_chargers(
                share(plan.credentials.chargers, plan.scale),
                rng=plan.rng("chargers"),
                clock=clock,
                tokens=list(plan.credentials.tokens),
                stop=stop,
            ),
            "strays": world.move_strays(plan.rng("strays")),
            "swaps": keep_charged(world=world, tally=tally, rng=plan.rng("swaps")),
            "memory": _remember(world, plan),
            "voice": _speak(tally),
        }
        await _live(jobs, plan=plan, clock=clock, tally=tally, stop=stop)
        wire.close()
        _save(world, plan)


async def _live(
    jobs: dict[str, Coroutine[None, None, None]],
    *,
    plan: Plan,
    clock: SimClock,
    tally: Tally,
    stop: asyncio.Event,
) -> None:
    """Run all jobs; one that breaks is told about and missed, the others live on."""

    def told(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            tally.fault(f"actor.{type(error).__name__}")
            log.error("%s broke", task.get_name(), exc_info=error)

    tasks = [asyncio.create_task(job, name=name) for name, job in jobs.items()]
    for task in tasks:
        task.add_done_callback(told)
    try:
        async with asyncio.timeout(plan.hours and plan.hours * 3600 / clock.speed):
            await stop.wait()
    except TimeoutError:
        stop.set()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _wait_for_map(api: CityApi, plan: Plan, stop: asyncio.Event) -> CityMap | None:
    """The map, as soon as the service answers; None when told to stop before."""
    reading = asyncio.create_task(_read_map(api, plan))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if reading.done():
        return reading.result()
    reading.cancel()
    return None


async def _read_map(api: CityApi, plan: Plan) -> CityMap:
    places = [Place(device.lon, device.lat) for device in plan.credentials.devices]
    while True:
        try:
            return await read_map(api, kinds=set(MAKES), corners=places)
        except ServiceAway:
            log.warning("The service does not answer yet; asking again.")


def _build_world(plan: Plan, city: CityMap, clock: SimClock, wire: Wire, tally: Tally) -> World:
    world = World(clock, city, Streets([*city.hubs, *city.corners]))
    for spec in share(plan.credentials.devices, plan.scale):
        world.radios[spec.code] = Radio(
            device=_build_device(spec, plan, clock),
            wire=wire,
            secret=spec.secret,
            tally=tally,
            rng=plan.rng(f"radio {spec.code}"),
        )
    back = restore_world(world, path=_memory(plan), stamp=_stamp(plan))
    log.info("%d vehicles, %d of them where they were left", len(world.radios), back)
    return world


def _build_device(spec: DeviceSpec, plan: Plan, clock: SimClock) -> Device:
    rng = plan.rng(f"device {spec.code}")
    vehicle = Vehicle(spec.code, spec.kind, Place(spec.lon, spec.lat), rng, spec.battery_pct)
    return Device(vehicle, clock, rng)


def _people(
    plan: Plan, world: World, door: httpx.AsyncClient, tally: Tally
) -> dict[str, Coroutine[None, None, None]]:
    specs = share(plan.credentials.residents, plan.scale)
    crews = share(plan.credentials.crews, plan.scale)
    people: dict[str, Coroutine[None, None, None]] = {}
    for spec in specs:
        me = _person(spec, plan, world, door, tally)
        haunts = settle(city=world.city, rng=me.rng)
        resident = Resident(
            me, haunts, share_of_demand=plan.demand / len(specs), planned=plan.planned
        )
        people[f"resident {spec.email}"] = resident.run()
    for spec in crews:
        me = _person(spec, plan, world, door, tally)
        people[f"crew {spec.email}"] = Crew(me.api, world, tally, me.rng).run()
    return people


def _person(
    spec: PersonSpec, plan: Plan, world: World, door: httpx.AsyncClient, tally: Tally
) -> Person:
    rng = plan.rng(f"person {spec.email}")
    return Person(CityApi(door, tally, rng, spec.token), world, tally, rng)


def _door(plan: Plan) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=plan.credentials.api_url, limits=CONNECTIONS, timeout=PATIENCE
    )


async def _remember(world: World, plan: Plan) -> None:
    while True:
        await asyncio.sleep(SAVE_EVERY_S)
        _save(world, plan)


async def _speak(tally: Tally) -> None:
    while True:
        await asyncio.sleep(SAY_EVERY_S)
        log.info("so far: %s", tally.as_json())


def _save(world: World, plan: Plan) -> None:
    save_world(world, path=_memory(plan), stamp=_stamp(plan))


def _memory(plan: Plan) -> Path:
    return plan.credentials_path.with_name("simulator-world.json")


def _stamp(plan: Plan) -> str:
    return city_stamp(device.code for device in plan.credentials.devices)
