"""Starting a trip: money promised, vehicle told to unlock, and then waiting for its word.

DomainError
└── Conflict  TripUnderway, StartGivenUp, NoPaymentToConfirm
"""

import datetime
import uuid
from functools import partial

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.services import (
    PaymentActionRequired,
    authorise_opened,
    open_payment,
    void_payment,
)
from bookings.payments.states import Purpose
from bookings.pricing.rules import SegmentKind, ZoneWhen
from bookings.reservations.models import Reservation
from bookings.reservations.services import (
    AlreadyActive,
    ReservationInUse,
    claim_for_ride,
    complete_reservation,
)
from bookings.trips import rules
from bookings.trips.events import TripStarted, TripStartFailed
from bookings.trips.models import Trip
from bookings.trips.queries import zone_marks
from bookings.trips.services.orders import KEEPER, order, trip_ref
from bookings.trips.states import ACTIVE, Step, TripState
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import mark_trip
from fleet.vehicles.states import TripMark
from mobility.accounts.models import User
from mobility.core import ids, outbox
from mobility.core.errors import Conflict, DomainError
from mobility.core.prepared import insert
from mobility.core.principals import Principal
from mobility.core.transitions import LostRace, move

_FIRST_COMMAND = """
UPDATE bookings_trip SET commands = 1, waiting_since = %s
WHERE id = %s AND state = 'starting' AND commands = 0
"""


class TripUnderway(Conflict):
    """The person rides already; `extra["trip"]` says on which trip."""

    code = "trip_underway"
    message = _("Your trip has begun already.")


class StartGivenUp(Conflict):
    """The trip was called off, or given up, while the bank was asked."""

    code = "start_given_up"
    message = _("This start was called off; nothing is charged. Start again if you like.")


class NoPaymentToConfirm(Conflict):
    """The trip does not wait for its rider's bank."""

    code = "no_payment_to_confirm"
    message = _("This trip does not wait for a payment to be confirmed.")


def start_trip(
    *,
    user: User,
    at: datetime.datetime,
    reservation_id: uuid.UUID | None = None,
    booking_id: uuid.UUID | None = None,
    vehicle: Vehicle | None = None,
) -> Trip:
    """Start a trip on the person's reservation or booking, or at once on a free `vehicle`.

    1. Take what was reserved, or the vehicle, at the price of its moment; it is held for two hours
       ahead from now on. The trip is `starting`, its payment opened; this commits.
    2. Outside of any transaction have the pre-authorisation promised. A refusal fails the start:
       nothing is charged, the vehicle is free.
    3. In the transaction that books the promise tell the vehicle to unlock, within 20
       seconds, unless the start was given up meanwhile.

    The trip stays `starting` until the vehicle answers; whatever gets lost between the steps is
    healed by the sweep within a minute. Raises what reservations, payments and the fleet raise,
    `StartGivenUp`, and `TripUnderway` if the person rides already.
    """
    try:
        with transaction.atomic():
            trip = _claim(
                user=user, reservation_id=reservation_id, booking_id=booking_id, vehicle=vehicle, at=at
            )  # fmt: skip
    except (AlreadyActive, ReservationInUse) as problem:
        underway = Trip.objects.filter(user=user, state__in=ACTIVE).order_by("-id").first()
        if underway is None:
            raise
        raise TripUnderway(extra={"trip": str(underway.public_id)}) from problem
    return _promise_and_unlock(trip, at=at)


def confirm_payment(*, trip: Trip, at: datetime.datetime) -> Trip:
    """Go on with a start whose rider had to confirm the payment with their bank.

    Asked twice it unlocks once. Raises what `start_trip` raises after its first step, and
    `NoPaymentToConfirm`.
    """
    if trip.state != TripState.STARTING:
        raise NoPaymentToConfirm
    return trip if trip.commands else _promise_and_unlock(trip, at=at)


def _promise_and_unlock(trip: Trip, *, at: datetime.datetime) -> Trip:
    # Opened together with the trip; this narrows the type.
    assert trip.payment is not None
    try:
        unlock = partial(_unlock, trip, at=at)
        trip.payment = authorise_opened(payment=trip.payment, along=unlock, at=at)
    except PaymentActionRequired as problem:
        # The sweep gives people at their bank more time than a vehicle.
        patient = Trip.objects.filter(pk=trip.pk, state=TripState.STARTING)
        patient.update(waiting_since=at + rules.BANK_PATIENCE)
        problem.extra["trip"] = str(trip.public_id)
        raise
    except LostRace as problem:
        raise StartGivenUp from problem
    except StartGivenUp:
        raise
    except DomainError as refusal:
        _give_up(trip, failure=refusal.code, at=at)
        refusal.extra.setdefault("trip", str(trip.public_id))
        raise
    return trip


