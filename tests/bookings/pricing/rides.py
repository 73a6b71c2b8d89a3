"""Rides to price: stretches of riding and pausing from an instant on."""

import datetime

from bookings.pricing.rules import Segment, SegmentKind

NOON = datetime.datetime(2026, 5, 1, 10, 0, tzinfo=datetime.UTC)


def minutes_later(at: datetime.datetime, minutes: float) -> datetime.datetime:
    """The instant so many minutes on."""
    return at + datetime.timedelta(minutes=minutes)


def ride(*lengths_s: float, start: datetime.datetime = NOON) -> tuple[Segment, ...]:
    """Riding and pausing in turns, each for so many seconds."""
    parts = []
    for number, length in enumerate(lengths_s):
        end = start + datetime.timedelta(seconds=length)
        kind = SegmentKind.PAUSED if number % 2 else SegmentKind.RUNNING
        parts.append(Segment(kind=kind, start=start, end=end))
        start = end
    return tuple(parts)
