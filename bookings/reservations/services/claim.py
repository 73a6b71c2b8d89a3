"""Turning a reservation, a booking or a free vehicle into a ride, and what the ride does to them.

DomainError
├── NotFound  ReservationNotFound
└── Gone      ReservationExpired   with an offer to take the vehicle again
"""

import datetime
import uuid
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, QuerySet
from django.utils.translation import gettext_lazy as _

from bookings.passes.queries import perks_of
from bookings.pricing.queries import fare_for, quote
from bookings.pricing.rules import rewards_in
from bookings.reservations import rules
from bookings.reservations.models import Reservation
from bookings.reservations.queries import with_vehicle
from bookings.reservations.services.close import ReservationClosed, ReservationInUse
from bookings.reservations.services.reserve import take
from bookings.reservations.services.ride import (
    claim_booking,
    finish_booking,
    own_open_booking,
    restore_booking,
)
from bookings.reservations.services.tend import make_room
from bookings.reservations.states import ReservationState
from bookings.riders.queries import changed_since
from bookings.riders.services.access import refuse_unfit
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import extend_as_far
from fleet.vehicles.states import RentalState
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.errors import Gone, NotFound
from mobility.core.prepared import prepared
from mobility.core.principals import Principal
from mobility.core.transitions import LostRace, move


class ReservationNotFound(NotFound):
    """No such reservation of this person."""

    code = "reservation_not_found"
    message = _("We could not find this reservation.")


class ReservationExpired(Gone):
    """Its time is over; `extra["offer"]` says whether and at what price it can be had again."""

    code = "reservation_expired"
    message = _("Your reservation has expired. You can reserve the vehicle again if it is free.")


def claim_for_ride(
    *,
    user: User,
    at: datetime.datetime,
    by: Principal,
    reservation_id: uuid.UUID | None = None,
    booking_id: uuid.UUID | None = None,
    vehicle: Vehicle | None = None,
) -> Reservation:
    """What a ride stands on: `consumed`, with the vehicle held, the fare and the perks frozen.

    One of the three is given: a reservation, a booking whose window is open, or a vehicle, which
    may be the person's own reserved or booked one. Raises what reserving and booking raise, `ReservationNotFound`,
    `ReservationExpired` (with an offer), `ReservationInUse`, `ReservationClosed`, `AccessRefused`.
    """
    with transaction.atomic(savepoint=False):
        held = _held(user, reservation_id=reservation_id, vehicle=vehicle, at=at)
        if held is None and vehicle is not None and vehicle.kind in rules.BOOKABLE:
            booking_id = own_open_booking(user=user, vehicle=vehicle, at=at)
        if held is None and booking_id is not None:
            return claim_booking(public_id=booking_id, user=user, at=at, by=by, perks=_perks)
        if held is not None:
            return _consume(held, perks=_perks(user.pk, held.vehicle, at=at), at=at, by=by)
        if vehicle is None:
            raise ReservationNotFound
        return take(
            vehicle=vehicle,
            user_id=user.pk,
            state=ReservationState.CONSUMED,
            perks=_perks(user.pk, vehicle, at=at),
            at=at,
            by=by,
        )


def consume_reservation(
    *, public_id: uuid.UUID, user_id: int, at: datetime.datetime, by: Principal
) -> Reservation:
    """Turn a person's reservation into a ride; how long it holds the vehicle is the ride's to say.

    At the edge of its time the start wins over the expiry. Raises `ReservationNotFound`,
    `ReservationExpired` (with an offer), `ReservationInUse`, `ReservationClosed`.
    """
    with transaction.atomic(savepoint=False):
        found = _own.first(user_id=user_id, public_id=public_id, today=clock.service_day(at))
        if found is None:
            raise ReservationNotFound
        perks = _perks(user_id, found.vehicle, at=at)
        return _consume(found, perks=perks, at=at, by=by)


