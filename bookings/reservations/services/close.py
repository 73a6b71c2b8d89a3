"""Reservations that come to nothing: given back, expired, or taken away by the fleet.

DomainError
└── Conflict  ReservationClosed, ReservationInUse
"""

import datetime
import uuid

import structlog
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.reservations.events import ReservationExpired
from bookings.reservations.models import Reservation
from bookings.reservations.services.fees import charge_hold
from bookings.reservations.states import ReservationState
from fleet.vehicles.services import release_hold
from mobility.core import outbox
from mobility.core.errors import Conflict
from mobility.core.principals import Principal, system_principal
from mobility.core.transitions import LostRace, move, move_many

log = structlog.get_logger(__name__)

SWEEP = system_principal("reservation-expiry")
DISPLACED = system_principal("vehicle-displaced")
SWEEP_LIMIT = 500


class ReservationClosed(Conflict):
    """It was cancelled, or the ride on it is over."""

    code = "reservation_closed"
    message = _("This reservation is closed.")


class ReservationInUse(Conflict):
    """A trip runs on it already."""

    code = "reservation_in_use"
    message = _("Your trip on this reservation has begun already.")


def cancel_reservation(
    *, reservation: Reservation, at: datetime.datetime, by: Principal
) -> Reservation:
    """Give the vehicle back unused; cancelling twice is cancelling once.

    Minutes that the person had for money are charged. Raises `ReservationInUse` or
    `ReservationClosed`.
    """
    with transaction.atomic():
        try:
            if reservation.state == ReservationState.HELD:
                move(reservation, to=ReservationState.CANCELLED, at=at, by=by, closed_at=at)
                release_hold(hold_id=reservation.hold_id, at=at, by=by)
                # The sweep may be late; what it costs ends with the reservation.
                until = min(at, reservation.expires_at)
                charge_hold(reservation, until=until, at=at, by=by)
                return reservation
        except LostRace:
            reservation.refresh_from_db(fields=["state"])
    if reservation.state == ReservationState.CANCELLED:
        return reservation
    if reservation.state == ReservationState.CONSUMED:
        raise ReservationInUse
    raise ReservationClosed


def displace_reservation(*, public_id: uuid.UUID, reason: str, at: datetime.datetime) -> bool:
    """The fleet took the vehicle away before the ride began; whether the reservation ended by it.

    The person is free for another vehicle, pays nothing and has not let anything go. A ride that
    began in the meantime is left alone.
    """
    with transaction.atomic():
        held = Reservation.objects.select_for_update(of=("self",))
        reservation = held.filter(public_id=public_id, state=ReservationState.HELD).first()
        if reservation is None:
            return False
        move(
            reservation,
            to=ReservationState.DISPLACED,
            at=at,
            by=DISPLACED,
            reason=f"vehicle_{reason}",
            closed_at=at,
        )
    return True


def expire_reservations(*, at: datetime.datetime) -> int:
    """Expire what nobody rode in time and give the vehicles back; returns how many.

    The move is conditional: a start in the same moment wins, and its reservation is left alone.
    All go in one transaction; if one of them resists, each goes by itself.
    """
    overdue = list(Reservation.objects.overdue(at).order_by("expires_at")[:SWEEP_LIMIT])
    try:
        return expire(overdue, at=at)
    except Exception:
        log.exception("bookings.expiry_failed", reservations=len(overdue))
    return sum(_expire_alone(row.pk, at=at) for row in overdue)


def _expire_alone(pk: int, *, at: datetime.datetime) -> int:
    """One that resists must not keep the vehicles of the others; somebody has to look at it."""
    try:
        return expire(list(Reservation.objects.overdue(at).filter(pk=pk)), at=at)
    except Exception:
        log.exception("bookings.expiry_failed", reservation=pk)
    return 0


def expire(overdue: list[Reservation], *, at: datetime.datetime) -> int:
    """Expire these, as far as nobody was faster; returns how many."""
    if not overdue:
        return 0
    with transaction.atomic():
        expired = move_many(overdue, to=ReservationState.EXPIRED, at=at, by=SWEEP, closed_at=at)
        # In the order in which all lock vehicles, so that nobody waits in a circle.
        for reservation in sorted(expired, key=lambda row: row.vehicle_id):
            release_hold(hold_id=reservation.hold_id, at=at, by=SWEEP, reason="expired")
            paid = charge_hold(reservation, until=reservation.expires_at, at=at, by=SWEEP)
            _tell(reservation, paid_minutes=paid, at=at)
    return len(expired)


def _tell(reservation: Reservation, *, paid_minutes: int, at: datetime.datetime) -> None:
    held = reservation.expires_at - reservation.reserved_at
    outbox.publish(
        ReservationExpired(
            reservation_id=str(reservation.public_id),
            vehicle_id=reservation.vehicle_id,
            user_principal=reservation.user.principal,
            held_s=int(held.total_seconds()),
            paid_minutes=paid_minutes,
        ),
        at=at,
    )
