"""Writes of reservations: taken, cancelled, expired, turned into a trip.

DomainError
├── NotFound  ReservationNotFound
├── Gone      ReservationExpired   with an offer to take the vehicle again
├── Conflict  AlreadyActive        one vehicle per person at a time
├── Conflict  ReservationClosed
└── (429)     TooManyReservations
"""

import datetime
import uuid
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from psycopg.errors import UniqueViolation

from bookings.pricing.queries import fare_for, quote
from bookings.reservations import rules
from bookings.reservations.models import Reservation
from bookings.reservations.searches import take_searches
from bookings.reservations.states import ACTIVE, UNUSED, ReservationState
from fleet.rebalancing.services import count_searches
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import hold_vehicle, release_hold
from fleet.vehicles.states import HoldPurpose, RentalState
from mobility.core import ids
from mobility.core.errors import Conflict, DomainError, Gone, NotFound
from mobility.core.principals import Principal, system_principal
from mobility.core.transitions import LostRace, move, move_many

SWEEP = system_principal("reservation-expiry")
DISPLACED = system_principal("vehicle-displaced")
SWEEP_LIMIT = 500


class ReservationNotFound(NotFound):
    """No such reservation of this person."""

    code = "reservation_not_found"
    message = _("We could not find this reservation.")


class ReservationExpired(Gone):
    """Its time is over; `extra["offer"]` says whether and at what price it can be had again."""

    code = "reservation_expired"
    message = _("Your reservation has expired. You can reserve the vehicle again if it is free.")


class ReservationClosed(Conflict):
    """It was cancelled, or the ride on it is over."""

    code = "reservation_closed"
    message = _("This reservation is closed.")


class ReservationInUse(Conflict):
    """A trip runs on it already."""

    code = "reservation_in_use"
    message = _("Your trip on this reservation has begun already.")


class AlreadyActive(Conflict):
    """The person has a vehicle; `extra` names the reservation and its state."""

    code = "already_active"
    message = _("You already have a vehicle. End that trip or reservation first.")


class TooManyReservations(DomainError):
    """Reserving without riding, again and again."""

    code = "too_many_reservations"
    status: ClassVar[int] = 429
    message = _("You have reserved several times without riding. Please try again in a while.")


def reserve_vehicle(
    *, vehicle: Vehicle, user_id: int, at: datetime.datetime, by: Principal
) -> Reservation:
    """Hold `vehicle` (loaded with its type) for a person at the price of this moment.

    1. The person has no other vehicle and does not hoard (`AlreadyActive`, `TooManyReservations`).
    2. The fare in force is frozen into the reservation (`NoPrice`).
    3. The fleet's hold decides who gets the vehicle (`VehicleTaken`, `VehicleNotRentable`).
    4. A unique index decides when one person reserves twice at once (`AlreadyActive`).
    """
    try:
        with transaction.atomic():
            return _reserve(vehicle, user_id=user_id, at=at, by=by)
    except IntegrityError as problem:
        if isinstance(problem.__cause__, UniqueViolation):
            raise AlreadyActive from problem
        raise


def consume_reservation(
    *, public_id: uuid.UUID, user_id: int, at: datetime.datetime, by: Principal
) -> Reservation:
    """Turn a person's reservation into a ride; how long it holds the vehicle is the ride's to say.

    At the edge of its time the start wins over the expiry. Raises `ReservationNotFound`,
    `ReservationExpired` (with an offer), `ReservationInUse`, `ReservationClosed`.
    """
    with transaction.atomic(savepoint=False):
        reservation = (
            Reservation.objects.select_related("vehicle__type", "vehicle__latest")
            .filter(public_id=public_id, user_id=user_id)
            .first()
        )
        if reservation is None:
            raise ReservationNotFound
        _refuse_unstartable(reservation, at=at)
        try:
            move(reservation, to=ReservationState.CONSUMED, at=at, by=by)
        except LostRace:
            reservation.refresh_from_db(fields=["state"])
            _refuse_unstartable(reservation, at=at)
            raise
    return reservation


def complete_reservation(*, reservation: Reservation, at: datetime.datetime, by: Principal) -> None:
    """The ride on it is over; the person is free for the next vehicle."""
    move(reservation, to=ReservationState.COMPLETED, at=at, by=by, closed_at=at)


def cancel_reservation(
    *, reservation: Reservation, at: datetime.datetime, by: Principal
) -> Reservation:
    """Give the vehicle back unused; cancelling twice is cancelling once.

    Raises `ReservationInUse` or `ReservationClosed`.
    """
    if reservation.state == ReservationState.CANCELLED:
        return reservation
    with transaction.atomic():
        try:
            if reservation.state == ReservationState.HELD:
                move(reservation, to=ReservationState.CANCELLED, at=at, by=by, closed_at=at)
                release_hold(hold_id=reservation.hold_id, at=at, by=by)
                return reservation
        except LostRace:
            reservation.refresh_from_db(fields=["state"])
    if reservation.state == ReservationState.CONSUMED:
        raise ReservationInUse
    raise ReservationClosed


