"""Facts about riders: who may ride now, and who may not any more."""

import dataclasses
from typing import ClassVar

from mobility.core.outbox import Event


@dataclasses.dataclass(frozen=True)
class DocumentVerified(Event):
    """A document was accepted."""

    name: ClassVar = "bookings.document_verified.v1"
    user: str
    kind: str
    document: str
    valid_until: str


@dataclasses.dataclass(frozen=True)
class DocumentRejected(Event):
    """A document was not accepted, or no longer is."""

    name: ClassVar = "bookings.document_rejected.v1"
    user: str
    kind: str
    document: str
    reason: str


@dataclasses.dataclass(frozen=True)
class DocumentExpiring(Event):
    """A verified document has `days` days left, or fewer."""

    name: ClassVar = "bookings.document_expiring.v1"
    user: str
    kind: str
    document: str
    valid_until: str
    days: int


@dataclasses.dataclass(frozen=True)
class DocumentExpired(Event):
    """A verified document's last day is over."""

    name: ClassVar = "bookings.document_expired.v1"
    user: str
    kind: str
    document: str
    valid_until: str


@dataclasses.dataclass(frozen=True)
class RiderBlocked(Event):
    """Somebody may not ride; `until` is empty where nobody knows."""

    name: ClassVar = "bookings.rider_blocked.v1"
    user: str
    block: str
    organisation_id: int | None
    reason: str
    until: str


@dataclasses.dataclass(frozen=True)
class RiderUnblocked(Event):
    """A block was lifted or its time is over."""

    name: ClassVar = "bookings.rider_unblocked.v1"
    user: str
    block: str
    organisation_id: int | None
    reason: str