def _give_up(trip: Trip, *, failure: str, at: datetime.datetime) -> None:
    try:
        with transaction.atomic():
            fail_start(trip=trip, failure=failure, at=at, by=trip.user.principal)
    except LostRace as problem:
        raise StartGivenUp from problem


def _unlock(trip: Trip, *, at: datetime.datetime) -> None:
    """Whoever still finds the trip waiting for its first command gives it; the row's lock decides."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_COMMAND, [at, trip.pk])
        first = cursor.rowcount == 1
    if not first:
        trip.refresh_from_db(fields=["state", "commands"])
        if trip.state == TripState.START_FAILED:
            raise StartGivenUp
        return
    by = trip.user.principal
    order(trip, Step.START, number=1, ttl_s=rules.UNLOCK_TTL_S, at=at, by=by)
    # Not before: a start that fails here has given no command that would have to be undone.
    trip.commands, trip.waiting_since = 1, at


def confirm_start(*, trip: Trip, at: datetime.datetime, late: bool = False) -> None:
    """The vehicle is unlocked: the meter runs from this moment."""
    move(
        trip,
        to=TripState.RUNNING,
        at=at,
        by=KEEPER,
        started_at=at,
        waiting_since=None,
        stretches=rules.begin(SegmentKind.RUNNING, at=at),
        tells=[
            TripStarted(
                trip_id=str(trip.public_id),
                vehicle_id=trip.vehicle_id,
                user_principal=trip.user.principal,
                started_at=at,
                late=late,
            )
        ],
    )
    _mark(trip, TripMark.RUNNING, at=at, by=KEEPER)


def fail_start(*, trip: Trip, failure: str, at: datetime.datetime, by: Principal) -> None:
    """The trip never began: nothing is charged, the vehicle is given back and told to lock.

    The lock carries a higher number than the unlock, so that a vehicle that hears the unlock late
    does not obey it, and one that unlocked unheard locks again. One that was never told to unlock
    is left in peace.
    """
    unlocking, number = trip.commands > 0, trip.commands + 1
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
    if unlocking:
        order(trip, Step.UNDO, number=number, ttl_s=rules.LOCK_TTL_S, at=at, by=by)
    _mark(trip, TripMark.START_FAILED, at=at, by=by)
    complete_reservation(reservation=trip.reservation, at=at, by=by, ridden=False, reason=failure)
    if trip.payment is not None:
        void_payment(payment=trip.payment, at=at, by=by)
    outbox.publish(
        TripStartFailed(
            trip_id=str(trip.public_id),
            vehicle_id=trip.vehicle_id,
            user_principal=trip.user.principal,
            failure=failure,
            at=at,
        ),
        at=at,
    )


def _claim(
    *,
    user: User,
    reservation_id: uuid.UUID | None,
    booking_id: uuid.UUID | None,
    vehicle: Vehicle | None,
    at: datetime.datetime,
) -> Trip:
    by = user.principal
    reservation = claim_for_ride(
        user=user, reservation_id=reservation_id, booking_id=booking_id, vehicle=vehicle, at=at, by=by
    )  # fmt: skip
    trip = draft_trip(user=user, reservation=reservation, at=at)
    trip.payment = open_payment(
        payer_id=user.pk,
        organisation_id=trip.organisation_id,
        purpose=Purpose.TRIP,
        purpose_ref=trip.public_id,
        cents=reservation.fare.preauth_cents,
        currency=reservation.fare.currency,
        vat_rates=[reservation.fare.vat_rate],
        at=at,
    )
    insert(trip)
    _mark(trip, TripMark.STARTING, until=at + rules.HORIZON, at=at, by=by)
    return trip


def draft_trip(*, user: User, reservation: Reservation, at: datetime.datetime) -> Trip:
    """A trip on a claimed reservation, with where its vehicle stands; not yet saved."""
    latest = getattr(reservation.vehicle, "latest", None)
    trip = Trip(
        public_id=ids.uuid7(),
        user=user,
        organisation_id=reservation.organisation_id,
        vehicle=reservation.vehicle,
        reservation=reservation,
        requested_at=at,
        waiting_since=at,
        start_lon=latest.lon if latest else None,
        start_lat=latest.lat if latest else None,
    )
    if latest and reservation.fare.zone_fees:
        trip.zones = zone_marks(
            trip=trip, when=ZoneWhen.START, lon=latest.lon, lat=latest.lat, at=at
        )
    return trip


def _mark(
    trip: Trip,
    mark: TripMark,
    *,
    at: datetime.datetime,
    by: Principal,
    until: datetime.datetime | None = None,
) -> None:
    mark_trip(
        hold_id=trip.reservation.hold_id,
        mark=mark,
        trip_ref=trip_ref(trip),
        until=until,
        at=at,
        by=by,
    )
