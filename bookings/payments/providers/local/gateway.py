"""The local provider's side of every deed: answers from `CARDS`, kept under their key."""

import datetime
from collections.abc import Iterator, Mapping

from bookings.payments.models import ProviderOperation
from bookings.payments.providers.local import notices, operations
from bookings.payments.providers.local.cards import Card, Deed, Speech, card_named
from bookings.payments.providers.wire import (
    ActionRequired,
    Authorisation,
    CardOnFile,
    CardSetup,
    Declined,
    EventKind,
    LineKind,
    NextAction,
    ProviderEvent,
    ProviderUnavailable,
    StatementLine,
)
from bookings.payments.states import Outcome
from mobility.core import ids

_LINES = {Deed.CAPTURE: (LineKind.CAPTURE, 1), Deed.REFUND: (LineKind.REFUND, -1)}


class LocalProvider:
    """Answers from `CARDS`; every answer is kept under its key and repeated for it."""

    def card(self, *, token: str, owner: str) -> CardOnFile:
        """Everybody's: demonstration cards have no owner; raises `TokenUnknown`."""
        del owner
        return CardOnFile(token=token, label=card_named(token).label)

    def begin_setup(
        self, *, owner: str, currency: str, return_url: str, at: datetime.datetime
    ) -> CardSetup:
        """Nothing to begin: the demonstration tokens are known."""
        del owner, currency, return_url, at
        return CardSetup()

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
        """Promise `cents`; the reference is made of the key."""
        card = card_named(token)
        operation = ProviderOperation(
            key=key, deed=Deed.AUTHORISE, reference=_reference(key), token=token,
            cents=cents, currency=currency, at=at, due_at=at + card.promise_lasts,
            outcome=Outcome.ACTION if card.asks_person else Outcome.OK,
        )  # fmt: skip
        fresh = _act(operation, card, at=at)
        if fresh and card.tells_lapse and operation.due_at:
            notices.write(operation, EventKind.LAPSED, at=operation.due_at)
        return Authorisation(reference=operation.reference, expires_at=operation.due_at)

    def increase(
        self, *, key: str, reference: str, cents: int, at: datetime.datetime
    ) -> Authorisation:
        """Raise a promise that still stands."""
        promise = _opened(reference)
        if _lapsed(promise, at):
            raise Declined("promise_lapsed")
        operation = ProviderOperation(
            key=key, deed=Deed.INCREASE, reference=reference, token=promise.token,
            cents=cents, currency=promise.currency, outcome=Outcome.OK, at=at,
        )  # fmt: skip
        _act(operation, card_named(promise.token), at=at)
        return Authorisation(reference=reference, expires_at=promise.due_at)

    def capture(
        self,
        *,
        key: str,
        reference: str,
        cents: int,
        at: datetime.datetime,
        since: datetime.datetime | None = None,
    ) -> str:
        """Collect `cents`, anew if the promise has lapsed."""
        promise = _opened(reference)
        place = _reference(key) if _lapsed(promise, at) else reference
        return _collect(key, place, promise.token, cents=cents, currency=promise.currency, at=at)

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
        """Collect `cents` from another card at once."""
        card = card_named(token)
        if card.refuses_anew:
            raise Declined(card.refuses_anew)
        return _collect(key, _reference(key), token, cents=cents, currency=currency, at=at)

    def void(self, *, key: str, reference: str, at: datetime.datetime) -> None:
        """Release the promise."""
        self._simple(Deed.VOID, key=key, reference=reference, cents=0, at=at)

    def refund(
        self,
        *,
        key: str,
        reference: str,
        cents: int,
        at: datetime.datetime,
        since: datetime.datetime | None = None,
    ) -> None:
        """Give `cents` back."""
        self._simple(Deed.REFUND, key=key, reference=reference, cents=cents, at=at)

    def parse_webhook(
        self, *, headers: Mapping[str, str], body: bytes, at: datetime.datetime
    ) -> ProviderEvent:
        """Our own notice, come back over HTTP; raises `WebhookRefused`."""
        return notices.read(headers=headers, body=body, at=at)

    def statement(
        self, *, since: datetime.datetime, until: datetime.datetime
    ) -> Iterator[StatementLine]:
        """Every capture and refund that was done in the interval."""
        done = ProviderOperation.objects.filter(
            deed__in=_LINES, outcome=Outcome.OK, cents__gt=0, at__gte=since, at__lt=until
        ).order_by("id")
        for operation in done.iterator(chunk_size=1000):
            kind, sign = _LINES[Deed(operation.deed)]
            yield StatementLine(
                line_id=f"local_{operation.pk}",
                kind=kind,
                reference=operation.reference,
                key=operation.key,
                cents=sign * operation.cents,
                fee_cents=0,
                currency=operation.currency,
                at=operation.at,
            )

    @staticmethod
    def _simple(deed: Deed, *, key: str, reference: str, cents: int, at: datetime.datetime) -> None:
        opened = _opened(reference)
        operation = ProviderOperation(
            key=key, deed=deed, reference=reference, token=opened.token,
            cents=cents, currency=opened.currency, outcome=Outcome.OK, at=at,
        )  # fmt: skip
        _act(operation, card_named(opened.token), at=at)


