"""Stripe's side of every deed: payment intents with manual capture, on cards that are on file.

Every intent and refund carries our key twice: as Stripe's idempotency key, so that asking again
moves money once, and as metadata, so that webhooks and statements name the deed that they are about.
"""

import dataclasses
import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import stripe
import structlog
from django.conf import settings

from bookings.payments.providers.stripe import mapping
from bookings.payments.providers.stripe.client import client, definite, plain
from bookings.payments.providers.stripe.queries import (
    Asked,
    finished_setup,
    known_intent,
    known_refund,
    look,
)
from bookings.payments.providers.wire import (
    ActionRequired,
    Authorisation,
    CardOnFile,
    CardSetup,
    Declined,
    NextAction,
    ProviderEvent,
    ProviderUnavailable,
    StatementLine,
    TokenUnknown,
    WebhookRefused,
)

log = structlog.get_logger(__name__)

WEBHOOK_TOLERANCE_S = 300
_NOT_AS_PROMISED = frozenset({"payment_intent_unexpected_state", "amount_too_large"})


class StripeProvider:
    """Speaks to the account behind `STRIPE_SECRET_KEY`."""

    def card(self, *, token: str, owner: str) -> CardOnFile:
        """The card behind a finished set-up that we began for `owner`; raises `TokenUnknown`.

        Bare card and customer ids are not taken: anybody could hand in somebody else's.
        """
        setup = finished_setup(token)
        method, customer = setup.get("payment_method"), setup.get("customer")
        mine = (setup.get("metadata") or {}).get("owner") == owner
        if not mine or setup.get("status") != "succeeded" or not isinstance(method, Mapping):
            raise TokenUnknown(token)
        return CardOnFile(token=f"{customer}/{method['id']}", label=mapping.label_of(method))

    def begin_setup(
        self, *, owner: str, currency: str, return_url: str, at: datetime.datetime
    ) -> CardSetup:
        """A page of Stripe's (Checkout) if the person can come back, else a secret for an app."""
        del at
        customer = definite(lambda: client().v1.customers.create({"metadata": {"owner": owner}}))
        if return_url:
            return _begin_on_page(customer.id, owner=owner, currency=currency, back=return_url)
        terms: Any = {
            "customer": customer.id,
            "usage": "off_session",
            "payment_method_types": ["card"],
            "metadata": {"owner": owner},
        }
        intent = definite(lambda: client().v1.setup_intents.create(terms))
        return CardSetup(
            reference=intent.id,
            client_secret=str(intent.client_secret),
            publishable_key=settings.STRIPE_PUBLISHABLE_KEY,
        )

    def authorise(
        self,
        *,
        key: str,
        token: str,
        cents: int,
        currency: str,
        at: datetime.datetime,
        since: datetime.datetime | None = None,
    ) -> Authorisation:
        """Promise `cents` while the person is there to confirm."""
        terms = {
            "capture_method": "manual",
            "return_url": settings.PUBLIC_URL,
            "payment_method_options": {
                "card": {"request_incremental_authorization": "if_available"}
            },
        }
        asked = Asked(key, since=since, at=at)
        intent = _create(asked, token, cents=cents, currency=currency, **terms)
        if intent["status"] == "requires_action":
            # Under the same key Stripe repeats its first answer; the person may have acted since.
            intent = look(intent["id"])
        return _promise_in(intent)

    def increase(
        self, *, key: str, reference: str, cents: int, at: datetime.datetime
    ) -> Authorisation:
        """Raise a promise, where the card's network can."""
        del at
        intent = definite(
            lambda: client().v1.payment_intents.increment_authorization(
                reference,
                {"amount": cents, "expand": ["latest_charge"]},
                {"idempotency_key": key},
            )
        )
        return _promise_in(plain(intent))

    def capture(
        self,
        *,
        key: str,
        reference: str,
        cents: int,
        at: datetime.datetime,
        since: datetime.datetime | None = None,
    ) -> str:
        """Collect `cents`; anew where the promise is too small or gone."""
        try:
            definite(
                lambda: client().v1.payment_intents.capture(
                    reference, {"amount_to_capture": cents}, {"idempotency_key": key}
                )
            )
        except Declined as problem:
            if problem.reason not in _NOT_AS_PROMISED:
                raise
            asked = Asked(key, since=since, at=at)
            return _capture_otherwise(asked, look(reference), cents=cents)
        return reference

    def recapture(
        self,
        *,
        key: str,
        token: str,
        cents: int,
        currency: str,
        at: datetime.datetime,
        since: datetime.datetime | None = None,
    ) -> str:
        """Charge a card while the person is away."""
        asked = Asked(key, since=since, at=at)
        intent = _create(asked, token, cents=cents, currency=currency, off_session=True)
        return _collected_in(intent)

    def void(self, *, key: str, reference: str, at: datetime.datetime) -> None:
        """Release the promise."""
        del at
        _cancel(key, reference)

    def refund(
        self,
        *,
        key: str,
        reference: str,
        cents: int,
        at: datetime.datetime,
        since: datetime.datetime | None = None,
    ) -> None:
        """Give `cents` back; one that the bank returns later is told by webhook."""
        asked = Asked(key, since=since, at=at)
        refund = known_refund(asked, reference) or plain(
            definite(
                lambda: client().v1.refunds.create(
                    {"payment_intent": reference, "amount": cents, "metadata": {"key": key}},
                    {"idempotency_key": key},
                )
            )
        )
        if refund["status"] in ("failed", "canceled"):
            raise Declined(str(refund.get("failure_reason") or "refund_failed")[:40])

    def parse_webhook(
        self, *, headers: Mapping[str, str], body: bytes, at: datetime.datetime
    ) -> ProviderEvent:
        """Stripe's own verification, then our words for it."""
        del at  # Stripe's library compares with its own clock
        secret = settings.STRIPE_WEBHOOK_SECRET
        try:
            stripe.WebhookSignature.verify_header(
                body, headers.get("Stripe-Signature"), secret, WEBHOOK_TOLERANCE_S
            )
            return mapping.event_of(json.loads(body))
        except stripe.SignatureVerificationError as problem:
            raise WebhookRefused("signature") from problem
        except (KeyError, TypeError, ValueError) as problem:
            raise WebhookRefused("not an event") from problem

    def statement(
        self, *, since: datetime.datetime, until: datetime.datetime
    ) -> Iterator[StatementLine]:
        """Stripe's balance transactions."""
        created = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        terms: Any = {"created": created, "limit": 100, "expand": ["data.source"]}
        pages = definite(lambda: client().v1.balance_transactions.list(terms))
        lines = pages.auto_paging_iter()
        while (line := definite(lambda: next(lines, None))) is not None:
            yield mapping.line_of(plain(line))


