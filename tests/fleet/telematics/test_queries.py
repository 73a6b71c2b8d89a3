"""Looking around: what can be taken near me, where a vehicle is, how far it went, the live map."""

import datetime
from typing import Any

import pytest

from fleet.telematics import queries, services, tasks
from fleet.telematics.models import LatestState
from fleet.vehicles import services as vehicles
from fleet.vehicles import tasks as vehicles_tasks
from fleet.vehicles.models import Vehicle, VehicleCommand
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.telematics.test_drain import MINUTE, NOON, point, send

HOME = {"lon": 9.19, "lat": 45.46}
METRE = 1 / 78_030  # degrees of longitude at this latitude


def near(**asked: Any) -> list[queries.NearbyVehicle]:
    usual = {**HOME, "radius_m": 500, "kind": None, "at": clock.now(), "limit": 50}
    return queries.vehicles_near(**{**usual, **asked})


def test_the_nearest_comes_first(make_vehicle: MakeVehicle) -> None:
    far = make_vehicle("scooter", lon=9.19 + 400 * METRE, lat=45.46, battery_pct=50)
    close = make_vehicle("bicycle", lon=9.19 - 100 * METRE, lat=45.46)
    make_vehicle(lon=9.19 + 510 * METRE, lat=45.46)
    found = near()
    assert [one.vehicle_id for one in found] == [close.pk, far.pk]
    assert found[1].distance_m == pytest.approx(400, abs=1)
    assert (found[1].kind, found[1].battery_pct, found[1].range_m) == ("scooter", 50, 20_000)
    assert (found[1].public_id, found[1].code) == (far.public_id, far.code)
    assert [one.vehicle_id for one in near(kind="scooter")] == [far.pk]
    assert [one.vehicle_id for one in near(limit=1)] == [close.pk]


def test_the_corner_of_the_box_is_not_near(make_vehicle: MakeVehicle) -> None:
    make_vehicle(lon=9.19 + 450 * METRE, lat=45.46 + 450 / 111_195)
    assert near() == []
    assert len(near(radius_m=650)) == 1


@pytest.mark.parametrize(
    "unfit",
    [
        {"life_state": "workshop"},
        {"rental_state": "on_trip"},
        {"rental_state": "staff"},
        {"link_state": "late"},
        {"link_state": "lost"},
    ],
)
def test_only_what_can_be_taken_is_shown(make_vehicle: MakeVehicle, unfit: dict[str, str]) -> None:
    make_vehicle(**HOME, **unfit)
    assert near() == []


def test_a_blocked_vehicle_is_shown_again_once_lifted(make_vehicle: MakeVehicle) -> None:
    scooter, at = make_vehicle(**HOME), clock.now()
    vehicles.block_vehicle(vehicle_id=scooter.pk, reason="damage", at=at, by=SYSTEM)
    assert near() == []
    vehicles.lift_block(vehicle_id=scooter.pk, reason="damage", at=at, by=SYSTEM)
    assert len(near()) == 1
    with pytest.raises(vehicles.VehicleNotFound):
        vehicles.lift_block(vehicle_id=404, reason="damage", at=at, by=SYSTEM)


def test_looking_around_is_one_query(
    make_vehicle: MakeVehicle, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        make_vehicle(**HOME)
    with django_assert_num_queries(1):
        assert len(near()) == 5


def test_the_latest_position(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle(**HOME, battery_pct=33, at=NOON)
    LatestState.objects.update(speed_cms=500, accuracy_dm=None)
    position = queries.latest_position(vehicle_id=scooter.pk)
    assert position == queries.Position(
        **HOME,
        accuracy_m=None,
        at=NOON,
        speed_kmh=18.0,
        locked=True,
        battery_pct=33,
    )
    assert queries.latest_position(vehicle_id=404) is None


def test_a_jump_of_the_receiver_is_no_distance(make_vehicle: MakeVehicle, log: Any) -> None:
    scooter = make_vehicle(at=NOON - 60 * MINUTE)
    second = datetime.timedelta(seconds=1)
    ways = [(0, 9.19), (10, 9.191), (11, 9.3), (12, 9.191), (22, 9.192)]
    send(log, scooter, *(point(NOON + n * second, lon=lon) for n, lon in ways))
    services.drain(shard=0, budget_s=0, now=lambda: NOON)
    metres = queries.trip_distance_m(vehicle_id=scooter.pk, start=NOON, end=NOON + MINUTE)
    assert metres == pytest.approx(156, abs=1)
    assert queries.trip_distance_m(vehicle_id=scooter.pk, start=NOON, end=NOON) == 0


def test_the_doors_for_celery(make_vehicle: MakeVehicle, log: Any) -> None:
    scooter, at = make_vehicle(), clock.now()
    tasks.tend_partitions()
    send(log, scooter, point(at, lon=9.2051, lat=45.451), received_at=at)
    assert tasks.drain(shard=0, budget_s=0.01) == 1
    assert LatestState.objects.get(vehicle=scooter).lon == 9.2051
    LatestState.objects.update(received_at=at - 20 * MINUTE)
    assert tasks.age_links() == 1
    vehicles.queue_command(
        vehicle_id=scooter.pk,
        kind="lock",
        idempotency_key="1",
        ttl_s=-1,
        purpose_ref="",
        at=at,
        by=SYSTEM,
    )
    assert vehicles_tasks.expire_commands() == 1
    assert VehicleCommand.objects.get().state == "expired"
    assert Vehicle.objects.get().link_state == "lost"
