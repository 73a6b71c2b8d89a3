"""The collector's round."""

import datetime
import time
from collections.abc import Callable, Iterable

import structlog
from django.db import transaction

from bookings.payments.models import Payment, Refund
from bookings.payments.services.authorise import (
    COLLECTOR,
    SILENCE,
    release_promise,
    renew_promise,
    void_payment,
)
from bookings.payments.services.capture import take_money
from bookings.payments.services.fees import charge_ripe_fees
from bookings.payments.services.refund import give_back
from bookings.payments.states import PaymentState, RefundState
from mobility.core import locks
from mobility.core.errors import DomainError

log = structlog.get_logger(__name__)

LIMIT = 500
# For payments, and again for refunds: neither waits for the other's silent provider.
AT_MOST_S = 60.0


def collect_due(*, at: datetime.datetime) -> dict[str, int]:
    """Do all whose time has come, and return how many of each.

    1. Money that is to be taken or asked for again, promises that lapse soon, promises that
       nothing came of: all are payments with a next attempt, read in one query.
    2. Refunds, and fees that nobody disputed in time.

    A second collector at the same time finds the lock taken and leaves the round to the first. A
    round does not last long: what a silent provider leaves undone is first in the next one.
    """
    with locks.try_advisory("bookings.collector") as mine:
        return _collect(at=at) if mine else {"payments": 0, "refunds": 0, "fees": 0}


def _collect(*, at: datetime.datetime) -> dict[str, int]:
    payments = Payment.objects.due_by(at).with_method().order_by("next_attempt_at", "id")[:LIMIT]
    waiting = Refund.objects.filter(state=RefundState.REQUESTED, next_attempt_at__lte=at)
    waiting = waiting.select_related("payment__organisation", "payment__payer")
    return {
        "payments": _each(payments, _attend, at=at),
        "refunds": _each(waiting.order_by("next_attempt_at", "id")[:LIMIT], _give_back, at=at),
        "fees": charge_ripe_fees(at=at),
    }


def _each(
    rows: Iterable[Payment | Refund], deed: Callable[..., object], *, at: datetime.datetime
) -> int:
    """Do one after the other until there is none left or the time is up; returns how many."""
    done, over = 0, time.monotonic() + AT_MOST_S
    for row in rows:
        _try(deed, row, at=at)
        done += 1
        if time.monotonic() >= over:
            break
    return done


def _attend(payment: Payment, *, at: datetime.datetime) -> None:
    prepaid = payment.lines is not None
    if payment.state == PaymentState.AUTHORISED and not prepaid:
        renew_promise(payment=payment, at=at)
    elif payment.state == PaymentState.VOIDED:
        release_promise(payment=payment, at=at)
    elif payment.state in (PaymentState.OPENING, PaymentState.AUTHORISED):
        # Whoever began it is gone, and would begin anew.
        with transaction.atomic():
            void_payment(payment=payment, at=at, by=COLLECTOR, reason="abandoned")
    else:
        take_money(payment=payment, at=at)


def _give_back(refund: Refund, *, at: datetime.datetime) -> None:
    give_back(refund=refund, at=at)


def _try(deed: Callable[..., object], row: Payment | Refund, *, at: datetime.datetime) -> None:
    """One that cannot be collected must not keep the others waiting, and is tried again later."""
    about = str(row.public_id)
    try:
        deed(row, at=at)
    except DomainError as problem:
        log.warning("bookings.not_collected", code=problem.code, about=about)
    except Exception:
        # Not foreseen, so somebody has to look; the next in line waits no longer for that.
        log.exception("bookings.collecting_failed", about=about)
    else:
        return
    type(row)._default_manager.filter(pk=row.pk, next_attempt_at__lte=at).update(
        next_attempt_at=at + SILENCE
    )
