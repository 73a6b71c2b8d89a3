"""A booking's ride: begun in its window, ended on time or late, given back when it never began.

DomainError
├── Conflict  BookingTooEarly    `extra["opens_at"]`
├── Conflict  BookedCarMissing   the car is not there; cancelling is free
└── Gone      BookingOver
"""

import datetime
import uuid
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _

from bookings.pricing.rules import FeeKind
from bookings.reservations import rules, spans
from bookings.reservations.events import BookingCompleted
from bookings.reservations.models import Booking, Reservation
from bookings.reservations.policies import policy_of
from bookings.reservations.services.change import BookingInUse, BookingNotFound
from bookings.reservations.services.connectors import give_connector
from bookings.reservations.services.fees import charge_fee
from bookings.reservations.services.relocate import displace, hold_again, relocate
from bookings.reservations.services.reserve import slot_for
from bookings.reservations.services.telling import tell
from bookings.reservations.services.tend import make_ready
from bookings.reservations.states import WAITING_BOOKINGS, BookingState, ReservationState
from bookings.riders.services.access import refuse_unfit
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import VehicleNotRentable, VehicleTaken
from mobility.accounts.models import User
from mobility.core.errors import Conflict, Gone
from mobility.core.principals import Principal
from mobility.core.transitions import move

# Why a start failed for which the car is to blame, besides every answer to the unlocking.
CAR_FAULTS = frozenset({"broken", "no_answer", "start_failed"})


class BookingTooEarly(Conflict):
    """Its window is not open yet; `extra["opens_at"]` says when."""

    code = "booking_too_early"
    message = _("Your booking has not begun yet.")


class BookedCarMissing(Conflict):
    """Neither its car nor another one is there now; cancelling is free."""

    code = "booked_car_missing"
    message = _("Your car is not here yet. We are looking for another one; you can cancel free.")


class BookingOver(Gone):
    """Cancelled, given to nobody any more, or ridden; `extra["state"]` says which."""

    code = "booking_over"
    message = _("This booking is over.")


def claim_booking(
    *,
    public_id: uuid.UUID,
    user: User,
    at: datetime.datetime,
    by: Principal,
    perks: Callable[..., list[Any]],
) -> Reservation:
    """Turn a booking into a ride at the price it was made at.

    1. Its row is locked: of a start and a no-show in the same moment, whoever comes first wins, and
       at the edge of the grace time the start does.
    2. If the window is not open yet, it is opened now, on another car if need be.
    3. Who may not ride any more (an expired licence) is refused, and cancels free.
    `perks` reads what the person has to their credit. Runs in the caller's transaction. Raises
    `AccessRefused`, `BookingNotFound`, `BookingTooEarly`, `BookingInUse`,
    `BookingOver`, `BookedCarMissing`, `AlreadyActive`.
    """
    rows = Booking.objects.select_for_update(of=("self",)).select_related(
        "vehicle__type", "vehicle__latest", "hold", "user", "hub", "district"
    )
    booking = rows.filter(public_id=public_id, user=user).first()
    if booking is None:
        raise BookingNotFound
    _refuse_unclaimable(booking, at=at)
    refuse_unfit(
        user_id=user.pk,
        organisation_id=booking.organisation_id,
        kind=booking.vehicle.kind,
        type_code=booking.vehicle.type.code,
        at=at,
    )
    if booking.state == BookingState.CONFIRMED and not make_ready(booking, at=at):
        raise BookedCarMissing
    slot = slot_for(user_id=user.pk, policy=policy_of(booking.organisation_id), at=at)
    move(booking, to=BookingState.IN_USE, at=at, by=by)
    return Reservation.objects.create(
        user=user,
        organisation_id=booking.organisation_id,
        vehicle=booking.vehicle,
        hold=booking.hold,
        booking=booking,
        tariff_version_id=booking.tariff_version_id,
        fare_terms=booking.fare_terms,
        perks=perks(user.pk, booking.vehicle, at=at),
        slot=slot,
        state=ReservationState.CONSUMED,
        # Waiting for its rider costs nothing: a booked car is not a reserved minute.
        reserved_at=at,
        expires_at=booking.ends_at,
    )


