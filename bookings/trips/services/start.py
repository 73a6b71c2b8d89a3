"""Starting a trip: money promised, vehicle told to unlock, and then waiting for its word."""

import datetime
import uuid

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.services import authorise_payment, void_payment
from bookings.payments.states import Purpose
from bookings.pricing.rules import SegmentKind
from bookings.reservations.models import Reservation
from bookings.reservations.services import (
    AlreadyActive,
    ReservationInUse,
    complete_reservation,
    consume_reservation,
    reserve_vehicle,
)
from bookings.trips import rules
from bookings.trips.events import TripStarted
from bookings.trips.models import Trip
from bookings.trips.services.orders import KEEPER, order, trip_ref
from bookings.trips.states import ACTIVE, Step, TripState
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import mark_trip
from fleet.vehicles.states import TripMark
from mobility.accounts.models import User
from mobility.core import ids, outbox
from mobility.core.errors import Conflict
from mobility.core.principals import Principal
from mobility.core.transitions import move


class TripUnderway(Conflict):
    """The person rides already; `extra["trip"]` says on which trip."""

    code = "trip_underway"
    message = _("Your trip has begun already.")


def start_trip(
    *,
    user: User,
    at: datetime.datetime,
    reservation_id: uuid.UUID | None = None,
    vehicle: Vehicle | None = None,
) -> Trip:
    """Start a trip on the person's reservation, or at once on a free `vehicle`.

    1. Take the reservation, or make one, at the price of its moment; the vehicle is held for two
       hours ahead from now on.
    2. Have the pre-authorisation promised on the person's card.
    3. Tell the vehicle to unlock, within 20 seconds.

    The trip is `starting` until the vehicle answers. Raises what reservations, payments and the
    fleet raise, and `TripUnderway` if the person rides already; then nothing is left behind.
    """
    try:
        with transaction.atomic():
            return _start(user=user, reservation_id=reservation_id, vehicle=vehicle, at=at)
    except (AlreadyActive, ReservationInUse) as problem:
        underway = Trip.objects.filter(user=user, state__in=ACTIVE).first()
        if underway is None:
            raise
        raise TripUnderway(extra={"trip": str(underway.public_id)}) from problem


def confirm_start(*, trip: Trip, at: datetime.datetime) -> None:
    """The vehicle is unlocked: the meter runs from this moment."""
    move(
        trip,
        to=TripState.RUNNING,
        at=at,
        by=KEEPER,
        started_at=at,
        waiting_since=None,
        stretches=rules.begin(SegmentKind.RUNNING, at=at),
    )
    _mark(trip, TripMark.RUNNING, at=at, by=KEEPER)
    outbox.publish(
        TripStarted(
            trip_id=str(trip.public_id),
            vehicle_id=trip.vehicle_id,
            user_principal=trip.user.principal,
            started_at=at,
        ),
        at=at,
    )


def fail_start(*, trip: Trip, failure: str, at: datetime.datetime, by: Principal) -> None:
    """The trip never began: nothing is charged, the vehicle is given back and told to lock.

    The lock carries a higher number than the unlock, so that a vehicle that hears the unlock late
    does not obey it, and one that unlocked unheard locks again.
    """
    number = trip.commands + 1
    move(
        trip,
        to=TripState.START_FAILED,
        at=at,
        by=by,
        reason=failure,
        failure=failure,
        waiting_since=None,
        commands=number,
    )
    order(trip, Step.UNDO, number=number, ttl_s=rules.LOCK_TTL_S, at=at, by=by)
    _mark(trip, TripMark.START_FAILED, at=at, by=by)
    complete_reservation(reservation=trip.reservation, at=at, by=by)
    if trip.payment is not None:
        void_payment(payment=trip.payment, at=at, by=by)


def _start(
    *,
    user: User,
    reservation_id: uuid.UUID | None,
    vehicle: Vehicle | None,
    at: datetime.datetime,
) -> Trip:
    by = user.principal
    reservation = _claim(user=user, reservation_id=reservation_id, vehicle=vehicle, at=at, by=by)
    trip = Trip(
        public_id=ids.uuid7(),
        user=user,
        organisation_id=reservation.organisation_id,
        vehicle=reservation.vehicle,
        reservation=reservation,
        requested_at=at,
        waiting_since=at,
        commands=1,
    )
    trip.payment = authorise_payment(
        payer_id=user.pk,
        organisation_id=trip.organisation_id,
        purpose=Purpose.TRIP,
        purpose_ref=trip.public_id,
        cents=reservation.fare.preauth_cents,
        currency=reservation.fare.currency,
        at=at,
    )
    trip.save(force_insert=True)
    mark_trip(
        hold_id=reservation.hold_id,
        mark=TripMark.STARTING,
        trip_ref=trip_ref(trip),
        until=at + rules.HORIZON,
        at=at,
        by=by,
    )
    order(trip, Step.START, number=1, ttl_s=rules.UNLOCK_TTL_S, at=at, by=by)
    return trip


def _claim(
    *,
    user: User,
    reservation_id: uuid.UUID | None,
    vehicle: Vehicle | None,
    at: datetime.datetime,
    by: Principal,
) -> Reservation:
    if reservation_id is None:
        # The caller gives one of the two; this narrows the type.
        assert vehicle is not None
        reservation_id = _own_reservation(user, vehicle)
        if reservation_id is None:
            made = reserve_vehicle(vehicle=vehicle, user_id=user.pk, at=at, by=by)
            reservation_id = made.public_id
    return consume_reservation(public_id=reservation_id, user_id=user.pk, at=at, by=by)


def _own_reservation(user: User, vehicle: Vehicle) -> uuid.UUID | None:
    """Who taps "unlock" on the vehicle they have reserved means that reservation."""
    held = Reservation.objects.filter(user=user, vehicle=vehicle, state="held")
    return held.values_list("public_id", flat=True).first()


def _mark(trip: Trip, mark: TripMark, *, at: datetime.datetime, by: Principal) -> None:
    mark_trip(hold_id=trip.reservation.hold_id, mark=mark, trip_ref=trip_ref(trip), at=at, by=by)
