"""When a crew may work at a stop: closed hours and deadlines as windows of minutes."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from fleet.rebalancing.solver.problem import Windows

MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)
Interval = tuple[datetime.datetime, datetime.datetime]
ALWAYS: Windows = ()
# Nobody comes before the plan begins.
NEVER: Windows = ((-1.0, -1.0),)


def daily(
    *,
    since: datetime.time,
    until: datetime.time,
    weekdays: Iterable[int],
    at: datetime.datetime,
    days: int,
    zone: datetime.tzinfo,
) -> list[Interval]:
    """When something that holds from `since` to `until` on the city's wall clock does so, from the
    day before `at` on; `until` may lie after midnight. No weekdays: every day."""
    chosen = set(weekdays) or set(range(1, 8))
    today = at.astimezone(zone).date()
    found = []
    for number in range(-1, days + 1):
        day = today + number * DAY
        if day.isoweekday() not in chosen:
            continue
        start = datetime.datetime.combine(day, since, tzinfo=zone)
        last = day + DAY if until <= since else day
        end = datetime.datetime.combine(last, until, tzinfo=zone)
        found.append((start.astimezone(datetime.UTC), end.astimezone(datetime.UTC)))
    return found


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Without overlaps, in order."""
    result: list[Interval] = []
    for start, end in sorted(intervals):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def outside(intervals: Iterable[Interval], *, at: datetime.datetime, days: int) -> list[Interval]:
    """The rest of the time around `at`: opening hours become closed ones."""
    result = []
    last = at - 2 * DAY
    for start, end in merged(intervals):
        if start > last:
            result.append((last, start))
        last = max(last, end)
    result.append((last, at + (days + 2) * DAY))
    return result


def windows(
    *,
    closed: Iterable[Interval],
    due_at: datetime.datetime | None,
    service: float,
    at: datetime.datetime | None,
) -> Windows:
    """In which minutes from `at` on service may begin, so that it ends before the closed hours and
    begins by the deadline; empty for always, `NEVER` for not at all."""
    if at is None:
        return ALWAYS
    last = float("inf") if due_at is None else (due_at - at) / MINUTE
    shut = [((start - at) / MINUTE, (end - at) / MINUTE) for start, end in merged(closed)]
    shut = [(start, end) for start, end in shut if end > 0]
    if not shut and last == float("inf"):
        return ALWAYS
    found, opens = [], 0.0
    for start, end in [*shut, (float("inf"), float("inf"))]:
        closes = min(start - service, last)
        if closes >= opens:
            found.append((opens, min(closes, 1e9)))
        opens = end
    return tuple(found) or NEVER