def complete_reservation(
    *,
    reservation: Reservation,
    at: datetime.datetime,
    by: Principal,
    ridden: bool = True,
    reason: str = "start_failed",
    returned_at: datetime.datetime | None = None,
) -> None:
    """The ride on it is over; the person is free for the next vehicle.

    Whether a booking's car came back late is judged by `returned_at`, the moment at which the meter
    stood, however long the lock takes. `ridden` is False when it never began, for a `reason`: a booking behind it waits again then, for
    another car if this one is to blame.
    """
    move(reservation, to=ReservationState.COMPLETED, at=at, by=by, closed_at=at)
    if reservation.booking_id is None:
        return
    if ridden:
        finish_booking(reservation.booking_id, returned_at=returned_at or at, at=at, by=by)
    else:
        restore_booking(reservation.booking_id, reason=reason, at=at, by=by)


def extend_ride_hold(
    *, reservation: Reservation, until: datetime.datetime, at: datetime.datetime, by: Principal
) -> datetime.datetime:
    """Hold a ridden vehicle towards `until`; returns until when it really is.

    A ride never loses its vehicle: a booking ahead that it is about to meet is moved to another
    car, and if there is none its rider is told and may cancel free. One's own booking holds the car
    as long as it lasts. Raises `HoldNotFound`, `HoldOver`.
    """
    if reservation.booking_id is not None and at < reservation.expires_at:
        return reservation.hold.until
    make_room(vehicle_id=reservation.vehicle_id, until=until, at=at)
    return extend_as_far(hold_id=reservation.hold_id, until=until, at=at, by=by)


def _held(
    user: User,
    *,
    reservation_id: uuid.UUID | None,
    vehicle: Vehicle | None,
    at: datetime.datetime,
) -> Reservation | None:
    """The reservation meant: who taps "unlock" on the vehicle they have reserved means that one."""
    if reservation_id is not None:
        found = _own.first(user_id=user.pk, public_id=reservation_id, today=clock.service_day(at))
        if found is None:
            raise ReservationNotFound
        return found
    if vehicle is None:
        return None
    return _own_hold.first(user_id=user.pk, vehicle_id=vehicle.pk, today=clock.service_day(at))


@prepared
def _own(*, user_id: int, public_id: uuid.UUID, today: datetime.date) -> QuerySet[Reservation]:
    mine = Reservation.objects.filter(user=user_id, public_id=public_id)
    return _judged(_alone(with_vehicle(mine)), today=today)


@prepared
def _own_hold(*, user_id: int, vehicle_id: int, today: datetime.date) -> QuerySet[Reservation]:
    held = Reservation.objects.filter(vehicle=vehicle_id, state=ReservationState.HELD)
    return _judged(_alone(with_vehicle(held.filter(user=user_id))), today=today)[:1]


def _alone(mine: QuerySet[Reservation]) -> QuerySet[Reservation]:
    """Locked: a reward that is promised for it at this moment is among its perks, or refused."""
    return mine.select_for_update(of=("self",))


def _judged(mine: QuerySet[Reservation], *, today: datetime.date) -> QuerySet[Reservation]:
    """With `in_doubt`: whether anything has happened to who may ride since it was reserved."""
    doubt = changed_since(user="user", since="reserved_at", today=today)
    return mine.annotate(in_doubt=ExpressionWrapper(doubt, output_field=BooleanField()))


def _consume(
    reservation: Reservation, *, perks: list[Any], at: datetime.datetime, by: Principal
) -> Reservation:
    """Who may ride was judged when it was reserved; it is asked again if anything has happened since."""
    _refuse_unstartable(reservation, at=at)
    if getattr(reservation, "in_doubt", True):
        refuse_unfit(
            user_id=reservation.user_id,
            organisation_id=reservation.organisation_id,
            kind=reservation.vehicle.kind,
            type_code=reservation.vehicle.type.code,
            at=at,
        )
    try:
        kept = [*perks, *rewards_in(reservation.perks)]
        move(reservation, to=ReservationState.CONSUMED, at=at, by=by, perks=kept)
    except LostRace:
        reservation.refresh_from_db(fields=["state"])
        _refuse_unstartable(reservation, at=at)
        raise
    return reservation


def _perks(user_id: int, vehicle: Vehicle, *, at: datetime.datetime) -> list[Any]:
    """What the person has to their credit now, frozen with the ride."""
    found = perks_of(
        user_id=user_id, organisation_id=vehicle.organisation_id, kind=vehicle.kind, at=at
    )
    return [perk.as_json() for perk in found]


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
