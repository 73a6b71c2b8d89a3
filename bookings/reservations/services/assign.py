"""Bookings by class get their cars anew when the world has changed: all at once, or not at all.

A car that will not be charged enough, or that broke, is not found out half an hour ahead, when no
other one may be free, but as soon as it can be told; and two bookings may change cars, which no
single move could do.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable

import structlog
from django.db import transaction

from bookings.reservations import assignment, spans
from bookings.reservations.assignment import Car, Ride
from bookings.reservations.models import Booking, ReservationPolicy
from bookings.reservations.policies import policy_of
from bookings.reservations.services.relocate import (
    BookingNotMovable,
    lock_waiting,
    place_of,
    put_all_on,
)
from bookings.reservations.states import WAITING_BOOKINGS, BookingState
from fleet.energy.queries import Plugged, plugged
from fleet.energy.rules import EFFICIENCY
from fleet.vehicles import rules as fleet
from fleet.vehicles.models import LatestState, Vehicle, VehicleHold
from fleet.vehicles.services import VehicleNotRentable, VehicleTaken
from fleet.vehicles.states import BlockReason, LifeState
from mobility.core import sweeps

log = structlog.get_logger(__name__)
# How far ahead the charge of today says anything, and there is time to do something about it.
HORIZON = datetime.timedelta(hours=36)
# What a car takes on alternating current with one phase: most connectors give more, few cars less.
CAR_W = 7_400
_LASTING = frozenset({BlockReason.DAMAGE.value, BlockReason.MAINTENANCE.value})
REASON = "range"


def assign_cars(*, at: datetime.datetime) -> int:
    """Look at every class with bookings in the next day and a half; returns how many were moved."""
    soon = Booking.objects.filter(
        state=BookingState.CONFIRMED,
        chosen=False,
        starts_at__gt=at + spans.LOOK_AHEAD,
        starts_at__lte=at + HORIZON,
    )
    classes = sorted(set(soon.values_list("organisation", "vehicle__type")))
    moved = sweeps.each_alone(
        classes,
        lambda one: _assign_class(organisation_id=one[0], type_id=one[1], at=at),
        event="bookings.class_not_assigned",
        named=lambda one: one,
    )
    return sum(moved)


def _assign_class(*, organisation_id: int, type_id: int, at: datetime.datetime) -> int:
    policy = policy_of(organisation_id)
    vehicles = {
        vehicle.pk: vehicle
        for vehicle in Vehicle.objects.with_condition().filter(
            organisation=organisation_id, type=type_id, life_state=LifeState.IN_SERVICE
        )
    }
    bookings = {
        booking.pk: booking
        for booking in Booking.objects.with_story().filter(
            vehicle__in=list(vehicles), state__in=WAITING_BOOKINGS, starts_at__lte=at + HORIZON
        )
    }
    rides = [
        _ride(booking, vehicles=vehicles, policy=policy, at=at) for booking in bookings.values()
    ]
    cars = _cars(vehicles, bookings=bookings.values(), at=at)
    found = assignment.assign(cars=cars, rides=rides)
    moves = {ref: vehicles[car] for ref, car in found.items() if car != bookings[ref].vehicle_id}
    return _apply(moves, at=at) if moves else 0


def _apply(moves: dict[int, Vehicle], *, at: datetime.datetime) -> int:
    """All or none: somebody who took one of the cars meanwhile makes the rest pointless."""
    try:
        with transaction.atomic():
            pairs = []
            for pk in sorted(moves):
                booking = lock_waiting(pk)
                if booking is None or booking.state != BookingState.CONFIRMED:
                    raise BookingNotMovable
                pairs.append((booking, moves[pk]))
            put_all_on(pairs, reason=REASON, at=at)
    except (BookingNotMovable, VehicleTaken, VehicleNotRentable):
        log.info("bookings.assignment_overtaken", bookings=sorted(moves))
        return 0
    return len(moves)


def _ride(
    booking: Booking,
    *,
    vehicles: dict[int, Vehicle],
    policy: ReservationPolicy,
    at: datetime.datetime,
) -> Ride:
    movable = (
        booking.state == BookingState.CONFIRMED
        and not booking.chosen
        and booking.starts_at > at + spans.LOOK_AHEAD
    )
    place = place_of(booking)
    fits = [pk for pk, vehicle in vehicles.items() if place.holds(vehicle)] if movable else []
    need = booking.range_m or assignment.expected_m(booking.minutes)
    return Ride(
        ref=booking.pk,
        car=booking.vehicle_id,
        begins=max(0.0, _minutes(booking.starts_at, at)),
        ends=max(0.0, _minutes(spans.hold_until(booking.ends_at, policy=policy), at)),
        need_m=need,
        fits=frozenset(fits),
        fixed=not movable,
        charge_m=_gain_m(booking.vehicle, CAR_W if booking.connector_hold_id else 0),
    )


def _cars(
    vehicles: dict[int, Vehicle], *, bookings: Iterable[Booking], at: datetime.datetime
) -> list[Car]:
    plugs = plugged(vehicle_ids=list(vehicles))
    waiting = {booking.hold_id for booking in bookings}
    busy: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    holds = VehicleHold.objects.active().filter(vehicle__in=list(vehicles), during__endswith__gt=at)
    for hold in holds:
        if hold.pk not in waiting:
            span = _minutes(hold.during.lower, at), _minutes(hold.during.upper, at)
            busy[hold.vehicle_id].append(span)
    return [_car(vehicle, plug=plugs.get(pk), busy=busy[pk]) for pk, vehicle in vehicles.items()]


def _car(vehicle: Vehicle, *, plug: Plugged | None, busy: list[tuple[float, float]]) -> Car:
    latest: LatestState | None = getattr(vehicle, "latest", None)
    battery = latest.battery_pct if latest else None
    reach = fleet.range_m(max_range_m=vehicle.type.max_range_m, battery_pct=battery)
    power = min(plug.max_power_w, CAR_W) if plug else 0
    return Car(
        ref=vehicle.pk,
        range_m=reach or 0,
        full_m=vehicle.type.max_range_m,
        charge_m=_gain_m(vehicle, power),
        busy=tuple(sorted(busy)),
        fit=not _LASTING & set(vehicle.active_blocks),
    )


def _gain_m(vehicle: Vehicle, power_w: int) -> float:
    """Range per minute at a plug of so much power."""
    share = power_w * EFFICIENCY / 60.0 / max(1, vehicle.type.battery_wh)
    return share * vehicle.type.max_range_m


def _minutes(instant: datetime.datetime, at: datetime.datetime) -> float:
    return (instant - at).total_seconds() / 60.0
