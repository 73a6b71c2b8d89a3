"""Facts about support cases; what was said, and by whom, stays inside."""

import dataclasses
import datetime
from typing import ClassVar

from mobility.core.outbox import Event


@dataclasses.dataclass(frozen=True)
class CaseOpened(Event):
    """Somebody needs help, and was told by when."""

    name: ClassVar = "bookings.case_opened.v1"

    case_id: str
    case_number: str
    organisation_id: int
    kind: str
    due_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class CaseAnswered(Event):
    """Staff said something in a case; the person is to speak."""

    name: ClassVar = "bookings.case_answered.v1"

    case_id: str
    case_number: str
    organisation_id: int


@dataclasses.dataclass(frozen=True)
class CaseResolved(Event):
    """A case is settled, one way or another."""

    name: ClassVar = "bookings.case_resolved.v1"

    case_id: str
    case_number: str
    organisation_id: int
    kind: str
    resolution: str
