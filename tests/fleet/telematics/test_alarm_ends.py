"""Alarms end, whatever comes in which order: in the events, in the zones, in a vehicle's life."""

from collections.abc import Callable
from typing import Any

import pytest

from fleet.telematics import handlers
from fleet.telematics.events import AlarmClosed, AlarmOpened
from fleet.telematics.models import Alarm, VehiclePresence
from fleet.telematics.services import alarms as services
from fleet.telematics.services.drain import batch
from fleet.vehicles import services as vehicles
from fleet.vehicles.models import Vehicle
from fleet.zones.models import Zone
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.telematics.reporting import (
    EAST_M,
    LAT,
    LON,
    MINUTE,
    NOON,
    NORTH_M,
    SECOND,
    Report,
    alarms,
    end_trip,
    point,
    start_trip,
)
from tests.fleet.zones.drawing import MakeZone

MOVED = "moved_without_trip"


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    return make_vehicle(at=NOON - 60 * MINUTE)


def told(event: type[AlarmOpened | AlarmClosed], alarm: Alarm) -> AlarmOpened | AlarmClosed:
    return event(
        alarm_id=str(alarm.public_id),
        vehicle_id=alarm.vehicle_id,
        kind=alarm.kind,
        at=NOON,
        details={},
    )


def test_an_alarm_that_is_told_after_its_end_suspends_nobody(
    scooter: Vehicle, report: Report
) -> None:
    now = clock.now()
    for minute, metres in enumerate((0, 100, 200)):
        report(scooter, point(now + minute * MINUTE, east_m=metres))
    alarm = services.close_alarm(alarm_id=Alarm.objects.get().pk, at=now + 3 * MINUTE, by=SYSTEM)
    handlers.offer_again(told(AlarmClosed, alarm), at=now + 3 * MINUTE)
    handlers.withdraw_moved(told(AlarmOpened, alarm), at=now + 3 * MINUTE)
    assert Vehicle.objects.filter(pk=scooter.pk).rentable().exists()


def test_the_end_of_an_old_alarm_leaves_a_new_one_its_block(
    scooter: Vehicle, report: Report
) -> None:
    now = clock.now()
    for minute, metres in enumerate((0, 100, 200)):
        report(scooter, point(now + minute * MINUTE, east_m=metres))
    first = services.close_alarm(alarm_id=Alarm.objects.get().pk, at=now + 2 * MINUTE, by=SYSTEM)
    for minute, metres in enumerate((400, 600, 800), start=3):
        report(scooter, point(now + minute * MINUTE, east_m=metres))
    second = Alarm.objects.active().get()
    handlers.withdraw_moved(told(AlarmOpened, second), at=now)
    handlers.offer_again(told(AlarmClosed, first), at=now)
    assert not Vehicle.objects.filter(pk=scooter.pk).rentable().exists()


def test_who_closes_an_alarm_while_a_batch_is_stored_has_the_last_word(
    scooter: Vehicle, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch read where the scooter was parked before Marco said that it stands well."""
    for minute, metres in enumerate((0, 100, 200)):
        report(scooter, point(NOON + minute * MINUTE, east_m=metres))
    write = batch.write_presences

    def after_marco(*args: Any, **kwargs: Any) -> None:
        at = NOON + 3 * MINUTE + SECOND
        services.close_alarm(alarm_id=Alarm.objects.active().get().pk, at=at, by=SYSTEM)
        write(*args, **kwargs)

    with monkeypatch.context() as racing:
        racing.setattr(batch, "write_presences", after_marco)
        report(scooter, point(NOON + 3 * MINUTE, east_m=290))
    assert VehiclePresence.objects.get(pk=scooter.pk).anchor_lon_e7 is None
    for minute in (4, 5, 6):
        report(scooter, point(NOON + minute * MINUTE, east_m=290))
    assert alarms(scooter) == [(MOVED, "closed")]


def test_a_retired_scooter_has_no_alarms(
    scooter: Vehicle, report: Report, relay: Callable[[], None]
) -> None:
    report(scooter, point(NOON, battery=9, tilted=1))
    report(scooter, point(NOON + MINUTE, battery=9, tilted=1))
    assert alarms(scooter) == [("low_battery", "open"), ("tilt", "open")]
    vehicles.set_life_state(vehicle_id=scooter.pk, to="retired", at=NOON + 2 * MINUTE, by=SYSTEM)
    relay()
    assert alarms(scooter) == [("low_battery", "closed"), ("tilt", "closed")]


def test_in_the_workshop_only_the_battery_is_still_low(
    scooter: Vehicle, report: Report, relay: Callable[[], None]
) -> None:
    report(scooter, point(NOON, battery=9, tilted=1))
    report(scooter, point(NOON + MINUTE, battery=9, tilted=1))
    vehicles.set_life_state(vehicle_id=scooter.pk, to="workshop", at=NOON + 2 * MINUTE, by=SYSTEM)
    relay()
    assert alarms(scooter) == [("low_battery", "open"), ("tilt", "closed")]


def box(west_m: float, east_m: float) -> tuple[float, float, float, float]:
    return (LON + west_m * EAST_M, LAT - 200 * NORTH_M, LON + east_m * EAST_M, LAT + 200 * NORTH_M)


@pytest.fixture
def left_outside(scooter: Vehicle, report: Report, make_zone: MakeZone) -> Vehicle:
    """A scooter that a ride left 300 m beyond the service area."""
    make_zone("operating", box(-500, 300), code="area")
    hold = start_trip(scooter, at=NOON - MINUTE)
    for minute, metres in enumerate((0, 200, 500, 600)):
        report(scooter, point(NOON + minute * MINUTE, east_m=metres, kmh=18))
    end_trip(hold, at=NOON + 4 * MINUTE)
    report(scooter, point(NOON + 5 * MINUTE, east_m=600))
    assert alarms(scooter) == [("left_service_area", "open")]
    return scooter


def test_a_larger_area_ends_the_alarm_of_who_stands_in_it_now(
    left_outside: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("operating", box(-500, 900), code="larger")
    report(left_outside, point(NOON + 6 * MINUTE, east_m=600))
    assert alarms(left_outside) == [("left_service_area", "closed")]


def test_new_zones_elsewhere_end_no_alarm(
    left_outside: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    zone: Zone = make_zone("no_ride", box(-500, -400), code="park")
    assert zone.pk
    report(left_outside, point(NOON + 6 * MINUTE, east_m=600))
    assert alarms(left_outside) == [("left_service_area", "open")]
