"""The meter's stretches, and how long a trip waits for whom."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from bookings.pricing.rules import Segment, SegmentKind

Stretch = Mapping[str, Any]

UNLOCK_TTL_S = 20
LOCK_TTL_S = 20

# Beside the minute a vehicle gets: people find their bank's app, and their glasses.
BANK_PATIENCE = datetime.timedelta(minutes=4)
START_PATIENCE = datetime.timedelta(seconds=60)
END_PATIENCE = datetime.timedelta(seconds=90)
PRICE_PATIENCE = datetime.timedelta(seconds=60)

# A running trip holds its vehicle this far ahead, never to infinity.
HORIZON = datetime.timedelta(hours=2)
HORIZON_LOW = datetime.timedelta(hours=1)


def begin(kind: SegmentKind, *, at: datetime.datetime, itself: bool = False) -> list[Stretch]:
    """The meter starts; `itself` marks a stretch that nobody asked for."""
    row = {"kind": kind.value, "start": at.isoformat(), "end": None}
    return [{**row, "itself": True} if itself else row]


def switch(
    stretches: Sequence[Stretch],
    kind: SegmentKind,
    *,
    at: datetime.datetime,
    itself: bool = False,
) -> list[Stretch]:
    """One stretch ends where the next one begins."""
    return [*close(stretches, at=at), *begin(kind, at=at, itself=itself)]


def close(stretches: Sequence[Stretch], *, at: datetime.datetime) -> list[Stretch]:
    """The meter stands; a stretch that would end before it began ends where it began."""
    *done, last = stretches
    if last["end"] is not None:
        return list(stretches)
    end = max(at, datetime.datetime.fromisoformat(last["start"]))
    return [*done, {**last, "end": end.isoformat()}]


def cut(stretches: Sequence[Stretch], *, at: datetime.datetime) -> list[Stretch]:
    """The meter stood earlier than was thought: nothing after `at` counts.

    The first stretch always stays, if need be without any length; one that had ended before `at`
    keeps its end.
    """
    first, *rest = stretches
    kept = [first, *(row for row in rest if datetime.datetime.fromisoformat(row["start"]) < at)]
    return [_until(row, at) for row in kept]


def _until(row: Stretch, at: datetime.datetime) -> Stretch:
    start = datetime.datetime.fromisoformat(row["start"])
    end = at if row["end"] is None else min(at, datetime.datetime.fromisoformat(row["end"]))
    return {**row, "end": max(start, end).isoformat()}


def reopen_previous(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The last switch did not happen after all: the stretch before it goes on."""
    *done, previous, _undone = stretches
    return [*done, {**previous, "end": None}]


def segments(stretches: Sequence[Stretch], *, at: datetime.datetime) -> tuple[Segment, ...]:
    """The stretches for the price rules, an open one as if it ended at `at`."""
    if not stretches:
        return ()
    return tuple(
        Segment(
            kind=SegmentKind(row["kind"]),
            start=datetime.datetime.fromisoformat(row["start"]),
            end=datetime.datetime.fromisoformat(row["end"]),
        )
        for row in close(stretches, at=at)
    )
