"""Webhooks: kept once, answered at once, heard later and in any order.

A webhook moves no money in our books. It makes the collector ask the provider again with the key
of the deed, so that one told twice, late or out of order changes nothing: what is booked is always
the provider's own answer.
"""

import datetime
from collections.abc import Mapping

import structlog
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import LocalNotice, Payment, ProviderWebhook, Refund
from bookings.payments.providers import PaymentsNotSetUp, provider_named
from bookings.payments.providers.wire import EventKind, WebhookRefused
from bookings.payments.reconciliation.rules import Named, read_key
from bookings.payments.reconciliation.services import report_anomaly
from bookings.payments.reconciliation.states import AnomalyKind, WebhookState
from bookings.payments.states import PaymentState
from mobility.core import jobs, locks
from mobility.core.errors import Invalid, NotFound
from mobility.core.principals import system_principal
from mobility.core.transitions import LostRace, move

log = structlog.get_logger(__name__)

LISTENER = system_principal("payment-webhooks")
# So long an event may come before its payment is booked here.
PATIENCE = datetime.timedelta(hours=1)
KEPT = datetime.timedelta(days=90)
LIMIT = 500

_MOVED_MONEY = frozenset({EventKind.CAPTURED, EventKind.REFUNDED})

_KEEP = """
    INSERT INTO bookings_providerwebhook
        (provider, event_id, kind, wire_type, reference, key, cents, currency,
         happened_at, received_at, deliveries, state)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s)
    ON CONFLICT (provider, event_id)
    DO UPDATE SET deliveries = bookings_providerwebhook.deliveries + 1
    RETURNING id, deliveries
"""


class NoSuchProvider(NotFound):
    """Nobody of this name serves here."""

    code = "no_such_provider"


class WebhookNotGenuine(Invalid):
    """The signature is not the provider's, or the body cannot be read."""

    code = "webhook_refused"
    status = 400
    message = _("This message does not bear the signature of the payment provider.")


def keep_webhook(
    *, provider: str, headers: Mapping[str, str], body: bytes, at: datetime.datetime
) -> bool:
    """Verify and keep a delivery; whether it was the first of its event.

    Raises `NoSuchProvider` and `WebhookNotGenuine`; nothing unsigned is ever stored.
    """
    try:
        event = provider_named(provider).parse_webhook(headers=headers, body=body, at=at)
    except PaymentsNotSetUp as problem:
        raise NoSuchProvider from problem
    except WebhookRefused as problem:
        raise WebhookNotGenuine from problem
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _KEEP,
            [
                provider, event.event_id, event.kind, event.wire_type, event.reference, event.key,
                event.cents, event.currency, event.at, at, WebhookState.RECEIVED,
            ],
        )  # fmt: skip
        webhook_id, deliveries = cursor.fetchone()
        if deliveries == 1:
            jobs.enqueue("bookings.payments.hear_webhook", webhook_id=webhook_id)
    return bool(deliveries == 1)


def hear_open_webhooks(*, at: datetime.datetime) -> int:
    """Hear what was kept and not heard, or belonged to nothing yet; returns how many were taken."""
    with locks.try_advisory("bookings.payments.webhooks") as mine:
        if not mine:
            return 0
        waiting = ProviderWebhook.objects.filter(
            state__in=[WebhookState.RECEIVED, WebhookState.UNMATCHED]
        )
        ids = list(waiting.order_by("received_at").values_list("pk", flat=True)[:LIMIT])
        for webhook_id in ids:
            try:
                hear_webhook(webhook_id=webhook_id, at=at)
            except Exception:
                # Not foreseen, so somebody has to look; the next ones are heard all the same.
                log.exception("payments.webhook_not_heard", webhook=webhook_id)
    return len(ids)


def forget_webhooks(*, at: datetime.datetime) -> int:
    """Delete what was heard a quarter of a year ago; what became an anomaly stays. Returns how many.

    Providers repeat an event for days at most, so one that comes again later is no repetition.
    """
    done = [WebhookState.MATCHED, WebhookState.IGNORED]
    old = ProviderWebhook.objects.filter(state__in=done, received_at__lt=at - KEPT)
    sent = LocalNotice.objects.filter(sent_at__lt=at - KEPT)
    return old.delete()[0] + sent.delete()[0]


