"""How simulated people take a refusal: they do what the answer says, and do not insist for ever."""

import asyncio
import json
import random
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest
import shapely

from mobility.simulator import person, rides
from mobility.simulator.city_api import CityApi
from mobility.simulator.citymap import CityMap
from mobility.simulator.clock import SimClock
from mobility.simulator.crew import Crew
from mobility.simulator.device import FLAWLESS, Device
from mobility.simulator.geometry import Place, distance_m, moved
from mobility.simulator.person import Person
from mobility.simulator.plans import Planner
from mobility.simulator.radio import Radio
from mobility.simulator.rides import Rider
from mobility.simulator.streets import Streets
from mobility.simulator.tally import Tally
from mobility.simulator.vehicle import Vehicle
from mobility.simulator.wire import Wire
from mobility.simulator.world import World

HOME = Place(9.2040, 45.4520)
BAY = moved(HOME, 120, 0)
Service = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rides, "STANDING_S", 0.0)
    monkeypatch.setattr(rides, "TRIES_FORBIDDEN", 0.0)
    monkeypatch.setattr(rides, "PAUSES", 0.0)
    monkeypatch.setattr(person, "DOUBLE_TAPS", 0.0)


class Town:
    """One unlocked scooter, an empty map, and a service that answers what the test says."""

    def __init__(self, service: Service) -> None:
        self.asked: list[str] = []
        self.tally = Tally()
        self.world = World(SimClock(speed=100_000.0), _empty_map(), Streets([]))
        self._service = service

    def live(self, life: Callable[[Person], Coroutine[Any, Any, None]]) -> None:
        """Let one person live through ``life``, then stop."""

        async def run() -> None:
            rng = random.Random(3)
            vehicle = Vehicle("S1", "scooter", HOME, rng, locked=False)
            device = Device(vehicle, self.world.clock, rng, FLAWLESS)
            self.world.radios["S1"] = Radio(device, Wire(""), "", self.tally, rng)
            transport = httpx.MockTransport(self._answer)
            async with httpx.AsyncClient(transport=transport, base_url="http://city") as http:
                me = Person(CityApi(http, self.tally, rng, "t"), self.world, self.tally, rng)
                physics = asyncio.create_task(self._let_things_move())
                await life(me)
                physics.cancel()

        asyncio.run(run())

    @property
    def scooter(self) -> Vehicle:
        return self.world.device("S1").vehicle

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/")
        self.asked.append(f"{request.method} {path}")
        body = json.loads(request.content) if request.content else {}
        status, answer = self._service(path, body)
        return httpx.Response(status, json=answer)

    async def _let_things_move(self) -> None:
        while True:
            self.scooter.advance(to_s=self.world.clock.elapsed_s())
            await asyncio.sleep(0.001)


def _empty_map() -> CityMap:
    area = shapely.Point(HOME).buffer(0.05)
    return CityMap((), (HOME,), {"scooter": area}, {})


