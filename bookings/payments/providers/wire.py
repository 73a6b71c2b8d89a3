"""What any provider of payments must be able to do, and how it may answer.

Every call carries a key that stays the same until a definite answer came: asking twice moves money
once. `Declined` is a definite answer, so is `ActionRequired` until the person has acted;
`ProviderUnavailable` is none. Amounts are cents, and references and keys are ours to keep.
"""

import dataclasses
import datetime
import enum
from collections.abc import Iterable, Mapping
from typing import Protocol


class ProviderUnavailable(Exception):
    """No answer: the money may or may not have moved; ask again with the same key."""


class Declined(Exception):
    """The card says no; `reason` is the provider's word for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenUnknown(Exception):
    """The provider has no card behind this token, or it is somebody else's."""


class WebhookRefused(Exception):
    """Not the provider's word: no or a wrong signature, too old, or not readable."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """What the person must do before the card pays: open `url`, or let the app use `client_secret`."""

    reference: str
    url: str = ""
    client_secret: str = ""


class ActionRequired(Exception):
    """The person must confirm first (strong customer authentication); then ask with the same key."""

    def __init__(self, action: NextAction) -> None:
        super().__init__(action.reference)
        self.action = action


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """A promise: the reference for what follows, and when it lapses by itself if it does."""

    reference: str
    expires_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CardOnFile:
    """A card that may be charged again: the token to keep and what is printed on its face."""

    token: str
    label: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CardSetup:
    """How a person puts a card on file: on the provider's page, or in an app with the secret.

    Afterwards `reference` is the token to hand in. All empty: the provider knows only its own
    demonstration tokens.
    """

    reference: str = ""
    url: str = ""
    client_secret: str = ""
    publishable_key: str = ""


class EventKind(enum.StrEnum):
    """What a webhook may say, in our words."""

    AUTHORISED = "authorised"
    LAPSED = "lapsed"
    CAPTURED = "captured"
    FAILED = "failed"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"
    OTHER = "other"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """One webhook, read: `key` is ours where the provider repeats it."""

    event_id: str
    kind: EventKind
    wire_type: str
    reference: str
    key: str
    cents: int
    currency: str
    at: datetime.datetime


class LineKind(enum.StrEnum):
    """What a line of a provider's statement is about."""

    CAPTURE = "capture"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    OTHER = "other"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One movement on the provider's side: positive to us, negative from us."""

    line_id: str
    kind: LineKind
    reference: str
    key: str
    cents: int
    fee_cents: int
    currency: str
    at: datetime.datetime


class Provider(Protocol):
    """Moves money; amounts in cents.

    `since` is when a key may have been asked with for the first time. A provider that forgets keys
    looks for what became of an old one before it moves anything.
    """

    def card(self, *, token: str, owner: str) -> CardOnFile:
        """The card of `owner` behind what the client handed in; raises `TokenUnknown`."""
        ...

    def begin_setup(
        self, *, owner: str, currency: str, return_url: str, at: datetime.datetime
    ) -> CardSetup:
        """Let `owner` put a card on file, on the provider's page if there is a `return_url`."""
        ...

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
        """Promise `cents`; raises `Declined` and `ActionRequired`."""
        ...

    def increase(
        self, *, key: str, reference: str, cents: int, at: datetime.datetime
    ) -> Authorisation:
        """Raise a promise to `cents` in all; `Declined` leaves the old promise as it is."""
        ...

    def capture(
        self,
        *,
        key: str,
        reference: str,
        cents: int,
        at: datetime.datetime,
        since: datetime.datetime | None = None,
    ) -> str:
        """Collect `cents`; returns where the money lies now; raises `Declined`.

        A promise that is too small or has lapsed is charged anew and then lies elsewhere.
        """
        ...

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
        """Collect `cents` from a card without a promise; returns its reference; raises `Declined`."""
        ...

    def void(self, *, key: str, reference: str, at: datetime.datetime) -> None:
        """Release the promise; one that is gone already is no error."""
        ...

    def refund(
        self,
        *,
        key: str,
        reference: str,
        cents: int,
        at: datetime.datetime,
        since: datetime.datetime | None = None,
    ) -> None:
        """Give `cents` back; raises `Declined`."""
        ...

    def parse_webhook(
        self, *, headers: Mapping[str, str], body: bytes, at: datetime.datetime
    ) -> ProviderEvent:
        """The event, once its signature is right; raises `WebhookRefused`."""
        ...

    def statement(
        self, *, since: datetime.datetime, until: datetime.datetime
    ) -> Iterable[StatementLine]:
        """Every movement of money in the half-open interval; raises `ProviderUnavailable`."""
        ...
