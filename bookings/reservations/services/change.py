"""Bookings changed by their rider or by staff: cancelled, made longer or shorter.

DomainError
├── NotFound  BookingNotFound
├── Conflict  BookingClosed, BookingInUse
└── Conflict  ExtensionBlocked   with what can be done instead
"""

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.pricing import rules as pricing
from bookings.pricing.rules import FeeKind
from bookings.reservations import rules, spans
from bookings.reservations.events import BookingCancelled, BookingChanged
from bookings.reservations.models import Booking, ReservationPolicy
from bookings.reservations.policies import policy_of
from bookings.reservations.queries.cars import free_cars
from bookings.reservations.services.book import (
    BookingSpanRefused,
    TooManyBookings,
    lock_person,
)
from bookings.reservations.services.connectors import give_connector, keep_connector
from bookings.reservations.services.fees import charge_fee, is_excused
from bookings.reservations.services.relocate import put_on
from bookings.reservations.services.telling import tell
from bookings.reservations.states import OPEN_BOOKINGS, WAITING_BOOKINGS, BookingState
from fleet.vehicles.services import (
    VehicleNotRentable,
    VehicleTaken,
    extend_hold,
    free_from,
    lock_vehicle,
    release_hold,
)
from mobility.core import audit
from mobility.core.errors import Conflict, NotFound
from mobility.core.money import total_cents
from mobility.core.principals import Principal
from mobility.core.transitions import LostRace, move

CANCELLED = (BookingState.CANCELLED_FREE, BookingState.CANCELLED_LATE)


class BookingNotFound(NotFound):
    """No such booking of this person."""

    code = "booking_not_found"
    message = _("We could not find this booking.")


class BookingInUse(Conflict):
    """It is being ridden: end the trip instead."""

    code = "booking_in_use"
    message = _("Your trip on this booking has begun. End the trip instead.")


class BookingClosed(Conflict):
    """It is over, whichever way."""

    code = "booking_closed"
    message = _("This booking is over.")


class ExtensionTooLate(Conflict):
    """The car should be back by now; the fee for that does not go away by booking longer."""

    code = "extension_too_late"
    message = _("Your booking has ended already. Please bring the car back.")


class ExtensionBlocked(Conflict):
    """Somebody else has the car next; `extra["options"]` says what can be done instead."""

    code = "extension_blocked"
    message = _("The car is booked by somebody else after you. See what you can do instead.")


def cancel_booking(
    *, booking_id: int, at: datetime.datetime, by: Principal, waive: bool = False
) -> Booking:
    """Give the booking back; twice is once.

    Free until `free_until`, when its car is at risk, when the person may not ride at all (an
    expired licence), or when staff `waive` the fee; else the fee for
    late cancellation is due, and no other one any more. Raises `BookingInUse`, `BookingClosed`,
    `BookingNotFound`.
    """
    with transaction.atomic():
        booking = _locked(booking_id)
        if booking.state in CANCELLED:
            return booking
        _refuse_over(booking)
        if booking.state == BookingState.IN_USE:
            raise BookingInUse
        free = waive or is_excused(booking, at=at)
        fee = 0
        if not free:
            fee = charge_fee(booking, kind=FeeKind.LATE_CANCEL, at=at, by=by)
        to = BookingState.CANCELLED_FREE if free else BookingState.CANCELLED_LATE
        move(booking, to=to, at=at, by=by, closed_at=at, fee_cents=fee)
        release_hold(hold_id=booking.hold_id, at=at, by=by)
        give_connector(booking, at=at, by=by)
        tell(BookingCancelled, booking, at=at, fee_cents=fee)
    return booking


def resize_booking(
    *,
    booking_id: int,
    ends_at: datetime.datetime,
    at: datetime.datetime,
    by: Principal,
    may_move: bool = False,
) -> Booking:
    """Let a booking end at another time, at the same fare.

    Longer goes as far as nobody else has booked the car; with `may_move` a booking not begun takes
    another car that is as good for the whole time. Raises `ExtensionBlocked` with options,
    `BookingSpanRefused`, `TooManyBookings` where another one of theirs begins, `BookingClosed`,
    `BookingNotFound`, `NoConnectorFree`, and `ExtensionTooLate` for a ride that is late already.
    """
    with transaction.atomic():
        booking = _locked_in_turn(booking_id)
        _refuse_over(booking)
        policy = policy_of(booking.organisation_id)
        if booking.state == BookingState.IN_USE and spans.late_s(
            ends_at=booking.ends_at, returned_at=at, policy=policy
        ):
            raise ExtensionTooLate
        _refuse_end(booking, ends_at, policy=policy, at=at)
        before, booking.ends_at = booking.ends_at, ends_at
        booking.slot = _slot(booking, policy=policy)
        until = spans.hold_until(ends_at, policy=policy)
        stretched = _stretch(booking, until=until, at=at, by=by)
        if not stretched and not (may_move and _move_for(booking, until=until, at=at, by=by)):
            raise ExtensionBlocked(extra=_options(booking, until=until, policy=policy, at=at))
        _keep_connector(booking, policy=policy, at=at, by=by)
        lines = pricing.estimate(fare=booking.fare, minutes=booking.minutes, at=booking.starts_at)
        booking.estimate_cents = total_cents(lines)
        booking.reminded_at = None
        booking.save(
            update_fields=["ends_at", "slot", "estimate_cents", "reminded_at", "connector_hold"]
        )
        tell(BookingChanged, booking, at=at, before=before)
    return booking


