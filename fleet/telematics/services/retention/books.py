"""Writing down what a step of retention did, in the step's own transaction."""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING

from fleet.telematics.models import RetentionRun

if TYPE_CHECKING:
    import datetime


def write_down(
    *,
    kind: str,
    subject: str,
    counted: int,
    verified: int,
    removed: int,
    at: datetime.datetime,
    bytes_before: int = 0,
    bytes_after: int = 0,
) -> RetentionRun:
    """One line of the books; the database refuses one that removed more than it verified."""
    return RetentionRun.objects.create(
        kind=kind,
        subject=subject,
        at=at,
        counted=counted,
        verified=verified,
        removed=removed,
        bytes_before=bytes_before,
        bytes_after=bytes_after,
    )


def months_before(at: datetime.datetime, months: int) -> datetime.datetime:
    """The same moment so many months ago, on the last day of a shorter month."""
    years, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    last = calendar.monthrange(years, month + 1)[1]
    return at.replace(year=years, month=month + 1, day=min(at.day, last))