def _create(asked: Asked, token: str, *, cents: int, currency: str, **terms: Any) -> dict[str, Any]:
    customer, _slash, method = token.partition("/")
    known = known_intent(asked, customer)
    if known is not None:
        return known
    key = asked.key
    params: Any = {
        "amount": cents,
        "currency": currency.lower(),
        "customer": customer,
        "payment_method": method,
        "payment_method_types": ["card"],
        "confirm": True,
        "metadata": {"key": key},
        "expand": ["latest_charge"],
        **terms,
    }
    return plain(
        definite(lambda: client().v1.payment_intents.create(params, {"idempotency_key": key}))
    )


def _promise_in(intent: Mapping[str, Any]) -> Authorisation:
    status = intent["status"]
    if status == "requires_action":
        raise ActionRequired(
            NextAction(
                reference=intent["id"],
                url=mapping.redirect_of(intent),
                client_secret=str(intent.get("client_secret") or ""),
            )
        )
    if status in ("requires_payment_method", "canceled"):
        raise Declined(mapping.refusal_of(intent))
    if status not in ("requires_capture", "succeeded"):
        raise ProviderUnavailable
    return Authorisation(reference=intent["id"], expires_at=mapping.expiry_of(intent))


def _collected_in(intent: Mapping[str, Any]) -> str:
    status = intent["status"]
    if status == "requires_action":
        raise Declined("authentication_required")
    if status in ("requires_payment_method", "canceled"):
        raise Declined(mapping.refusal_of(intent))
    if status != "succeeded":
        raise ProviderUnavailable
    return str(intent["id"])


def _capture_otherwise(asked: Asked, intent: Mapping[str, Any], *, cents: int) -> str:
    """What is left to do when a promise cannot be captured as asked.

    1. It was captured already, and the answer did not reach us: done, if the amount agrees.
    2. Else charge the same card anew for the whole amount, so that one charge has one reference.
    3. Only then release what was promised.
    """
    if intent["status"] == "succeeded":
        if intent["amount_received"] != cents:
            raise Declined("captured_otherwise")
        return str(intent["id"])
    token = f"{intent['customer']}/{intent['payment_method']}"
    anew = dataclasses.replace(asked, key=f"{asked.key}:anew")
    fresh = _create(anew, token, cents=cents, currency=intent["currency"], off_session=True)
    place = _collected_in(fresh)
    if intent["status"] == "requires_capture":
        try:
            _cancel(f"{asked.key}:release", intent["id"])
        except (Declined, ProviderUnavailable):
            log.warning("payments.promise_not_released", reference=intent["id"])
    return place


def _cancel(key: str, reference: str) -> None:
    """Release a promise; one that is gone already is released."""
    try:
        definite(
            lambda: client().v1.payment_intents.cancel(reference, {}, {"idempotency_key": key})
        )
    except Declined as problem:
        if problem.reason not in _NOT_AS_PROMISED:
            raise


def _begin_on_page(customer: str, *, owner: str, currency: str, back: str) -> CardSetup:
    joint = "&" if "?" in back else "?"
    # Stripe puts the id in place of the words; they must not be percent-encoded.
    done = f"{back}{joint}{urlencode({'setup': ''})}" + "{CHECKOUT_SESSION_ID}"
    session = definite(
        lambda: client().v1.checkout.sessions.create(
            {
                "mode": "setup",
                "customer": customer,
                "currency": currency.lower(),
                "success_url": done,
                "cancel_url": back,
                "metadata": {"owner": owner},
                "setup_intent_data": {"metadata": {"owner": owner}},
            }
        )
    )
    return CardSetup(reference=session.id, url=str(session.url))
