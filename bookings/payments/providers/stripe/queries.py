"""What Stripe knows: an intent, a set-up, and what became of a key that it may have forgotten."""

import dataclasses
import datetime
from collections.abc import Iterator
from typing import Any

from bookings.payments.providers.stripe.client import client, definite, plain
from bookings.payments.providers.wire import Declined, TokenUnknown

# Stripe forgets keys after 24 hours; from here on it is asked what became of one before it is sent.
KEYS_LIVE = datetime.timedelta(hours=23)
CLOCKS_APART_S = 600


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """A key, and whether Stripe may have been asked with it so long ago that it has forgotten it."""

    key: str
    since: datetime.datetime | None
    at: datetime.datetime

    @property
    def is_old(self) -> bool:
        """Whether Stripe may not know it any more."""
        return self.since is not None and self.at - self.since >= KEYS_LIVE


def known_intent(asked: Asked, customer: str) -> dict[str, Any] | None:
    """What an old key has made already; the customer's own list is never behind, unlike a search."""
    if asked.since is None or not asked.is_old:
        return None
    terms: Any = {
        "customer": customer,
        "created": {"gte": int(asked.since.timestamp()) - CLOCKS_APART_S},
        "limit": 100,
        "expand": ["data.latest_charge"],
    }
    pages = definite(lambda: client().v1.payment_intents.list(terms))
    return _with_key(asked.key, pages.auto_paging_iter())


def known_refund(asked: Asked, reference: str) -> dict[str, Any] | None:
    """The refund that an old key has made already; None for a young key, which Stripe knows itself."""
    if not asked.is_old:
        return None
    terms: Any = {"payment_intent": reference, "limit": 100}
    pages = definite(lambda: client().v1.refunds.list(terms))
    return _with_key(asked.key, pages.auto_paging_iter())


def _with_key(key: str, things: Iterator[Any]) -> dict[str, Any] | None:
    while (thing := definite(lambda: next(things, None))) is not None:
        known = plain(thing)
        if (known.get("metadata") or {}).get("key") == key:
            return known
    return None


def look(reference: str) -> dict[str, Any]:
    """An intent as it is now, with its charge."""
    intent = definite(
        lambda: client().v1.payment_intents.retrieve(reference, {"expand": ["latest_charge"]})
    )
    return plain(intent)


def finished_setup(token: str) -> dict[str, Any]:
    """The set-up intent behind a token of ours: its own id, or the Checkout session's."""
    try:
        if token.startswith("cs_"):
            session = definite(
                lambda: client().v1.checkout.sessions.retrieve(
                    token, {"expand": ["setup_intent.payment_method"]}
                )
            )
            return dict(plain(session).get("setup_intent") or {})
        if token.startswith("seti_"):
            return plain(
                definite(
                    lambda: client().v1.setup_intents.retrieve(
                        token, {"expand": ["payment_method"]}
                    )
                )
            )
    except Declined as problem:
        raise TokenUnknown(token) from problem
    raise TokenUnknown(token)
