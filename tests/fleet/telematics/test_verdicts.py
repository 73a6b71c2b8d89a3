"""What becomes of strange points on their way into the tables: each outcome as docs/telematics.md
states it."""

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from fleet.telematics import queries, rules
from fleet.telematics.models import (
    Device,
    DeviceAssignment,
    LatestState,
    Point,
    QuarantinedPoint,
    VehiclePresence,
)
from fleet.telematics.services.drain import drain_all
from fleet.vehicles.models import Vehicle, VehicleEvent
from mobility.accounts.models import User
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.telematics.reporting import (
    EAST_M,
    LON,
    MINUTE,
    NOON,
    SECOND,
    Report,
    point,
    put,
)


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    return make_vehicle(at=NOON - 60 * MINUTE)


def aside() -> list[tuple[str, int | None]]:
    """Reason and vehicle of everything put aside."""
    return list(QuarantinedPoint.objects.order_by("id").values_list("reason", "vehicle"))


def times(vehicle: Vehicle) -> list[object]:
    rows = Point.objects.filter(vehicle_id=vehicle.pk).order_by("at")
    return list(rows.values_list("at", flat=True))


def east_m(vehicle: Vehicle) -> int:
    """How far east of where it was made the map shows it."""
    return round((LatestState.objects.get(vehicle=vehicle).lon - LON) / EAST_M)


def test_a_swapped_unit_empties_its_buffer_into_the_vehicle_it_sat_in(
    scooter: Vehicle, make_vehicle: MakeVehicle, report: Report
) -> None:
    """Marco moves a unit at noon. What it kept from before belongs to the first vehicle, and what
    it said in his drawer, between the two, to none."""
    other = make_vehicle(at=NOON - 60 * MINUTE)
    DeviceAssignment.objects.filter(vehicle=other).delete()
    unit = Device.objects.get(assignments__vehicle=scooter)
    before = DeviceAssignment.objects.get(device=unit)
    before.during = DateTimeTZRange(before.during.lower, NOON - 20 * MINUTE)
    before.save()
    DeviceAssignment.objects.create(
        device=unit, vehicle=other, during=DateTimeTZRange(NOON - 5 * MINUTE, None)
    )
    ago = (30 * MINUTE, 20 * MINUTE + SECOND, 20 * MINUTE, 6 * MINUTE, 5 * MINUTE, 0 * MINUTE)
    done = report(other, *(point(NOON - one) for one in ago), at=NOON)
    assert times(scooter) == [NOON - 30 * MINUTE, NOON - 20 * MINUTE - SECOND]
    assert times(other) == [NOON - 5 * MINUTE, NOON]
    assert (done.stored, done.quarantined) == (4, 2)
    assert aside() == [("unassigned", None), ("unassigned", None)]


def test_what_no_vehicle_said_is_shown_to_the_operator_of_the_unit(
    scooter: Vehicle, marco: User, rivale: User, report: Report
) -> None:
    DeviceAssignment.objects.filter(vehicle=scooter).update(
        during=DateTimeTZRange(NOON - MINUTE, None)
    )
    report(scooter, point(NOON - 2 * MINUTE), at=NOON)
    assert QuarantinedPoint.objects.visible_to(marco).count() == 1
    assert QuarantinedPoint.objects.visible_to(rivale).count() == 0


def test_a_lost_gps_week_is_set_right(scooter: Vehicle, report: Report) -> None:
    late, _lon, *rest = point(NOON - MINUTE, east_m=10)
    for rounds in (1, 2):
        wrong = (late - rounds * rules.GPS_ROUND_US + rounds * 1_000_000, _lon, *rest)
        report(scooter, wrong, at=NOON)
    assert times(scooter) == [NOON - MINUTE + SECOND, NOON - MINUTE + 2 * SECOND]
    assert aside() == []
    assert east_m(scooter) == 10


def test_a_jump_is_stored_and_noted_and_nobody_believes_it(
    scooter: Vehicle, report: Report
) -> None:
    report(scooter, point(NOON))
    report(scooter, point(NOON + 10 * SECOND, east_m=9_000))
    assert east_m(scooter) == 0
    assert aside() == [("impossible_speed", scooter.pk)]
    report(scooter, point(NOON + 20 * SECOND, east_m=20))
    assert east_m(scooter) == 20
    assert len(times(scooter)) == 3
    assert VehicleEvent.objects.filter(vehicle=scooter).count() == 0
    metres = queries.trip_distance_m(vehicle_id=scooter.pk, start=NOON, end=NOON + MINUTE)
    assert metres < 50


def test_a_jump_that_comes_twice_is_one_row(scooter: Vehicle, report: Report) -> None:
    """It is newer than what the map shows, and stored all the same."""
    report(scooter, point(NOON))
    for _ in range(3):
        report(scooter, point(NOON + 10 * SECOND, east_m=9_000))
    assert len(times(scooter)) == 2
    assert aside() == [("impossible_speed", scooter.pk)]
    assert VehiclePresence.objects.get(pk=scooter.pk).doubt_at == NOON + 10 * SECOND


def test_two_fixes_that_agree_after_a_jump_are_believed(scooter: Vehicle, report: Report) -> None:
    report(scooter, point(NOON))
    report(scooter, point(NOON + 10 * SECOND, east_m=9_000))
    report(scooter, point(NOON + 20 * SECOND, east_m=9_030))
    assert east_m(scooter) == 9_030
    report(scooter, point(NOON + 30 * SECOND, east_m=9_040))
    assert east_m(scooter) == 9_040


def test_a_vehicle_that_was_silent_for_a_day_may_be_anywhere(
    scooter: Vehicle, report: Report
) -> None:
    report(scooter, point(NOON))
    report(scooter, point(NOON + 24 * 60 * MINUTE, east_m=15_000))
    assert east_m(scooter) == 15_000
    assert aside() == []


def test_of_two_stories_about_one_moment_the_same_one_stays_in_any_order(
    make_vehicle: MakeVehicle, report: Report
) -> None:
    stories = [point(NOON, east_m=20), point(NOON, east_m=10), point(NOON, east_m=10, battery=7)]
    kept = []
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        vehicle = make_vehicle(at=NOON - 60 * MINUTE)
        report(vehicle, *(stories[n] for n in order[:2]))
        report(vehicle, stories[order[2]])
        rows = Point.objects.filter(vehicle_id=vehicle.pk)
        kept.append(list(rows.values_list("lon_e7", "battery_pct")))
    assert kept[0] == kept[1] == kept[2]
    assert len(kept[0]) == 1


def test_an_old_backlog_moves_the_map_and_wakes_nobody(scooter: Vehicle, report: Report) -> None:
    """Stored an hour late: the map goes on, and no alarm comes of what lies so far back."""
    report(scooter, point(NOON))
    for minute in range(1, 6):
        put(scooter, point(NOON + minute * MINUTE, east_m=200 * minute, battery=9), at=NOON)
    drain_all(shard=0, at=NOON + 70 * MINUTE)
    assert east_m(scooter) == 1_000
    assert scooter.alarms.count() == 0