def displace_reservation(*, public_id: uuid.UUID, reason: str, at: datetime.datetime) -> bool:
    """The fleet took the vehicle away before the ride began; whether the reservation ended by it.

    The person is free for another vehicle. A ride that began in the meantime is left alone.
    """
    with transaction.atomic():
        held = Reservation.objects.select_for_update(of=("self",))
        reservation = held.filter(public_id=public_id, state=ReservationState.HELD).first()
        if reservation is None:
            return False
        move(
            reservation,
            to=ReservationState.CANCELLED,
            at=at,
            by=DISPLACED,
            reason=f"vehicle_{reason}",
            closed_at=at,
        )
    return True


def expire_reservations(*, at: datetime.datetime) -> int:
    """Expire what nobody rode in time and give the vehicles back; returns how many.

    The move is conditional: a start in the same moment wins, and its reservation is left alone.
    """
    return _expire(list(Reservation.objects.overdue(at)[:SWEEP_LIMIT]), at=at)


def count_waiting_searches(*, at: datetime.datetime) -> int:
    """Hand a batch of waiting searches to the fleet's demand counters; returns how many."""
    searches = take_searches()
    count_searches(searches=searches, at=at)
    return len(searches)


def _reserve(
    vehicle: Vehicle, *, user_id: int, at: datetime.datetime, by: Principal
) -> Reservation:
    _refuse_busy_or_hoarding(user_id=user_id, at=at, by=by)
    priced = fare_for(organisation_id=vehicle.organisation_id, kind=vehicle.kind, at=at)
    expires_at = at + datetime.timedelta(minutes=priced.fare.hold_max_minutes)
    public_id = ids.uuid7()
    hold = hold_vehicle(
        vehicle_id=vehicle.pk,
        until=expires_at + rules.HOLD_MARGIN,
        purpose=HoldPurpose.RIDE,
        holder_ref=f"reservation:{public_id}",
        at=at,
        by=by,
    )
    return Reservation.objects.create(
        public_id=public_id,
        user_id=user_id,
        organisation_id=vehicle.organisation_id,
        vehicle=vehicle,
        hold=hold,
        tariff_version_id=priced.version_id,
        fare_terms=priced.fare.as_json(),
        reserved_at=at,
        expires_at=expires_at,
    )


def _expire(overdue: list[Reservation], *, at: datetime.datetime) -> int:
    with transaction.atomic():
        expired = move_many(overdue, to=ReservationState.EXPIRED, at=at, by=SWEEP, closed_at=at)
        # In one order, so that two sweeps never wait for each other in a circle.
        for reservation in sorted(expired, key=lambda row: row.hold_id):
            release_hold(hold_id=reservation.hold_id, at=at, by=SWEEP, reason="expired")
    return len(expired)


def _refuse_busy_or_hoarding(*, user_id: int, at: datetime.datetime, by: Principal) -> None:
    """One query over the person's recent reservations decides both."""
    lately = Q(state__in=UNUSED, reserved_at__gt=at - rules.HOUR)
    recent = list(Reservation.objects.filter(Q(state__in=ACTIVE) | lately, user_id=user_id))
    overdue = [
        row
        for row in recent
        if row.state == ReservationState.HELD
        and not rules.still_startable(expires_at=row.expires_at, at=at)
    ]
    if overdue:
        # The sweep has not come yet; its work must not stand in the person's way.
        _expire(overdue, at=at)
    for row in recent:
        if row.state in ACTIVE:
            raise AlreadyActive(extra={"reservation": str(row.public_id), "state": row.state})
    if rules.too_many_unused(sum(row.state in UNUSED for row in recent)):
        raise TooManyReservations(extra={"retry_after_s": int(rules.HOUR.total_seconds())})


def _refuse_unstartable(reservation: Reservation, *, at: datetime.datetime) -> None:
    if reservation.state == ReservationState.CONSUMED:
        raise ReservationInUse
    in_time = rules.still_startable(expires_at=reservation.expires_at, at=at)
    if reservation.state == ReservationState.EXPIRED or (
        reservation.state == ReservationState.HELD and not in_time
    ):
        raise ReservationExpired(extra={"offer": _offer_again(reservation, at=at)})
    if reservation.state != ReservationState.HELD:
        raise ReservationClosed


def _offer_again(reservation: Reservation, *, at: datetime.datetime) -> dict[str, Any]:
    """Whether the vehicle can be had again, and at today's price."""
    vehicle = Vehicle.objects.select_related("type").get(pk=reservation.vehicle_id)
    # Still held for this very person: reserving again first expires the old reservation.
    mine = reservation.state == ReservationState.HELD
    priced = fare_for(organisation_id=vehicle.organisation_id, kind=vehicle.kind, at=at)
    return {
        "vehicle": str(vehicle.public_id),
        "available": mine or vehicle.rental_state == RentalState.FREE,
        "quote": quote(fare=priced.fare),
    }
