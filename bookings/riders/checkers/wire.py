"""What is asked of an automatic checker of documents, and what it may answer."""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol

from bookings.riders.states import RejectionReason
from mobility.core.errors import Unavailable

Outcome = Literal["approved", "rejected", "unsure"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckRequest:
    """A document as it was sent; `key` stays the same when the question is put again."""

    key: str
    kind: str
    country: str
    valid_until: datetime.date
    name: str
    birth_date: datetime.date | None
    pictures: Sequence[bytes]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the checker thinks; when it is unsure a person decides."""

    outcome: Outcome
    reference: str
    reason: RejectionReason = RejectionReason.UNREADABLE


class CheckerUnavailable(Unavailable):
    """Nobody answers; the document waits and is asked about again."""

    code = "checker_unavailable"


class Checker(Protocol):
    """Somebody who looks at documents by machine."""

    name: ClassVar[str]

    def check(self, *, request: CheckRequest) -> Verdict:
        """Judge one document; raises `CheckerUnavailable`. Never called inside a transaction."""
        ...
