"""Money that should have moved long ago."""

import datetime
from collections.abc import Iterator

from django.utils.translation import gettext as _

from bookings.payments.models import Anomaly, Payment, ProviderWebhook, Refund
from bookings.payments.reconciliation.services.anomalies import report_anomaly, resolve_anomaly
from bookings.payments.reconciliation.states import AnomalyKind, AnomalyState, WebhookState
from bookings.payments.states import PaymentState, RefundState
from mobility.core import audit
from mobility.core.models import AuditEntry
from mobility.core.principals import system_principal

WATCHMAN = system_principal("reconciliation")
# A provider that has not answered for so long will not do so by itself.
LONGEST = datetime.timedelta(hours=24)
# Nobody waits at the kerb for longer.
LONGEST_OPENING = datetime.timedelta(hours=1)
LIMIT = 1000

Subject = tuple[str, str, Payment | None, Refund | None, int]


def report_stuck(*, at: datetime.datetime) -> int:
    """Report payments, refunds and webhooks that wait for too long; resolve what moved on.

    Returns how many are stuck now.
    """
    stuck = set()
    for subject, provider, payment, refund, cents in _waiting(at):
        stuck.add(subject)
        report_anomaly(
            kind=AnomalyKind.STUCK,
            subject=subject,
            provider=provider,
            payment=payment,
            refund=refund,
            booked_cents=cents,
            at=at,
        )
    for anomaly in Anomaly.objects.filter(kind=AnomalyKind.STUCK, state=AnomalyState.OPEN):
        if anomaly.subject not in stuck:
            resolve_anomaly(anomaly=anomaly, note=_("It has moved on."), at=at, by=WATCHMAN)
    return len(stuck)


def _waiting(at: datetime.datetime) -> Iterator[Subject]:
    for payment in _payments(at):
        subject = f"payment:{payment.public_id}"
        yield subject, payment.provider, payment, None, payment.amount_cents
    refunds = Refund.objects.select_related("payment").filter(
        state=RefundState.REQUESTED, requested_at__lt=at - LONGEST
    )
    for refund in refunds[:LIMIT]:
        subject = f"refund:{refund.public_id}"
        yield subject, refund.payment.provider, refund.payment, refund, -refund.cents
    unheard = ProviderWebhook.objects.filter(
        state=WebhookState.RECEIVED, received_at__lt=at - LONGEST_OPENING
    )
    for webhook in unheard[:LIMIT]:
        yield f"event:{webhook.pk}", webhook.provider, None, None, webhook.cents


def _payments(at: datetime.datetime) -> Iterator[Payment]:
    opening = Payment.objects.filter(
        state=PaymentState.OPENING, created_at__lt=at - LONGEST_OPENING
    )
    yield from opening[:LIMIT]
    asked = Payment.objects.filter(state=PaymentState.CAPTURING, created_at__lt=at - LONGEST)
    for payment in asked[:LIMIT]:
        # A ride of three days ends with a payment that is old and has only just been asked for.
        moved = AuditEntry.objects.filter(row=audit.row_name(payment), at__gte=at - LONGEST)
        if not moved.exists():
            yield payment
