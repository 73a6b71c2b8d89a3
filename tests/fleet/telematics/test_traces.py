"""Crossings, speed limits and alarms are kept as long as points, and not for ever."""

import datetime

import pytest

from fleet.telematics.models import Alarm, RetentionRun, SpeedLimitOrder, ZoneCrossing
from fleet.telematics.services import retention
from fleet.telematics.services.retention import round as nightly
from fleet.vehicles.models import Vehicle
from fleet.zones.models import Zone
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.telematics.reporting import LAT, LON, MINUTE, NOON
from tests.fleet.zones.drawing import MakeZone

DAY = datetime.timedelta(days=1)
LATER = NOON.replace(year=2027, month=6) + DAY  # thirteen months and a day


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    return make_vehicle(at=NOON - 60 * MINUTE)


@pytest.fixture
def school(make_zone: MakeZone) -> Zone:
    return make_zone("slow", (LON, LAT, LON + 0.01, LAT + 0.01), code="school")


def leave_traces(
    vehicle: Vehicle, zone: Zone, at: datetime.datetime, *, over: bool, kind: str = "tilt"
) -> None:
    ZoneCrossing.objects.create(
        vehicle=vehicle,
        zone=zone,
        zones_version=1,
        at=at,
        kind="enter",
        lon_e7=0,
        lat_e7=0,
        speed_cms=0,
        on_trip=True,
    )
    SpeedLimitOrder.objects.create(
        vehicle=vehicle,
        zone=zone,
        zones_version=1,
        limit_kmh=6,
        ordered_at=at,
        released_at=at if over else None,
    )
    Alarm.objects.create(
        vehicle=vehicle,
        kind=kind,
        severity="info",
        state="closed" if over else "open",
        opened_at=at,
        last_seen_at=at,
        closed_at=at if over else None,
    )


def left() -> list[int]:
    return [model.objects.count() for model in (ZoneCrossing, SpeedLimitOrder, Alarm)]


def test_traces_go_with_the_points_and_the_books_tell(scooter: Vehicle, school: Zone) -> None:
    leave_traces(scooter, school, NOON, over=True)
    leave_traces(scooter, school, NOON + MINUTE, over=True)
    leave_traces(scooter, school, LATER - 30 * DAY, over=True)
    assert retention.forget_traces(at=LATER - 2 * DAY) == []
    retention.forget_traces(at=LATER)
    assert left() == [1, 1, 1]
    runs = RetentionRun.objects.order_by("id")
    told = runs.values_list("kind", "counted", "verified", "removed")
    assert list(told) == [
        ("crossings", 2, 2, 2),
        ("speed_orders", 2, 2, 2),
        ("alarms", 2, 2, 2),
    ]
    assert retention.forget_traces(at=LATER) == []


def test_what_goes_on_stays_however_old(scooter: Vehicle, school: Zone) -> None:
    leave_traces(scooter, school, NOON, over=False)
    retention.forget_traces(at=LATER)
    assert left() == [0, 1, 1]


def test_the_nightly_round_forgets_them() -> None:
    assert retention.forget_traces in nightly.STEPS