def _locked_in_turn(booking_id: int) -> Booking:
    """The booking, locked after whatever others lock before it, so that nobody waits in a circle.

    A person books and changes one thing after the other. The end of a ride has the vehicle before
    it comes to the booking; while nobody rides, the booking comes first. A ride that begins between
    the look and the lock is `LostRace`: its end must not wait for us while we wait for it.
    """
    seen = Booking.objects.select_related("user").filter(pk=booking_id).first()
    if seen is not None:
        lock_person(seen.user)
        if seen.state == BookingState.IN_USE:
            lock_vehicle(seen.vehicle_id)
    booking = _locked(booking_id)
    if seen is not None and booking.state == BookingState.IN_USE != seen.state:
        raise LostRace(
            row=audit.row_name(booking), field="state", expected=seen.state, to=booking.state
        )
    return booking


def _slot(booking: Booking, *, policy: ReservationPolicy) -> int:
    """Its place beside the person's other bookings of the new time; its own if that is still free."""
    others = Booking.objects.filter(
        user=booking.user_id,
        state__in=OPEN_BOOKINGS,
        starts_at__lt=booking.ends_at,
        ends_at__gt=booking.starts_at,
    ).exclude(pk=booking.pk)
    taken = set(others.values_list("slot", flat=True))
    if booking.slot not in taken:
        return booking.slot
    slot = rules.free_slot(taken, limit=policy.group_limit)
    if slot is None:
        raise TooManyBookings
    return slot


def _locked(booking_id: int) -> Booking:
    rows = Booking.objects.select_for_update(of=("self",)).select_related(
        "vehicle__type", "vehicle__latest", "hold", "user", "hub", "district", "connector_hold"
    )
    booking = rows.filter(pk=booking_id).first()
    if booking is None:
        raise BookingNotFound
    return booking


def _refuse_over(booking: Booking) -> None:
    if booking.state not in OPEN_BOOKINGS:
        raise BookingClosed(extra={"state": booking.state})


def _refuse_end(
    booking: Booking,
    ends_at: datetime.datetime,
    *,
    policy: ReservationPolicy,
    at: datetime.datetime,
) -> None:
    """The new span is judged like one made when the booking was; its end lies ahead."""
    faults = spans.span_faults(
        starts_at=booking.starts_at, ends_at=ends_at, at=booking.requested_at, policy=policy
    )
    if ends_at <= at:
        faults = (*faults, spans.IN_PAST)
    if faults:
        raise BookingSpanRefused(extra={"reasons": list(faults)})


def _stretch(
    booking: Booking, *, until: datetime.datetime, at: datetime.datetime, by: Principal
) -> bool:
    # A ride may hold the car longer than its booking already.
    if booking.state == BookingState.IN_USE and until <= booking.hold.until:
        return True
    try:
        with transaction.atomic():
            extend_hold(hold_id=booking.hold_id, until=until, at=at, by=by)
    except VehicleTaken:
        return False
    return True


def _move_for(
    booking: Booking, *, until: datetime.datetime, at: datetime.datetime, by: Principal
) -> bool:
    """Another car for the whole, longer time; only while nobody sits in the first one."""
    if booking.state not in WAITING_BOOKINGS:
        return False
    for car in _others(booking, until=until, at=at):
        try:
            with transaction.atomic():
                put_on(booking, vehicle=car, reason="extension", at=at, by=by)
                extend_hold(hold_id=booking.hold_id, until=until, at=at, by=by)
        except (VehicleTaken, VehicleNotRentable):
            booking.refresh_from_db(fields=["hold", "vehicle", "moved", "at_risk_since", "state"])
            continue
        return True
    return False


def _others(booking: Booking, *, until: datetime.datetime, at: datetime.datetime) -> list[Any]:
    cars = free_cars(
        organisation_id=booking.organisation_id,
        starts_at=max(booking.starts_at, at),
        until=until,
        as_good_as=booking.vehicle,
        range_needed_m=booking.range_m,
        without=[booking.vehicle_id],
        at=at,
    )
    return [car.vehicle for car in cars[:4]]


def _options(
    booking: Booking, *, until: datetime.datetime, policy: ReservationPolicy, at: datetime.datetime
) -> dict[str, Any]:
    """How much longer this car can be had, and whether another one could for the whole time."""
    taken = free_from(vehicle_id=booking.vehicle_id, at=booking.hold.until)
    options: list[dict[str, Any]] = []
    if taken is not None:
        latest = taken - datetime.timedelta(minutes=policy.buffer_minutes)
        options.append({"option": "until", "end": latest.isoformat()})
    if booking.state in WAITING_BOOKINGS and _others(booking, until=until, at=at):
        options.append({"option": "other_vehicle", "may_move": True})
    blocked = taken.isoformat() if taken else None
    return {"available_until": blocked, "options": options}


def _keep_connector(
    booking: Booking, *, policy: ReservationPolicy, at: datetime.datetime, by: Principal
) -> None:
    """The connector for the return moves with the end; at the same hub, where one is free then."""
    kept = booking.connector_hold
    if kept is None:
        return
    give_connector(booking, at=at, by=by)
    hub = kept.connector.evse.station.site.hub
    if hub is not None:
        booking.connector_hold = keep_connector(
            hub=hub, booking=booking, policy=policy, at=at, by=by
        )
