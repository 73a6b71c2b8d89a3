"""Slow zones: the vehicle is told, its answer is the proof, and who goes too fast is noticed."""

import datetime
from collections.abc import Callable

import pytest

from fleet.telematics import proof
from fleet.telematics.models import Alarm, SpeedLimitOrder
from fleet.vehicles import services as vehicles
from fleet.vehicles.models import Vehicle, VehicleCommand
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
    hold_for,
    point,
    start_trip,
)
from tests.fleet.zones.drawing import MakeZone

Relay = Callable[[], None]


def box(west_m: float, east_m: float) -> tuple[float, float, float, float]:
    return (
        LON + west_m * EAST_M,
        LAT - 200 * NORTH_M,
        LON + east_m * EAST_M,
        LAT + 200 * NORTH_M,
    )


@pytest.fixture
def ridden(make_vehicle: MakeVehicle) -> Vehicle:
    """A scooter on a trip since a minute before noon."""
    vehicle = make_vehicle(at=NOON - 60 * MINUTE)
    start_trip(vehicle, at=NOON - MINUTE)
    return vehicle


def at_second(number: int) -> datetime.datetime:
    return NOON + number * SECOND


def ride(report: Report, vehicle: Vehicle, *way: tuple[int, float], kmh: float = 18) -> None:
    """Fixes as (second, metres east), each stored by itself."""
    for second, metres in way:
        report(vehicle, point(at_second(second), east_m=metres, kmh=kmh))


def told(vehicle: Vehicle) -> list[int | None]:
    """The limits a vehicle was told, in their order."""
    commands = VehicleCommand.objects.filter(vehicle=vehicle, kind="set_speed_limit")
    return [command.parameters["max_kmh"] for command in commands.order_by("sequence")]


def confirm(vehicle: Vehicle, *, second: int, result: str = "confirmed") -> None:
    command = VehicleCommand.objects.filter(vehicle=vehicle, kind="set_speed_limit").latest("id")
    vehicles.record_acknowledgement(
        command_public_id=command.public_id,
        device_vehicle_id=vehicle.pk,
        result=result,
        at=at_second(second),
        by=SYSTEM,
    )


def test_a_slow_zone_limits_the_vehicle_and_its_end_releases_it(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    zone = make_zone("slow", box(100, 400), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (10, 60), (20, 110), (30, 150), (40, 180))
    assert told(ridden) == [6]
    order = SpeedLimitOrder.objects.get()
    assert (order.zone, order.limit_kmh, order.released_at) == (zone, 6, None)
    assert order.ordered_at == at_second(30)
    ride(report, ridden, (50, 420), (60, 450), (70, 480))
    assert told(ridden) == [6, None]
    assert SpeedLimitOrder.objects.get().released_at == at_second(60)


def test_from_zone_to_zone_the_limit_changes_once(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("slow", box(100, 400), code="school", maximum_speed_kmh=6)
    make_zone("slow", box(300, 800), code="centre", maximum_speed_kmh=15)
    way = [(n * 10, m) for n, m in enumerate((0, 110, 150, 310, 350, 420, 450, 500, 820, 850))]
    ride(report, ridden, *way)
    assert told(ridden) == [6, 15, None]


def test_a_limit_above_what_the_vehicle_can_is_no_order(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("slow", box(-100, 400), code="ring", maximum_speed_kmh=30)
    ride(report, ridden, (0, 0), (10, 60), (20, 110))
    assert told(ridden) == []


def test_the_end_of_the_ride_ends_the_limit(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("slow", box(-100, 400), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (10, 60))
    assert told(ridden) == [6]
    end_trip(ridden.holds.get(), at=at_second(15))
    ride(report, ridden, (20, 62))
    assert told(ridden) == [6, None]
    assert not SpeedLimitOrder.objects.in_force().exists()


def test_a_limit_drawn_around_a_rider_holds_at_once(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    """Rules of safety are live: what is published during a trip holds on it."""
    make_zone("operating", box(-500, 500), code="area")
    ride(report, ridden, (0, 0), (10, 20))
    make_zone("slow", box(-100, 400), code="market", maximum_speed_kmh=6)
    ride(report, ridden, (20, 40))
    assert told(ridden) == [6]


def test_sara_is_not_slowed_down_in_her_van(
    make_vehicle: MakeVehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("slow", box(-100, 400), code="school", maximum_speed_kmh=6)
    carried = make_vehicle(at=NOON - 60 * MINUTE)
    hold_for(carried, at=NOON - MINUTE, ref="task:1", purpose="crew")
    ride(report, carried, (0, 0), (10, 60), (20, 110))
    assert told(carried) == []


def test_the_answer_of_the_vehicle_is_the_proof(
    ridden: Vehicle, report: Report, make_zone: MakeZone, relay: Relay
) -> None:
    make_zone("slow", box(-100, 400), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (10, 20))
    confirm(ridden, second=12)
    relay()
    order = SpeedLimitOrder.objects.get()
    assert (order.outcome, order.applied_at) == ("confirmed", at_second(12))
    ride(report, ridden, (20, 35), (30, 50), kmh=5.8)
    end_trip(ridden.holds.get(), at=at_second(40))
    (row,) = proof.speed_proof_of_trip(trip_ref="trip:1")
    assert (row.zone_code, row.limit_kmh, row.applied_at) == ("school", 6, at_second(12))
    assert (row.reports, row.fastest_kmh) == (2, 5.8)
    assert proof.speed_proof_of_trip(trip_ref="trip:9") == []


def test_a_vehicle_that_never_answered_is_told_again(
    ridden: Vehicle, report: Report, make_zone: MakeZone, relay: Relay
) -> None:
    make_zone("slow", box(-100, 400), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (10, 20))
    vehicles.expire_commands(at=at_second(80))
    relay()
    assert SpeedLimitOrder.objects.get().outcome == "expired"
    ride(report, ridden, (90, 40))
    assert told(ridden) == [6, 6]


def test_a_vehicle_that_refuses_is_not_asked_for_ever(
    ridden: Vehicle, report: Report, make_zone: MakeZone, relay: Relay
) -> None:
    make_zone("slow", box(-100, 400), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (10, 20))
    confirm(ridden, second=12, result="rejected")
    relay()
    ride(report, ridden, (20, 40), (30, 60))
    assert told(ridden) == [6]
    order = SpeedLimitOrder.objects.get()
    assert (order.outcome, order.applied_at) == ("rejected", None)


def test_too_fast_under_a_limit_raises_an_alarm_until_it_slows_down(
    ridden: Vehicle, report: Report, make_zone: MakeZone, relay: Relay
) -> None:
    make_zone("slow", box(-100, 900), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (5, 20))
    confirm(ridden, second=6)
    relay()
    ride(report, ridden, (10, 40), kmh=18)
    assert alarms(ridden) == []
    ride(report, ridden, (20, 60), (25, 80), (31, 100), kmh=17.5)
    assert alarms(ridden) == [("speed_violation", "open")]
    assert Alarm.objects.get().details["limit_kmh"] == 6
    ride(report, ridden, (40, 110), (50, 120), (61, 130), kmh=6)
    assert alarms(ridden) == [("speed_violation", "closed")]