def _reference(key: str) -> str:
    """The same for the same key, and no longer than any provider's."""
    return f"local:{ids.hash_secret(key)[:32]}"


def _opened(reference: str) -> ProviderOperation:
    operation = operations.first_under(reference)
    if operation is None:
        raise Declined("unknown_reference")
    return operation


def _lapsed(promise: ProviderOperation, at: datetime.datetime) -> bool:
    return promise.deed == Deed.AUTHORISE and promise.due_at is not None and promise.due_at <= at


def _collect(
    key: str, reference: str, token: str, *, cents: int, currency: str, at: datetime.datetime
) -> str:
    card = card_named(token)
    later = card.decides_after
    operation = ProviderOperation(
        key=key, deed=Deed.CAPTURE, reference=reference, token=token,
        cents=cents, currency=currency, at=at, due_at=at + later if later else None,
        outcome=Outcome.PENDING if later else Outcome.OK,
    )  # fmt: skip
    try:
        fresh = _act(operation, card, at=at)
    except ProviderUnavailable:
        if operation.outcome == Outcome.PENDING and operation.due_at:
            notices.write(operation, EventKind.CAPTURED, at=operation.due_at)
        raise
    if fresh and card.speech is not Speech.SILENT:
        notices.tell_capture(operation, speech=card.speech, at=at)
    return operation.reference


def _act(operation: ProviderOperation, card: Card, *, at: datetime.datetime) -> bool:
    """Do it once per key and answer the same each time; whether this was the first time."""
    if _refuses(card, operation):
        operation.outcome, operation.failure = Outcome.DECLINED, "card_declined"
    fresh = operations.remember(operation)
    if operation.outcome == Outcome.PENDING and operation.due_at and operation.due_at <= at:
        operations.settle(operation, outcome=Outcome.OK, at=operation.due_at)
        operation.outcome = Outcome.OK
    if operation.outcome == Outcome.DECLINED:
        raise Declined(operation.failure)
    if operation.outcome == Outcome.ACTION:
        raise ActionRequired(
            NextAction(reference=operation.reference, url=notices.bank_page(operation.reference))
        )
    if operation.outcome == Outcome.PENDING:
        raise ProviderUnavailable
    if fresh and operation.deed in card.loses_first_answer_to:
        raise ProviderUnavailable
    return fresh


def _refuses(card: Card, operation: ProviderOperation) -> bool:
    if operation.deed in card.refuses:
        return True
    if card.refuses_first_capture and operation.deed == Deed.CAPTURE:
        earlier = ProviderOperation.objects.filter(reference=operation.reference, deed=Deed.CAPTURE)
        return not earlier.exists()
    return False
