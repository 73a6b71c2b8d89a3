"""From seconds to started minutes: what a ride's time consists of, for every elapsed 24 hours."""

import dataclasses
import datetime
import enum
import math
from collections import Counter
from collections.abc import Iterator, Sequence

from bookings.pricing.rules.fares import Fare
from bookings.pricing.rules.windows import cuts, shows

MINUTE_S = 60
DAY_S = 24 * 60 * MINUTE_S


class SegmentKind(enum.StrEnum):
    """What a rider's time is spent on."""

    RUNNING = "running"
    PAUSED = "paused"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of one trip, `[start, end)`."""

    kind: SegmentKind
    start: datetime.datetime
    end: datetime.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Minutes:
    """Started minutes that follow each other and cost `cents` each."""

    kind: SegmentKind
    count: int
    cents: int


# The minutes of one elapsed 24 hours, in their order.
Day = tuple[Minutes, ...]


def started_minutes(seconds: int) -> int:
    """Whole minutes of which each one that was started counts."""
    return -(-seconds // MINUTE_S)


def ridden_s(segments: Sequence[Segment]) -> int:
    """Whole seconds, riding and paused."""
    return sum(int((part.end - part.start).total_seconds()) for part in segments)


def minutes_by_day(*, fare: Fare, segments: Sequence[Segment]) -> list[Day]:
    """Started minutes for every elapsed 24 hours since the first segment began.

    1. Elapsed time, not the calendar: the two days of a clock change are billed like all others.
    2. In each 24 hours minutes are started once per kind, however often the kinds take turns.
    3. A minute costs what it costs at the instant at which it begins.
    """
    if not segments:
        return []
    days: dict[int, list[Minutes]] = {0: []}
    seconds: Counter[tuple[int, SegmentKind]] = Counter()
    for day, kind, start, length in _pieces(fare, segments):
        before = seconds[day, kind]
        seconds[day, kind] += length
        count = started_minutes(before + length) - started_minutes(before)
        runs = days.setdefault(day, [])
        if count:
            _append(runs, Minutes(kind, count, minute_cents(fare, kind, at=start)))
    return [tuple(days[day]) for day in sorted(days)]


def minute_cents(fare: Fare, kind: SegmentKind, *, at: datetime.datetime) -> int:
    """What a minute costs that begins at `at`; of several windows the first one that says it decides."""
    paused = kind is SegmentKind.PAUSED
    for window in fare.windows:
        asked = window.pause_minute_cents if paused else window.minute_cents
        if asked is not None and shows(window, at):
            return asked
    return fare.pause_minute_cents if paused else fare.minute_cents


def unlock_cents(fare: Fare, *, at: datetime.datetime) -> int:
    """What unlocking costs at `at`."""
    for window in fare.windows:
        if window.unlock_cents is not None and shows(window, at):
            return window.unlock_cents
    return fare.unlock_cents


def counted(days: Sequence[Day], *kinds: SegmentKind) -> int:
    """How many minutes of `kinds` there are."""
    return sum(run.count for day in days for run in day if run.kind in kinds)


def without_first(days: Sequence[Day], riding: int) -> list[Day]:
    """The days without their first `riding` minutes of riding."""
    rest: list[Day] = []
    for day in days:
        kept = []
        for run in day:
            off = min(run.count, riding) if run.kind is SegmentKind.RUNNING else 0
            riding -= off
            if run.count > off:
                kept.append(dataclasses.replace(run, count=run.count - off))
        rest.append(tuple(kept))
    return rest


def _append(runs: list[Minutes], run: Minutes) -> None:
    last = runs[-1] if runs else None
    if last is not None and (last.kind, last.cents) == (run.kind, run.cents):
        runs[-1] = dataclasses.replace(last, count=last.count + run.count)
    else:
        runs.append(run)


def _pieces(
    fare: Fare, segments: Sequence[Segment]
) -> Iterator[tuple[int, SegmentKind, datetime.datetime, int]]:
    """(day, kind, first instant of a minute in it, whole seconds), cut at days and at windows.

    A piece that a window cuts off begins in the middle of a minute, whose price is that of its
    beginning; the first minute that begins in the piece begins within it, and so under its window.
    """
    origin = segments[0].start
    for segment in segments:
        start_s, end_s = (
            int((moment - origin).total_seconds()) for moment in (segment.start, segment.end)
        )
        marks = {
            math.ceil((cut - origin).total_seconds())
            for cut in cuts(fare.windows, start=segment.start, end=segment.end)
        }
        marks.update(range((start_s // DAY_S + 1) * DAY_S, end_s, DAY_S))
        while start_s < end_s:
            stop = min((mark for mark in marks if mark > start_s), default=end_s)
            instant = origin + datetime.timedelta(seconds=start_s)
            yield start_s // DAY_S, segment.kind, instant, min(stop, end_s) - start_s
            start_s = min(stop, end_s)
