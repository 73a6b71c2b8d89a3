"""What happened to one vehicle, told in one list, whoever knows of it.

Vehicles know of their own things. Rooms above (alarms, work orders) add theirs when their app is
ready, so that nothing here looks upwards:

    add_timeline_source(alarm_entries)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import datetime


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """One thing that happened to a vehicle; `details` depends on `what`."""

    at: datetime.datetime
    what: str
    by: str
    details: dict[str, Any] = field(default_factory=dict)


class TimelineSource(Protocol):
    """The newest `limit` entries of one kind before `until`, in one query."""

    def __call__(
        self, *, vehicle_id: int, until: datetime.datetime | None, limit: int
    ) -> list[TimelineEntry]: ...


_sources: list[TimelineSource] = []


def add_timeline_source(source: TimelineSource) -> TimelineSource:
    """Let `source` tell its entries too; adding it twice is adding it once. Usable as decorator."""
    if source not in _sources:
        _sources.append(source)
    return source


def forget_source(source: TimelineSource) -> None:
    """Take a source away again."""
    _sources.remove(source)


def sources() -> tuple[TimelineSource, ...]:
    """Everybody who tells."""
    return tuple(_sources)


def timeline(
    *,
    vehicle_id: int,
    until: datetime.datetime | None = None,
    limit: int = 50,
) -> list[TimelineEntry]:
    """The newest `limit` things that happened to a vehicle, newest first; one query per source.

    States, commands, holds, blocks, papers, batteries, cases and service trips in one list, so that
    cause and effect stand together. `until` leaves out that moment and what came after it: the
    moment of the last entry is where the next page begins, and so a moment is never cut in two; the
    list may be longer than `limit` by what happened at once.
    """
    entries = [
        entry
        for source in _sources
        for entry in source(vehicle_id=vehicle_id, until=until, limit=limit)
    ]
    entries.sort(key=attrgetter("at"), reverse=True)
    if len(entries) <= limit:
        return entries
    last = entries[limit - 1].at
    return [entry for entry in entries if entry.at >= last]