def own_open_booking(*, user: User, vehicle: Vehicle, at: datetime.datetime) -> uuid.UUID | None:
    """The person's booking on this very vehicle that could be ridden now: tapping it means that."""
    waiting = (BookingState.CONFIRMED, BookingState.WINDOW_OPEN)
    mine = Booking.objects.filter(user=user, vehicle=vehicle, state__in=waiting)
    for booking in mine.order_by("starts_at"):
        policy = policy_of(booking.organisation_id)
        if at >= spans.opens_at(booking.starts_at, policy=policy):
            return booking.public_id
    return None


def finish_booking(
    booking_id: int, *, returned_at: datetime.datetime, at: datetime.datetime, by: Principal
) -> None:
    """The ride on it is over; who came back late pays the fee once, whatever the ride costs."""
    booking = _ridden(booking_id)
    policy = policy_of(booking.organisation_id)
    late_s = spans.late_s(ends_at=booking.ends_at, returned_at=returned_at, policy=policy)
    fee = charge_fee(booking, kind=FeeKind.OVERSTAY, at=at, by=by) if late_s else 0
    move(booking, to=BookingState.COMPLETED, at=at, by=by, closed_at=at, fee_cents=fee)
    give_connector(booking, at=at, by=by)
    tell(BookingCompleted, booking, at=at, late_s=late_s, fee_cents=fee)


def restore_booking(booking_id: int, *, reason: str, at: datetime.datetime, by: Principal) -> None:
    """The ride never began. If the car is to blame the booking gets another one, else it keeps it.

    Whoever came to a car that did not start may let the booking go for nothing from then on; who
    called the start off, or whose card refused, may not. Without any car it ends, and nothing is
    charged. The hold of the ride is released by now.
    """
    booking = _ridden(booking_id)
    blame = reason in CAR_FAULTS or reason.startswith("unlock_")
    free_until = max(booking.free_until, booking.ends_at) if blame else booking.free_until
    move(booking, to=BookingState.CONFIRMED, at=at, by=by, reason=reason, free_until=free_until)
    tries = (_keep, _exchange) if not blame else (_exchange, _keep)
    if not any(deed(booking, reason=reason, at=at) for deed in tries):
        displace(booking, reason=reason, at=at)


def _exchange(booking: Booking, *, reason: str, at: datetime.datetime) -> bool:
    return relocate(booking, reason=reason, at=at)


def _keep(booking: Booking, *, reason: str, at: datetime.datetime) -> bool:
    """Hold the same car again for what is left of the time."""
    try:
        hold_again(booking, vehicle=booking.vehicle, at=at)
    except (VehicleTaken, VehicleNotRentable):
        return False
    return True


def _ridden(booking_id: int) -> Booking:
    rows = Booking.objects.select_for_update(of=("self",)).select_related(
        "vehicle__type", "vehicle__latest", "hold", "user", "hub", "district"
    )
    return rows.get(pk=booking_id)


def _refuse_unclaimable(booking: Booking, *, at: datetime.datetime) -> None:
    if booking.state == BookingState.IN_USE:
        raise BookingInUse
    policy = policy_of(booking.organisation_id)
    no_show = spans.no_show_at(booking.starts_at, policy=policy)
    over = not rules.still_startable(expires_at=no_show, at=at)
    if booking.state not in WAITING_BOOKINGS or (
        over and booking.state == BookingState.WINDOW_OPEN
    ):
        raise BookingOver(extra={"state": booking.state})
    opens_at = spans.opens_at(booking.starts_at, policy=policy)
    if at < opens_at:
        raise BookingTooEarly(extra={"opens_at": opens_at.isoformat()})
