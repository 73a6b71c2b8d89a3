"""Who is heard: a vehicle without a fix, and one whose clock is wrong, report all the same."""

import pytest

from fleet.telematics import services
from fleet.telematics.models import LatestState, QuarantinedPoint
from fleet.vehicles.models import Vehicle, VehicleBlock
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.telematics.reporting import MINUTE, NOON, SECOND, Report, point


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    return make_vehicle(at=NOON - 60 * MINUTE)


def nowhere(*args: object, **kwargs: object) -> tuple[object, ...]:
    """A report in a garage: 0/0."""
    said = list(point(*args, **kwargs))  # type: ignore[arg-type]
    said[1] = said[2] = 0
    return tuple(said)


def test_a_vehicle_in_a_garage_is_heard_and_its_battery_counts(
    scooter: Vehicle, report: Report
) -> None:
    report(scooter, point(NOON, battery=50))
    place = LatestState.objects.get(pk=scooter.pk)
    for minute in range(1, 20):
        report(scooter, nowhere(NOON + minute * MINUTE, battery=50 - 2 * minute))
        services.age_links(at=NOON + minute * MINUTE)
    latest = LatestState.objects.get(pk=scooter.pk)
    assert (latest.received_at, latest.battery_pct) == (NOON + 19 * MINUTE, 12)
    assert (latest.at, latest.lon_e7) == (place.at, place.lon_e7)
    scooter.refresh_from_db()
    assert scooter.link_state == "online"
    assert VehicleBlock.objects.active().get().reason == "low_battery"
    assert QuarantinedPoint.objects.count() == 1
    report(scooter, nowhere(NOON + 61 * MINUTE))
    assert QuarantinedPoint.objects.count() == 2


def test_a_vehicle_that_was_silent_is_heard_without_a_fix(
    make_vehicle: MakeVehicle, report: Report
) -> None:
    silent = make_vehicle(at=NOON - 60 * MINUTE, link_state="lost")
    report(silent, nowhere(NOON))
    silent.refresh_from_db()
    assert silent.link_state == "online"


def test_a_clock_that_was_ahead_and_is_set_right_makes_nobody_late(
    scooter: Vehicle, report: Report
) -> None:
    report(scooter, point(NOON + 280 * SECOND), at=NOON)
    for minute in range(1, 5):
        report(scooter, point(NOON + minute * MINUTE))
        services.age_links(at=NOON + minute * MINUTE)
        scooter.refresh_from_db()
        assert scooter.link_state == "online"
