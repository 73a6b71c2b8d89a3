"""The collector's round."""

import datetime

from bookings.payments.models import Payment, Refund
from bookings.payments.services.capture import capture_payment
from bookings.payments.services.refund import execute_refund
from bookings.payments.states import RefundState

LIMIT = 500


def collect_due(*, at: datetime.datetime) -> dict[str, int]:
    """Ask for every payment and refund whose next attempt has come; returns how many of each."""
    payments = list(Payment.objects.due_by(at).values_list("public_id", flat=True)[:LIMIT])
    for payment_id in payments:
        capture_payment(payment_id=payment_id, at=at)
    waiting = Refund.objects.filter(state=RefundState.REQUESTED, requested_at__lte=at)
    refunds = list(waiting.values_list("public_id", flat=True)[:LIMIT])
    for refund_id in refunds:
        execute_refund(refund_id=refund_id, at=at)
    return {"payments": len(payments), "refunds": len(refunds)}