def hear_webhook(*, webhook_id: int, at: datetime.datetime) -> str:
    """Find what an event belongs to and have the collector ask; returns the event's state.

    1. Of no interest: put aside.
    2. A dispute, or money that went back and bounced, is for people: an anomaly.
    3. A payment or refund of ours is asked about; what the provider answers is what counts.
    4. Nothing of ours: the payment may not be booked yet, so look again; after an hour, money that
       moved is an anomaly and the rest is put aside.
    """
    webhook = ProviderWebhook.objects.get(pk=webhook_id)
    if webhook.state not in (WebhookState.RECEIVED, WebhookState.UNMATCHED):
        return webhook.state
    try:
        with transaction.atomic():
            state = _hear(webhook, at=at)
            if state != webhook.state:
                move(webhook, to=state, at=at, by=LISTENER, processed_at=at)
    except LostRace:
        webhook.refresh_from_db()
    return webhook.state


def _hear(webhook: ProviderWebhook, *, at: datetime.datetime) -> WebhookState:
    kind = EventKind(webhook.kind)
    if kind is EventKind.OTHER:
        return WebhookState.IGNORED
    payment, refund = _subject(webhook)
    if payment is None:
        return _unclaimed(webhook, at=at)
    if kind in (EventKind.DISPUTED, EventKind.REFUND_FAILED):
        # A refund that was refused at once is booked as such and needs nobody.
        if kind is EventKind.REFUND_FAILED and (refund is None or refund.done_at is None):
            return WebhookState.MATCHED
        _report(webhook, payment, refund, at=at)
        return WebhookState.REPORTED
    if kind is EventKind.LAPSED:
        Payment.objects.filter(
            pk=payment.pk, state=PaymentState.AUTHORISED, provider_ref=webhook.reference
        ).update(expires_at=webhook.happened_at, next_attempt_at=at)
    elif kind in (EventKind.CAPTURED, EventKind.FAILED):
        # Only brings the next question forward; who is not being asked is not asked.
        Payment.objects.filter(
            pk=payment.pk, state=PaymentState.CAPTURING, next_attempt_at__gt=at
        ).update(next_attempt_at=at)
    return WebhookState.MATCHED


def _subject(webhook: ProviderWebhook) -> tuple[Payment | None, Refund | None]:
    named, key = read_key(webhook.key)
    payment = None
    if key is not None and named is Named.REFUND:
        refund = Refund.objects.select_related("payment").filter(public_id=key).first()
        return (refund.payment, refund) if refund else (None, None)
    if key is not None:
        by_key = Q(public_id=key) if named is Named.PAYMENT else Q(purpose_ref=key)
        payment = Payment.objects.filter(by_key).first()
    if payment is None and webhook.reference:
        payment = Payment.objects.filter(provider_ref=webhook.reference).first()
    return payment, None


def _unclaimed(webhook: ProviderWebhook, *, at: datetime.datetime) -> WebhookState:
    if at - webhook.received_at < PATIENCE:
        return WebhookState.UNMATCHED
    if webhook.kind not in _MOVED_MONEY and webhook.kind != EventKind.DISPUTED:
        return WebhookState.IGNORED
    _report(webhook, None, None, at=at)
    return WebhookState.REPORTED


def _report(
    webhook: ProviderWebhook,
    payment: Payment | None,
    refund: Refund | None,
    *,
    at: datetime.datetime,
) -> None:
    kinds = {
        EventKind.DISPUTED: AnomalyKind.DISPUTED,
        EventKind.REFUND_FAILED: AnomalyKind.MISSING_AT_PROVIDER,
    }
    report_anomaly(
        kind=kinds.get(EventKind(webhook.kind), AnomalyKind.MISSING_AT_US),
        subject=f"event:{webhook.provider}:{webhook.event_id}",
        provider=webhook.provider,
        payment=payment,
        refund=refund,
        stated_cents=webhook.cents,
        currency=webhook.currency,
        at=at,
    )
