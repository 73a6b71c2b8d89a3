"""What any provider of payments must be able to do, and how it may answer.

Every call carries a key that stays the same until a definite answer came: asking twice moves money
once. `Declined` is a definite answer, `ProviderUnavailable` is not.
"""

import datetime
from typing import Protocol


class ProviderUnavailable(Exception):
    """No answer: the money may or may not have moved; ask again with the same key."""


class Declined(Exception):
    """The card says no; `reason` is the provider's word for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenUnknown(Exception):
    """The provider has no card behind this token."""


class Provider(Protocol):
    """Moves money; amounts in cents."""

    def label(self, *, token: str) -> str:
        """What is printed on the card's face; raises `TokenUnknown`."""
        ...

    def authorise(self, *, key: str, token: str, cents: int, at: datetime.datetime) -> str:
        """Promise `cents`; returns the reference for what follows; raises `Declined`."""
        ...

    def capture(self, *, key: str, reference: str, cents: int, at: datetime.datetime) -> None:
        """Collect `cents`, more or less than promised; raises `Declined`."""
        ...

    def recapture(self, *, key: str, token: str, cents: int, at: datetime.datetime) -> str:
        """Collect `cents` from another card without a promise; returns its reference."""
        ...

    def void(self, *, key: str, reference: str, at: datetime.datetime) -> None:
        """Release the promise."""
        ...

    def refund(self, *, key: str, reference: str, cents: int, at: datetime.datetime) -> None:
        """Give `cents` back; raises `Declined`."""
        ...
