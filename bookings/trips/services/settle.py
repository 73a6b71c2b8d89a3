"""After the ride: the final price, the receipt, the money."""

import datetime
import uuid
from collections.abc import Sequence

import structlog
from django.db import transaction
from django.db.models import QuerySet

from bookings.passes.services import use_perks
from bookings.payments.models import Payment
from bookings.payments.services import charge_directly, charge_payment, refund_by_rule
from bookings.payments.states import Purpose, Situation
from bookings.trips.events import TripPriced, TripUnpriced
from bookings.trips.models import Trip
from bookings.trips.queries import price_terms, waived
from bookings.trips.services.orders import KEEPER, trip_ref
from bookings.trips.states import EndReason, TripState, Waiver
from fleet.telematics.services import record_track
from mobility.core import outbox
from mobility.core.money import PriceLine, total_cents
from mobility.core.prepared import prepared
from mobility.core.transitions import move

log = structlog.get_logger(__name__)

# What the organisation's rules of goodwill call the ends that were not the rider's fault.
GOODWILL: dict[str, Situation] = {
    EndReason.OUTAGE: Situation.OUTAGE,
    EndReason.BATTERY_DEAD: Situation.BATTERY_DIED,
}


def perks_ref(trip: Trip) -> str:
    """The name under which a trip uses up perks."""
    return f"trip:{trip.public_id}"


def price_at_once(*, trip: Trip, at: datetime.datetime) -> None:
    """Price a trip (loaded with its story) in the transaction in which it ends.

    A price that cannot be found now must not keep the rider on the trip: it is taken back, and the
    trip told as waiting for one (`TripUnpriced`), to be tried again and again.
    """
    try:
        with transaction.atomic():
            _price(trip, at=at)
    except Exception:
        log.exception("bookings.trip_not_priced", trip=str(trip.public_id))
        trip.refresh_from_db()
        outbox.publish(TripUnpriced(trip_id=str(trip.public_id)), at=at)


def price_ended_trip(*, trip_id: uuid.UUID, at: datetime.datetime) -> Trip | None:
    """Price a trip that ended without its price; one that is not waiting for it is left alone."""
    trip = _with_story.first(public_id=trip_id)
    if trip is None or trip.state != TripState.ENDED:
        return None
    _price(trip, at=at)
    return trip


def _price(trip: Trip, *, at: datetime.datetime) -> None:
    """Price an ended trip by the fare it was quoted, hand out its receipt and ask for the money.

    Everything in one transaction: there is no price without ledger rows and no ledger row without
    the receipt.
    """
    with transaction.atomic(savepoint=False):
        distance_m = _distance_m(trip, at=at)
        lines = _final_lines(trip, at=at, distance_m=distance_m)
        total = total_cents(lines)
        move(
            trip,
            to=TripState.PRICED,
            at=at,
            by=KEEPER,
            waiting_since=None,
            distance_m=distance_m,
            price_cents=total,
            tells=[
                TripPriced(
                    trip_id=str(trip.public_id),
                    vehicle_id=trip.vehicle_id,
                    user_principal=trip.user.principal,
                    price_cents=total,
                    currency=trip.reservation.fare.currency,
                    distance_m=distance_m,
                )
            ],
        )
        payment = _charge(trip, lines, at=at)
        if trip.end_reason in GOODWILL:
            refund_by_rule(payment_id=payment.pk, situation=GOODWILL[trip.end_reason], at=at)
        if total == 0:
            move(trip, to=TripState.SETTLED, at=at, by=KEEPER, reason="nothing_due")


def note_payment_captured(*, trip_id: uuid.UUID, at: datetime.datetime) -> None:
    """The money came: the trip is settled."""
    _move_on(trip_id, to=TripState.SETTLED, at=at)


def note_payment_failed(*, trip_id: uuid.UUID, at: datetime.datetime) -> None:
    """The card refused: the trip waits for its money."""
    _move_on(trip_id, to=TripState.PAYMENT_DUE, at=at)


def note_payment_written_off(*, trip_id: uuid.UUID, at: datetime.datetime) -> None:
    """Staff gave up on the money."""
    _move_on(trip_id, to=TripState.WRITTEN_OFF, at=at)


def _final_lines(trip: Trip, *, at: datetime.datetime, distance_m: int) -> tuple[PriceLine, ...]:
    """The price, with what the ride uses up of passes and codes; a waived ride uses nothing."""
    if trip.started_at is None or trip.waiver == Waiver.ALL:
        return ()
    lines = use_perks(
        user_id=trip.user_id,
        organisation_id=trip.organisation_id,
        ref=perks_ref(trip),
        fare=trip.reservation.fare,
        at=at,
        **price_terms(trip=trip, at=at, distance_m=distance_m),
    )
    return waived(lines, waiver=trip.waiver)


def _charge(trip: Trip, lines: Sequence[PriceLine], *, at: datetime.datetime) -> Payment:
    """What was promised is collected; a ride that began without a promise is charged as it is."""
    if trip.payment is not None:
        charge_payment(payment=trip.payment, lines=lines, at=at, by=KEEPER)
        return trip.payment
    trip.payment = charge_directly(
        payer_id=trip.user_id,
        organisation_id=trip.organisation_id,
        purpose=Purpose.TRIP,
        purpose_ref=trip.public_id,
        lines=lines,
        currency=trip.reservation.fare.currency,
        at=at,
        by=KEEPER,
    )
    Trip.objects.filter(pk=trip.pk).update(payment=trip.payment)
    return trip.payment


def _move_on(trip_id: uuid.UUID, *, to: TripState, at: datetime.datetime) -> None:
    """Follow the payment; facts that come late or out of order change nothing any more."""
    waiting = {TripState.PRICED, TripState.PAYMENT_DUE} - {to}
    with transaction.atomic(savepoint=False):
        trip = _by_id.first(public_id=trip_id)
        if trip is not None and trip.state in waiting:
            move(trip, to=to, at=at, by=KEEPER)


def _distance_m(trip: Trip, *, at: datetime.datetime) -> int:
    """How far the trip went by the points that are stored by now; its track is kept with that."""
    if trip.started_at is None or trip.ended_at is None:
        return 0
    track = record_track(
        trip_ref=trip_ref(trip),
        vehicle_id=trip.vehicle_id,
        started_at=trip.started_at,
        ended_at=trip.ended_at,
        at=at,
    )
    return track.distance_m


@prepared
def _with_story(*, public_id: uuid.UUID) -> "QuerySet[Trip]":
    return Trip.objects.with_story().filter(public_id=public_id)


@prepared
def _by_id(*, public_id: uuid.UUID) -> "QuerySet[Trip]":
    return Trip.objects.filter(public_id=public_id)
