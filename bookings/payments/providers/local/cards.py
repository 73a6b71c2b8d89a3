"""Demonstration cards: what each of them does, always the same."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping

from bookings.payments.providers.wire import TokenUnknown

PROMISE_LASTS = datetime.timedelta(days=7)


class Deed(enum.StrEnum):
    """What the provider can be asked to do."""

    AUTHORISE = "authorise"
    INCREASE = "increase"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Speech(enum.StrEnum):
    """How a card's captures are told by webhook."""

    SILENT = "silent"
    TWICE = "twice"
    SHUFFLED = "shuffled"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """How a demonstration card behaves."""

    label: str
    refuses: frozenset[Deed] = frozenset()
    # Refuses to pay anew where nothing was promised.
    refuses_anew: str = ""
    # Refuses only the first capture of a payment.
    refuses_first_capture: bool = False
    # Does what it was asked, but the first answer is lost on the way back.
    loses_first_answer_to: frozenset[Deed] = frozenset()
    # Captures are decided later, and a webhook tells.
    decides_after: datetime.timedelta | None = None
    promise_lasts: datetime.timedelta = PROMISE_LASTS
    tells_lapse: bool = False
    # The person must confirm every promise.
    asks_person: bool = False
    speech: Speech = Speech.SILENT


CARDS: Mapping[str, Card] = {
    "demo-ok": Card(label="Demo •••• 4242"),
    "demo-declined": Card(
        label="Demo •••• 0002",
        refuses=frozenset({Deed.AUTHORISE}),
        refuses_anew="card_declined",
    ),
    "demo-capture-fails": Card(label="Demo •••• 0341", refuses=frozenset({Deed.CAPTURE})),
    "demo-first-capture-fails": Card(label="Demo •••• 0259", refuses_first_capture=True),
    "demo-answer-lost": Card(
        label="Demo •••• 0077", loses_first_answer_to=frozenset({Deed.CAPTURE})
    ),
    "demo-promise-lost": Card(
        label="Demo •••• 0085", loses_first_answer_to=frozenset({Deed.AUTHORISE})
    ),
    "demo-refund-fails": Card(label="Demo •••• 5126", refuses=frozenset({Deed.REFUND})),
    "demo-increase-fails": Card(label="Demo •••• 0093", refuses=frozenset({Deed.INCREASE})),
    "demo-delayed": Card(label="Demo •••• 3055", decides_after=datetime.timedelta(seconds=30)),
    "demo-webhook-twice": Card(label="Demo •••• 2222", speech=Speech.TWICE),
    "demo-webhooks-shuffled": Card(label="Demo •••• 2121", speech=Speech.SHUFFLED),
    "demo-lapses": Card(
        label="Demo •••• 0119", promise_lasts=datetime.timedelta(hours=1), tells_lapse=True
    ),
    "demo-asks": Card(
        label="Demo •••• 3184", asks_person=True, refuses_anew="authentication_required"
    ),
}


def card_named(token: str) -> Card:
    """The card behind a token; raises `TokenUnknown`."""
    try:
        return CARDS[token]
    except KeyError as problem:
        raise TokenUnknown(token) from problem
