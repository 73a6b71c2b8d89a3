"""The collector's round."""

import datetime
from collections.abc import Callable
from typing import Any

import structlog

from bookings.payments.models import Payment, Refund
from bookings.payments.services.capture import capture_payment
from bookings.payments.services.refund import execute_refund
from bookings.payments.states import RefundState
from mobility.core import locks
from mobility.core.errors import DomainError

log = structlog.get_logger(__name__)

LIMIT = 500


def collect_due(*, at: datetime.datetime) -> dict[str, int]:
    """Ask for every payment and refund whose next attempt has come; returns how many of each.

    A second collector at the same time finds the lock taken and leaves the round to the first.
    """
    with locks.try_advisory("bookings.collector") as mine:
        return _collect(at=at) if mine else {"payments": 0, "refunds": 0}


def _collect(*, at: datetime.datetime) -> dict[str, int]:
    payments = list(Payment.objects.due_by(at).values_list("public_id", flat=True)[:LIMIT])
    for payment_id in payments:
        _try(capture_payment, payment_id=payment_id, at=at)
    waiting = Refund.objects.filter(state=RefundState.REQUESTED, requested_at__lte=at)
    refunds = list(waiting.values_list("public_id", flat=True)[:LIMIT])
    for refund_id in refunds:
        _try(execute_refund, refund_id=refund_id, at=at)
    return {"payments": len(payments), "refunds": len(refunds)}


def _try(deed: Callable[..., object], **terms: Any) -> None:
    """One that cannot be collected must not keep the others waiting."""
    try:
        deed(**terms)
    except DomainError as problem:
        log.warning("bookings.not_collected", code=problem.code, **terms)
    except Exception:
        # Not foreseen, so somebody has to look; the next in line waits no longer for that.
        log.exception("bookings.collecting_failed", **terms)