def ending(*, refusals: int, nearest: Place | None) -> Service:
    """A service that refuses to end a trip some times, then settles it."""
    left = [refusals]

    def serve(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path.endswith("/end"):
            left[0] -= 1
            if left[0] >= 0:
                place = nearest and {"lon": nearest.lon, "lat": nearest.lat}
                conditions = [{"code": "no_parking", "nearest": place}]
                return 409, {"code": "end_blocked", "conditions": conditions}
            return 200, {"id": "t1", "state": "ending"}
        if path.endswith("/receipt"):
            return 200, {"total_cents": 250}
        return 200, {"id": "t1", "state": "settled"}

    return serve


def end_the_trip(me: Person) -> Coroutine[Any, Any, None]:
    rider = Rider(me.api, me.world, me.tally, me.rng)
    return rider._end({"id": "t1", "state": "running"}, "S1", "scooter")


def test_a_rider_goes_where_the_refusal_points() -> None:
    town = Town(ending(refusals=1, nearest=BAY))
    town.live(end_the_trip)
    assert distance_m(town.scooter.place, BAY) < 1
    assert town.tally.facts["trips.followed_hint"] == 1
    assert town.tally.facts["receipts.cents"] == 250


def test_a_rider_who_only_has_to_stand_still_tries_again() -> None:
    town = Town(ending(refusals=2, nearest=None))
    town.live(end_the_trip)
    assert town.scooter.place == HOME
    assert town.asked.count("POST trips/t1/end") == 3
    assert town.tally.facts["trips.settled"] == 1


def test_a_rider_who_is_refused_six_times_walks_away() -> None:
    town = Town(ending(refusals=99, nearest=None))
    town.live(end_the_trip)
    assert town.asked.count("POST trips/t1/end") == rides.MOST_END_TRIES
    assert town.tally.facts["trips.walked_away"] == 1
    assert not town.scooter.ridden


def test_a_start_that_fails_leaves_the_vehicle_to_others() -> None:
    def serve(path: str, _: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path == "vehicles":
            return 200, {"results": [{"id": "v1", "code": "S1", "lon": HOME.lon, "lat": HOME.lat}]}
        return 201, {"id": "x1", "state": "start_failed"}

    def travel(me: Person) -> Coroutine[Any, Any, None]:
        rider = Rider(me.api, me.world, me.tally, me.rng)
        return rider.travel(kind="scooter", start=HOME, goal=BAY)

    town = Town(serve)
    town.live(travel)
    assert town.tally.facts["trips.start_failed"] == 1
    assert not town.scooter.ridden
    assert town.scooter.place == HOME


def test_nothing_nearby_is_an_unmet_search_after_three_looks() -> None:
    town = Town(lambda *_: (200, {"results": []}))
    town.live(
        lambda me: Rider(me.api, me.world, me.tally, me.rng).travel(
            kind="scooter", start=HOME, goal=BAY
        )
    )
    assert town.asked == ["GET vehicles"] * 3
    assert town.tally.facts["searches.unmet"] == 1


def test_a_crew_picks_up_carries_and_puts_down() -> None:
    tasks = [_task("a", "move_pickup", HOME, vehicle="S1"), _task("b", "move_dropoff", BAY)]
    told: dict[str, Any] = {}
    both = asyncio.Event()

    def serve(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path == "fleet/tasks":
            return 200, {"results": tasks}
        if path.endswith("/claim"):
            return 200, tasks.pop(0)
        told[path] = body
        if sum(each.endswith("/complete") for each in told) == 2:
            both.set()
        return 200, {}

    async def two_tasks(me: Person) -> None:
        crew = Crew(me.api, me.world, me.tally, me.rng)
        shift = asyncio.create_task(crew.run())
        async with asyncio.timeout(10):
            await both.wait()
        shift.cancel()

    town = Town(serve)
    town.live(two_tasks)
    assert told == {
        "fleet/tasks/a/arrive": {"driven_m": 2_000},
        "fleet/tasks/a/complete": {},
        "fleet/tasks/b/arrive": {"driven_m": round(distance_m(HOME, BAY))},
        "fleet/tasks/b/complete": {"vehicles": ["S1"]},
    }
    assert distance_m(town.scooter.place, BAY) < 10


def test_a_crew_brings_a_broken_scooter_to_the_workshop_and_not_to_the_street() -> None:
    broken = {**_task("a", "move_pickup", HOME, vehicle="S1"), "reason": "maintenance"}
    tasks = [broken, _task("b", "move_dropoff", HOME), _task("c", "unload", BAY)]
    told: dict[str, Any] = {}
    unloaded = asyncio.Event()

    def serve(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path == "fleet/tasks":
            return 200, {"results": tasks}
        if path.endswith("/claim"):
            claimed = next(task for task in tasks if task["id"] in path.split("/"))
            tasks.remove(claimed)
            return 200, claimed
        told[path] = body
        if path == "fleet/tasks/c/complete":
            unloaded.set()
        return 200, {}

    async def tour(me: Person) -> None:
        crew = Crew(me.api, me.world, me.tally, me.rng)
        shift = asyncio.create_task(crew.run())
        async with asyncio.timeout(10):
            await unloaded.wait()
        shift.cancel()

    town = Town(serve)
    town.live(tour)
    assert told["fleet/tasks/c/complete"] == {"vehicles": ["S1"]}
    assert "fleet/tasks/b/complete" not in told
    assert distance_m(town.scooter.place, BAY) < 10


def _task(name: str, kind: str, place: Place, vehicle: str | None = None) -> dict[str, Any]:
    return {
        "id": name,
        "kind": kind,
        "vehicle_kind": "scooter",
        "vehicle": vehicle,
        "quantity": 1,
        "lon": place.lon,
        "lat": place.lat,
    }


def test_who_thinks_ahead_tops_up_rides_on_credit_and_goes_back_to_the_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    methods = [{"id": "card", "credit": False}, {"id": "wallet", "credit": True}]

    def service(path: str, _body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path == "pass-products":
            return 200, {"results": [{"id": "p", "organisation_id": "o"}]}
        if path == "payment-methods":
            return 200, {"results": methods}
        if path == "vehicles":
            return 200, {"results": []}
        return 201, {"id": "t", "state": "captured"}

    town = Town(service)
    monkeypatch.setattr(random.Random, "choice", lambda _self, things: things[len(things) // 2])

    async def life(me: Person) -> None:
        await Planner(me.api, me.world, me.tally, me.rng).plan(kind="scooter", start=HOME, goal=BAY)

    town.live(life)
    chosen = [asked for asked in town.asked if asked.endswith("/default")]
    assert chosen == ["POST payment-methods/wallet/default", "POST payment-methods/card/default"]
    assert "POST wallets/o/top-ups" in town.asked
