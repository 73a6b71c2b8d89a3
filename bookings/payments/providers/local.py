"""The local provider: a whole payment provider inside our own database, with cards that always
behave the same. It serves demonstrations and tests and moves no real money.
"""

import dataclasses
import datetime
import enum
from collections.abc import Mapping

from bookings.payments.models import ProviderOperation
from bookings.payments.providers.wire import Declined, ProviderUnavailable, TokenUnknown
from bookings.payments.states import Outcome
from mobility.core import ids


class Deed(enum.StrEnum):
    """What the provider can be asked to do."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """How a demonstration card behaves."""

    label: str
    refuses: frozenset[Deed] = frozenset()
    # Refuses only the first capture of a payment.
    refuses_first_capture: bool = False
    # Does what it was asked, but the first answer is lost on the way back.
    loses_first_answer: bool = False


CARDS: Mapping[str, Card] = {
    "demo-ok": Card(label="Demo •••• 4242"),
    "demo-declined": Card(label="Demo •••• 0002", refuses=frozenset({Deed.AUTHORISE})),
    "demo-capture-fails": Card(label="Demo •••• 0341", refuses=frozenset({Deed.CAPTURE})),
    "demo-first-capture-fails": Card(label="Demo •••• 0259", refuses_first_capture=True),
    "demo-answer-lost": Card(label="Demo •••• 0077", loses_first_answer=True),
    "demo-refund-fails": Card(label="Demo •••• 5126", refuses=frozenset({Deed.REFUND})),
}


class LocalProvider:
    """Answers from `CARDS`; every answer is kept under its key and repeated for it."""

    def label(self, *, token: str) -> str:
        """What is printed on the card's face; raises `TokenUnknown`."""
        return _card(token).label

    def authorise(self, *, key: str, token: str, cents: int, at: datetime.datetime) -> str:
        """Promise `cents`; the reference is made of the key."""
        reference = _reference(key)
        _act(Deed.AUTHORISE, key=key, token=token, reference=reference, cents=cents, at=at)
        return reference

    def capture(self, *, key: str, reference: str, cents: int, at: datetime.datetime) -> None:
        """Collect `cents`."""
        token = _token_of(reference)
        _act(Deed.CAPTURE, key=key, token=token, reference=reference, cents=cents, at=at)

    def recapture(self, *, key: str, token: str, cents: int, at: datetime.datetime) -> str:
        """Collect `cents` from another card at once."""
        reference = _reference(key)
        _act(Deed.CAPTURE, key=key, token=token, reference=reference, cents=cents, at=at)
        return reference

    def void(self, *, key: str, reference: str, at: datetime.datetime) -> None:
        """Release the promise."""
        token = _token_of(reference)
        _act(Deed.VOID, key=key, token=token, reference=reference, cents=0, at=at)

    def refund(self, *, key: str, reference: str, cents: int, at: datetime.datetime) -> None:
        """Give `cents` back."""
        token = _token_of(reference)
        _act(Deed.REFUND, key=key, token=token, reference=reference, cents=cents, at=at)


def _card(token: str) -> Card:
    try:
        return CARDS[token]
    except KeyError as problem:
        raise TokenUnknown(token) from problem


def _reference(key: str) -> str:
    """The same for the same key, and no longer than any provider's."""
    return f"local:{ids.hash_secret(key)[:32]}"


def _token_of(reference: str) -> str:
    operation = ProviderOperation.objects.filter(reference=reference).order_by("id").first()
    if operation is None:
        raise Declined("unknown_reference")
    return operation.token


def _act(
    deed: Deed, *, key: str, token: str, reference: str, cents: int, at: datetime.datetime
) -> None:
    """Do it once per key and answer the same each time."""
    card = _card(token)
    outcome = Outcome.DECLINED if _refuses(card, deed, reference=reference) else Outcome.OK
    fresh = ProviderOperation(
        key=key, deed=deed, reference=reference, token=token, cents=cents, outcome=outcome, at=at
    )
    ProviderOperation.objects.bulk_create([fresh], ignore_conflicts=True)
    kept = ProviderOperation.objects.get(key=key)
    if kept.outcome == Outcome.DECLINED:
        raise Declined("card_declined")
    first_answer = kept.at == at
    if card.loses_first_answer and deed is Deed.CAPTURE and first_answer:
        raise ProviderUnavailable


def _refuses(card: Card, deed: Deed, *, reference: str) -> bool:
    if deed in card.refuses:
        return True
    if card.refuses_first_capture and deed is Deed.CAPTURE:
        return not ProviderOperation.objects.filter(reference=reference, deed=deed).exists()
    return False
