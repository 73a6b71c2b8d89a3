"""How much is kept of one station: the rest is counted, and told to whoever runs it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog
from django.db import connection
from django.db.models import Model, QuerySet

from charging.devices.states import Kept

log = structlog.get_logger(__name__)

Row = TypeVar("Row")
AnyRow = TypeVar("AnyRow", bound=Model)

MOST: Final[dict[str, int]] = {
    # The largest device models we know of have some 1,500 variables.
    Kept.VARIABLES: 5_000,
    Kept.MONITORS: 2_000,
    Kept.DISPLAYS: 500,
    Kept.PARTS: 2_000,
    Kept.STREAMS: 100,
    Kept.LIMITS: 100,
    # In a day; what is older counts no more.
    Kept.EVENTS: 5_000,
    Kept.SECURITY: 1_000,
    Kept.SWAPS: 1_000,
}
# A report is read as a whole; the largest device models come to some 3 MB.
MOST_REPORT_BYTES: Final = 16_000_000
_DAY: Final = timedelta(days=1)
_COUNT: Final = """
INSERT INTO charging_overflow AS known (station_id, kind, times, first_at, last_at)
VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (station_id, kind) DO UPDATE
   SET times = known.times + excluded.times, last_at = excluded.last_at
RETURNING times
"""


def fitting(
    rows: Sequence[Row],
    *,
    kept: QuerySet[AnyRow],
    kind: str,
    station_id: int,
    at: datetime,
    most: int | None = None,
) -> Sequence[Row]:
    """As many of the new `rows` as fit beside those `kept`; the others are counted as overflow.

    Together they are `most`, else what `MOST` says of their kind.
    """
    if not rows:
        return rows
    bound = MOST[kind] if most is None else most
    room = max(bound - kept[:bound].count(), 0)
    if len(rows) > room:
        note_overflow(station_id=station_id, kind=kind, times=len(rows) - room, at=at)
    return rows[:room]


def of_today(rows: QuerySet[AnyRow], *, at: datetime) -> QuerySet[AnyRow]:
    """The rows received within the last 24 hours."""
    return rows.filter(received_at__gt=at - _DAY)


def by_station(rows: Iterable[Row], station_of: str = "station_id") -> dict[int, list[Row]]:
    """Rows of a batch by their station, in order."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(getattr(row, station_of), []).append(row)
    return found


def note_overflow(*, station_id: int, kind: str, times: int, at: datetime) -> None:
    """Count what was not kept of a station; in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [station_id, kind, times, at, at])
        [total] = cursor.fetchone()
    if total == times:
        # The first time: later ones only count.
        log.warning("charging.overflow", station=station_id, kind=str(kind), times=times)
