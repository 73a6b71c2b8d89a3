"""The local provider's webhooks: written beside the operation, signed, posted over HTTP to our door."""

import datetime
import hmac
import json
from collections.abc import Mapping
from typing import Any

import httpx
import structlog
from django.conf import settings
from django.core import signing
from django.db.models import F
from django.urls import reverse
from django.utils.crypto import salted_hmac

from bookings.payments.models import LocalNotice, ProviderOperation
from bookings.payments.providers.local.cards import Speech
from bookings.payments.providers.wire import EventKind, ProviderEvent, WebhookRefused
from mobility.core import ids

log = structlog.get_logger(__name__)

SIGNATURE_HEADER = "Local-Signature"
SALT = "bookings.payments.local"
BANK_SALT = "bookings.payments.local.bank"
TOLERANCE = datetime.timedelta(minutes=5)
TIMEOUT_S = 5.0
MOST_ATTEMPTS = 20
PAUSE = datetime.timedelta(seconds=10)
LIMIT = 100


def write(operation: ProviderOperation, kind: EventKind, *, at: datetime.datetime) -> None:
    """Say `kind` of an operation at `at`; twice is once."""
    LocalNotice.objects.get_or_create(
        reference=operation.reference,
        kind=kind,
        key=operation.key,
        defaults={
            "event_id": f"evt_{ids.uuid7().hex}",
            "cents": operation.cents,
            "currency": operation.currency,
            "at": at,
            "send_at": at,
        },
    )


def tell_capture(operation: ProviderOperation, *, speech: Speech, at: datetime.datetime) -> None:
    """Tell a capture twice under one event, or before the promise that it was made from."""
    first, second = f"evt_{ids.uuid7().hex}", f"evt_{ids.uuid7().hex}"
    told = [(EventKind.CAPTURED, first), (EventKind.CAPTURED, first)]
    if speech is Speech.SHUFFLED:
        told = [(EventKind.CAPTURED, first), (EventKind.AUTHORISED, second)]
    LocalNotice.objects.bulk_create(
        LocalNotice(
            event_id=event_id, kind=kind, reference=operation.reference, key=operation.key,
            cents=operation.cents, currency=operation.currency, at=at, send_at=at,
        )
        for kind, event_id in told
    )  # fmt: skip


def bank_page(reference: str) -> str:
    """Where the person confirms a promise, as a bank's page would ask."""
    token = signing.dumps(reference, salt=BANK_SALT)
    return f"{settings.PUBLIC_URL}{reverse('demo-bank', args=[token])}"


def send_due(*, at: datetime.datetime) -> int:
    """Post every notice whose time has come, oldest first; returns how many were taken.

    A door that is closed is tried again, as any provider would.
    """
    due = LocalNotice.objects.filter(
        sent_at__isnull=True, send_at__lte=at, attempts__lt=MOST_ATTEMPTS
    )
    sent = 0
    for notice in due.order_by("id")[:LIMIT]:
        this = LocalNotice.objects.filter(pk=notice.pk)
        if _post(notice, at=at):
            sent += this.update(sent_at=at)
        else:
            this.update(attempts=F("attempts") + 1, send_at=at + PAUSE)
    return sent


def read(*, headers: Mapping[str, str], body: bytes, at: datetime.datetime) -> ProviderEvent:
    """The event in a signed body; raises `WebhookRefused`."""
    stamp, _comma, signature = headers.get(SIGNATURE_HEADER, "").partition(",")
    if not hmac.compare_digest(signature.encode(), _sign(stamp, body).encode()):
        raise WebhookRefused("signature")
    if abs(at.timestamp() - float(stamp)) > TOLERANCE.total_seconds():
        raise WebhookRefused("too old")
    # Signed by ourselves, so it is whole.
    said: dict[str, Any] = json.loads(body)
    return ProviderEvent(
        event_id=said["id"],
        kind=EventKind(said["kind"]),
        wire_type=said["kind"],
        reference=said["reference"],
        key=said["key"],
        cents=said["cents"],
        currency=said["currency"],
        at=datetime.datetime.fromisoformat(said["at"]),
    )


def signed(body: bytes, *, at: datetime.datetime) -> dict[str, str]:
    """The headers of a body, signed at `at`."""
    stamp = str(int(at.timestamp()))
    return {SIGNATURE_HEADER: f"{stamp},{_sign(stamp, body)}", "Content-Type": "application/json"}


def body_of(notice: LocalNotice) -> bytes:
    """What is posted."""
    return json.dumps(
        {
            "id": notice.event_id,
            "kind": notice.kind,
            "reference": notice.reference,
            "key": notice.key,
            "cents": notice.cents,
            "currency": notice.currency,
            "at": notice.at.isoformat(),
        }
    ).encode()


def _post(notice: LocalNotice, *, at: datetime.datetime) -> bool:
    body = body_of(notice)
    door = settings.PUBLIC_URL + reverse("api:payment-webhooks", args=["local"])
    try:
        answer = httpx.post(door, content=body, headers=signed(body, at=at), timeout=TIMEOUT_S)
    except httpx.HTTPError as problem:
        log.info("payments.local_webhook_unheard", problem=repr(problem))
        return False
    return answer.is_success


def _sign(stamp: str, body: bytes) -> str:
    return salted_hmac(SALT, stamp.encode() + b"." + body, algorithm="sha256").hexdigest()
