"""What a long ride may cost is promised hour by hour, by itself: a bank that takes its time keeps
nobody else waiting."""

import datetime
import time

import structlog
from django.db.models import QuerySet

from bookings.payments.services import raise_promise
from bookings.payments.states import PaymentState
from bookings.trips import rules
from bookings.trips.models import Trip
from bookings.trips.queries import price_lines
from mobility.core import locks
from mobility.core.errors import DomainError
from mobility.core.money import total_cents

log = structlog.get_logger(__name__)

# So long a round lasts at most; what a silent bank leaves undone has its turn in the next one.
AT_MOST_S = 30.0


def cover_rides(*, at: datetime.datetime) -> int:
    """Have what rides of an hour or more may cost in the next hour promised; returns how many.

    A vehicle is never stopped for a promise: who cannot have it raised rides on. Outside of any
    transaction; a second round at the same time leaves it to the first.
    """
    with locks.try_advisory("bookings.promises") as mine:
        return _cover_all(at=at) if mine else 0


def _cover_all(*, at: datetime.datetime) -> int:
    raised, over = 0, time.monotonic() + AT_MOST_S
    for trip in _long_rides(at):
        raised += _cover(trip, at=at)
        if time.monotonic() >= over:
            break
    return raised


def _long_rides(at: datetime.datetime) -> QuerySet[Trip]:
    """Those whose bank has said no are left out: the person was told, and it is not asked again
    every minute."""
    since = at - (rules.HORIZON - rules.HORIZON_LOW)
    return (
        Trip.objects.riding()
        .with_story()
        .filter(
            started_at__lte=since,
            payment__state=PaymentState.AUTHORISED,
            payment__uncovered_since=None,
        )
        .order_by("payment__authorised_cents", "started_at")
    )


def _cover(trip: Trip, *, at: datetime.datetime) -> bool:
    try:
        return _raise(trip, at=at)
    except DomainError as problem:
        log.warning("bookings.promise_not_raised", trip=str(trip.public_id), code=problem.code)
    except Exception:
        # Not foreseen, so somebody has to look; the others have their turn all the same.
        log.exception("bookings.promise_raising_failed", trip=str(trip.public_id))
    return False


def _raise(trip: Trip, *, at: datetime.datetime) -> bool:
    # Only rides with a promise are here; this narrows the type.
    assert trip.payment is not None
    cents = total_cents(price_lines(trip=trip, at=at + rules.HORIZON_LOW))
    if cents <= trip.payment.authorised_cents:
        return False
    raise_promise(payment_id=trip.payment.pk, cents=cents, at=at)
    return True
