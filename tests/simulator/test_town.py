"""The city as a whole: the same for the same seed, remembered over a restart, on real streets."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely
from django.core.management import CommandError, call_command

from mobility.simulator.citymap import CityMap
from mobility.simulator.clock import SimClock
from mobility.simulator.credentials import Credentials, DeviceSpec, share
from mobility.simulator.demand import itinerary, outings_per_hour, settle
from mobility.simulator.geometry import Place, distance_m, moved
from mobility.simulator.streets import Streets, length_m
from mobility.simulator.tally import Tally
from mobility.simulator.town import Plan, _build_world, run_town
from mobility.simulator.wire import Wire
from mobility.simulator.world import World, restore_world, save_world

CENTRE = Place(9.2040, 45.4520)
HUBS = tuple(moved(CENTRE, east * 420.0, north * 380.0) for east in range(4) for north in range(4))
AREA = shapely.box(9.19, 45.44, 9.24, 45.48)
NO_PARK = shapely.Point(CENTRE).buffer(0.0005)
CITY = CityMap(
    hubs=HUBS[:3], corners=HUBS, operating={"scooter": AREA}, no_park={"scooter": NO_PARK}
)


def a_plan(path: Path, seed: int = 1) -> Plan:
    devices = tuple(DeviceSpec(f"S{n}", "scooter", "x", CENTRE.lat, CENTRE.lon) for n in range(5))
    credentials = Credentials("http://c", "ws://c", devices, (), (), (), ())
    path.write_text("{}", encoding="utf-8")
    return Plan(credentials=credentials, credentials_path=path, seed=seed)


def a_world(plan: Plan) -> World:
    return _build_world(plan, CITY, SimClock(), Wire(""), Tally())


def decisions(world: World) -> list[float]:
    return [radio.rng.random() + radio.device.rng.random() for radio in world.radios.values()]


def test_one_seed_is_one_city(tmp_path: Path) -> None:
    path = tmp_path / "simulator.json"
    assert decisions(a_world(a_plan(path))) == decisions(a_world(a_plan(path)))
    assert decisions(a_world(a_plan(path))) != decisions(a_world(a_plan(path, seed=2)))


def test_a_restart_finds_everything_where_it_was(tmp_path: Path) -> None:
    plan = a_plan(tmp_path / "simulator.json")
    world, memory = a_world(plan), tmp_path / "world.json"
    device = world.device("S2")
    device.vehicle.place, device.vehicle.battery_pct = moved(CENTRE, 900, 50), 42.0
    device.vehicle.unlock()
    save_world(world, path=memory, stamp="this city")
    again = a_world(plan)
    assert restore_world(again, path=memory, stamp="another city") == 0
    assert restore_world(again, path=memory, stamp="this city") == 5
    assert again.device("S2").vehicle.place == device.vehicle.place
    assert not again.device("S2").vehicle.locked


def test_routes_bend_but_do_not_wander() -> None:
    streets = Streets(list(HUBS))
    rng = random.Random(5)
    for _ in range(50):
        start, goal = CITY.somewhere("scooter", rng), CITY.somewhere("scooter", rng)
        route = streets.route(start, goal)
        assert route[-1] == goal
        assert length_m(start, route) <= 3 * distance_m(start, goal) + 200
    assert len(streets.route(HUBS[0], HUBS[-1])) > 2


def test_people_mean_to_park_where_it_is_allowed_and_know_where_it_is_not() -> None:
    rng = random.Random(2)
    assert all(CITY.may_park("scooter", CITY.somewhere("scooter", rng)) for _ in range(100))
    assert not any(CITY.may_park("scooter", CITY.forbidden("scooter", rng)) for _ in range(100))


def test_in_the_morning_most_people_go_to_work() -> None:
    rng = random.Random(4)
    haunts = settle(city=CITY, rng=rng)
    monday = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
    goals = [
        itinerary(at=monday, haunts=haunts, city=CITY, kind="scooter", rng=rng)[1]
        for _ in range(100)
    ]
    assert 500 <= distance_m(haunts.home, haunts.work) <= 4_000
    assert sum(distance_m(goal, haunts.work) <= 250 for goal in goals) > 55


def test_a_day_of_the_fleet_is_three_trips_a_vehicle() -> None:
    hours = [datetime(2026, 5, 4, hour, tzinfo=UTC) for hour in range(24)]
    daily = sum(outings_per_hour(at=at, vehicles=400) for at in hours)
    assert daily == pytest.approx(1_200)


def test_scale_takes_a_share_but_never_nobody() -> None:
    assert share(("a", "b", "c", "d"), 0.5) == ["a", "b"]
    assert share(("a", "b"), 0.01) == ["a"]
    assert share((), 1.0) == []


def test_the_clock_runs_faster_for_the_city_than_for_the_server() -> None:
    clock = SimClock(speed=1_000_000.0)
    assert clock.city_time() > clock.now()
    with pytest.raises(ValueError, match="positive"):
        SimClock(speed=0)


def test_without_credentials_the_command_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"manage\.py demo"):
        call_command("simulate", credentials=tmp_path / "absent.json")


def test_nonsense_arguments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--speed"):
        call_command("simulate", speed=0.0, credentials=tmp_path / "absent.json")


def test_a_signal_ends_it_even_while_nobody_answers(tmp_path: Path) -> None:
    """Port 9 of this machine is shut: the simulator waits for the first page until told to stop."""
    plan = a_plan(tmp_path / "simulator.json")
    away = replace(plan, credentials=replace(plan.credentials, api_url="http://127.0.0.1:9"))

    stop = asyncio.Event()

    class Alarm(Tally):
        def fault(self, what: str) -> None:
            assert what == "api.ConnectError"
            stop.set()

    async def run() -> None:
        async with asyncio.timeout(20):
            await run_town(plan=away, tally=Alarm(), stop=stop)

    asyncio.run(run())
    assert stop.is_set()
