"""Slow zones: the vehicle is told, its answer is the proof, and who goes too fast is noticed."""

import datetime
from collections.abc import Callable

import pytest

from fleet.telematics import proof
from fleet.telematics.models import Alarm, SpeedLimitOrder
from fleet.telematics.services import speed
from fleet.vehicles import services as vehicles
from fleet.vehicles.models import Vehicle, VehicleCommand
from fleet.vehicles.states import CommandState
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
    ridden: Vehicle, report: Report, make_zone: MakeZone, relay: Relay
) -> None:
    zone = make_zone("slow", box(100, 400), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (10, 60), (20, 110), (30, 150), (40, 180))
    assert told(ridden) == [6]
    order = SpeedLimitOrder.objects.get()
    assert (order.zone, order.limit_kmh, order.released_at) == (zone, 6, None)
    assert order.ordered_at == at_second(30)
    ride(report, ridden, (50, 420), (60, 450), (70, 480))
    assert told(ridden) == [6, None]
    assert SpeedLimitOrder.objects.get().released_at is None
    confirm(ridden, second=72)
    relay()
    assert SpeedLimitOrder.objects.get().released_at == at_second(72)
    ride(report, ridden, (80, 500), (200, 520))
    assert told(ridden) == [6, None]


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


@pytest.mark.parametrize("delivered", [False, True])
def test_a_release_that_got_lost_is_told_again_until_it_is_answered(
    ridden: Vehicle, report: Report, make_zone: MakeZone, relay: Relay, delivered: bool
) -> None:
    """Or the next rider, anywhere, would go 6 km/h."""
    make_zone("slow", box(-100, 400), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (10, 60))
    confirm(ridden, second=12)
    relay()
    end_trip(ridden.holds.get(), at=at_second(15))
    ride(report, ridden, (20, 62))
    if delivered:
        VehicleCommand.objects.filter(state="queued").update(state="sent", sent_at=at_second(21))
    vehicles.expire_commands(at=at_second(90))
    relay()
    assert SpeedLimitOrder.objects.get().released_at is None
    ride(report, ridden, (100, 62), (110, 62))
    assert told(ridden) == [6, None, None]
    start_trip(ridden, at=at_second(171), ref="trip:2")
    ride(report, ridden, (180, 500), (190, 600))
    assert told(ridden)[3:] == [6, None]
    vehicles.expire_commands(at=at_second(260))
    relay()
    ride(report, ridden, (270, 700))
    assert told(ridden)[3:] == [6, None, None]
    confirm(ridden, second=275)
    relay()
    assert SpeedLimitOrder.objects.get().released_at == at_second(275)
    ride(report, ridden, (280, 800), (340, 900))
    assert len(told(ridden)) == 6


def test_a_limit_that_may_have_been_heard_is_released_at_the_end_of_the_ride(
    ridden: Vehicle, report: Report, make_zone: MakeZone, relay: Relay
) -> None:
    make_zone("slow", box(-100, 400), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (10, 60))
    VehicleCommand.objects.update(state="sent", sent_at=at_second(11))
    vehicles.expire_commands(at=at_second(80))
    relay()
    end_trip(ridden.holds.get(), at=at_second(85))
    ride(report, ridden, (90, 62))
    assert told(ridden) == [6, None]


def test_who_is_being_released_is_not_too_fast(
    ridden: Vehicle, report: Report, make_zone: MakeZone, relay: Relay
) -> None:
    make_zone("slow", box(-100, 200), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (5, 20), kmh=6)
    confirm(ridden, second=6)
    relay()
    ride(report, ridden, (60, 210), (65, 260), (70, 300), (80, 350), (95, 400), kmh=20)
    assert told(ridden) == [6, None]
    assert alarms(ridden) == []


def test_who_comes_back_before_the_release_was_heard_is_limited_again(
    ridden: Vehicle, report: Report, make_zone: MakeZone, relay: Relay
) -> None:
    make_zone("slow", box(-100, 200), code="school", maximum_speed_kmh=6)
    way = ((0, 0), (10, 60), (30, 210), (40, 250), (50, 190), (60, 150))
    ride(report, ridden, *way)
    assert told(ridden) == [6, None, 6]
    release = VehicleCommand.objects.filter(parameters={"max_kmh": None}).get()
    confirm(ridden, second=62)
    speed.note_outcome(command_public_id=str(release.public_id), result="confirmed")
    relay()
    order = SpeedLimitOrder.objects.get()
    assert (order.applied_at, order.released_at) == (at_second(62), None)


def test_a_type_without_limits_is_not_told_that_it_has_none(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    ridden.type.commands = ["lock", "unlock"]
    ridden.type.save(update_fields=["commands"])
    make_zone("slow", box(-100, 400), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (10, 60), (20, 70))
    end_trip(ridden.holds.get(), at=at_second(25))
    ride(report, ridden, (30, 72), (40, 72))
    assert told(ridden) == []
    order = SpeedLimitOrder.objects.get()
    assert (order.outcome, order.released_at) == ("unsupported", at_second(30))


def test_the_answer_does_not_undo_what_the_drain_wrote_meanwhile(
    ridden: Vehicle, report: Report, make_zone: MakeZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit was followed by another one after the answer's transaction had looked."""
    make_zone("slow", box(-100, 400), code="school", maximum_speed_kmh=6)
    ride(report, ridden, (0, 0), (10, 20))
    order = SpeedLimitOrder.objects.get()
    looked = CommandState.CONFIRMED
    first = VehicleCommand.objects.filter

    def meanwhile(**wanted: object) -> object:
        found = first(**wanted)
        list(found)
        SpeedLimitOrder.objects.filter(pk=order.pk).update(released_at=at_second(11))
        return found

    monkeypatch.setattr(VehicleCommand.objects, "filter", meanwhile)
    speed.note_outcome(command_public_id=str(order.command.public_id), result=looked)
    order.refresh_from_db()
    assert (order.outcome, order.released_at) == ("confirmed", at_second(11))


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
    ride(report, ridden, (90, 40), (95, 42))
    assert told(ridden) == [6, 6]
    confirm(ridden, second=96)
    relay()
    order = SpeedLimitOrder.objects.get()
    assert (order.outcome, order.applied_at) == ("confirmed", at_second(96))


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
