"""Stripe's objects, as plain dictionaries, in our words."""

import datetime
from collections.abc import Mapping
from typing import Any

from bookings.payments.providers.wire import EventKind, LineKind, ProviderEvent, StatementLine

_EVENTS: Mapping[str, EventKind] = {
    "payment_intent.amount_capturable_updated": EventKind.AUTHORISED,
    "payment_intent.succeeded": EventKind.CAPTURED,
    "payment_intent.payment_failed": EventKind.FAILED,
    "payment_intent.canceled": EventKind.LAPSED,
    "refund.created": EventKind.REFUNDED,
    "refund.updated": EventKind.REFUNDED,
    "refund.failed": EventKind.REFUND_FAILED,
    "charge.dispute.created": EventKind.DISPUTED,
}
_LINES: Mapping[str, LineKind] = {
    "charge": LineKind.CAPTURE,
    "payment": LineKind.CAPTURE,
    "refund": LineKind.REFUND,
    "payment_refund": LineKind.REFUND,
    "payout": LineKind.PAYOUT,
}


def event_of(data: Mapping[str, Any]) -> ProviderEvent:
    """The event of a webhook's body; raises `KeyError`, `TypeError` if it is none of Stripe's."""
    about: Mapping[str, Any] = data["data"]["object"]
    kind = _EVENTS.get(data["type"], EventKind.OTHER)
    if kind is EventKind.REFUNDED and about.get("status") in ("failed", "canceled"):
        kind = EventKind.REFUND_FAILED
    return ProviderEvent(
        event_id=data["id"],
        kind=kind,
        wire_type=data["type"],
        reference=_payment_intent(about),
        key=_key(about),
        cents=about.get("amount_received") or about.get("amount") or 0,
        currency=str(about.get("currency") or "eur").upper(),
        at=_instant(data["created"]),
    )


def line_of(data: Mapping[str, Any]) -> StatementLine:
    """A balance transaction with its source expanded."""
    source: Any = data.get("source")
    about: Mapping[str, Any] = source if isinstance(source, Mapping) else {}
    kind = _LINES.get(data["type"], LineKind.OTHER)
    if about.get("object") == "dispute":
        kind = LineKind.DISPUTE
    return StatementLine(
        line_id=data["id"],
        kind=kind,
        reference=_payment_intent(about),
        key=_key(about),
        cents=data["amount"],
        fee_cents=data.get("fee") or 0,
        currency=str(data["currency"]).upper(),
        at=_instant(data["created"]),
    )


def label_of(payment_method: Mapping[str, Any]) -> str:
    """What is printed on the card's face."""
    card: Mapping[str, Any] = payment_method.get("card") or {}
    brand = str(card.get("display_brand") or card.get("brand") or "card")
    return f"{brand.replace('_', ' ').capitalize()} •••• {card.get('last4', '????')}"


def expiry_of(intent: Mapping[str, Any]) -> datetime.datetime | None:
    """When the promise lapses, by the charge's own word (`capture_before`)."""
    charge: Any = intent.get("latest_charge")
    if not isinstance(charge, Mapping):
        return None
    card: Mapping[str, Any] = (charge.get("payment_method_details") or {}).get("card") or {}
    before = card.get("capture_before")
    return None if before is None else _instant(before)


def redirect_of(intent: Mapping[str, Any]) -> str:
    """Where the person confirms, if the bank has a page for it."""
    following: Mapping[str, Any] = intent.get("next_action") or {}
    redirect: Mapping[str, Any] = following.get("redirect_to_url") or {}
    return str(redirect.get("url") or "")


def refusal_of(intent: Mapping[str, Any]) -> str:
    """Why an intent that waits for another card does so."""
    error: Mapping[str, Any] = intent.get("last_payment_error") or {}
    return str(error.get("decline_code") or error.get("code") or "card_declined")[:40]


def _payment_intent(about: Mapping[str, Any]) -> str:
    if about.get("object") == "payment_intent":
        return str(about["id"])
    named: Any = about.get("payment_intent")
    if isinstance(named, Mapping):
        named = named.get("id")
    return str(named or "")


def _key(about: Mapping[str, Any]) -> str:
    metadata: Mapping[str, Any] = about.get("metadata") or {}
    return str(metadata.get("key") or "")


def _instant(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
