"""Which borders of zones were crossed: from where points lie to what is believed of it.

A vehicle is inside a zone, or outside, once two points in a row say so; one alone is not enough,
or a vehicle at a border would enter and leave all day. What crossed is told for the first of the
two. A zone that only one point lay in, or none between two points on both sides of it, was passed.

Written over the points that lie inside zones, not over every point and every zone: a run of
consecutive points inside one zone confirms "inside" at its second point, and the second point
after its end confirms "outside". What was believed before the batch goes in as points before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

ENTER, LEAVE, PASSED = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Inside:
    """What is believed of vehicles (by row) and zones, before a batch or after it.

    `settled` says inside, `wavering` that the last point said the opposite.
    """

    row: Ints
    zone: Ints
    settled: NDArray[np.bool_]
    wavering: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Crossings:
    """Borders met: `place` counts the vehicle's points of the batch, −1 is the one before it."""

    row: Ints
    zone: Ints
    place: Ints
    kind: Ints


@dataclass(frozen=True, kw_only=True)
class _Runs:
    """Consecutive points inside one zone: from `start` to `end`, in order by `key`."""

    key: Ints
    start: Ints
    end: Ints


def cross(
    *,
    counts: Ints,
    row: Ints,
    place: Ints,
    zone: Ints,
    zones: int,
    before: Inside,
    anew: NDArray[np.bool_],
) -> tuple[Crossings, Inside]:
    """The borders crossed in a batch, and what is believed after it.

    `counts` are the points of each vehicle; `row`, `place`, `zone` say which point of which vehicle
    lies in which of `zones` zones. Vehicles marked in `anew` are judged as if they had always been
    where their first point is: nothing they do there is a crossing.
    """
    keys, places = _with_before(row, place, zone, zones, before, anew)
    order = np.lexsort((places, keys))
    runs = _runs(keys[order], places[order])
    last = counts[runs.key // zones] - 1
    valid, moment = _marks(runs, last)
    index, previous = _previous_marks(runs, valid)
    inside = np.tile([True, False], len(runs.key))
    changes = valid & (inside != previous) & (moment >= 0)
    kind = np.where(inside, ENTER, LEAVE)
    passed = _passed(runs, last, previous)
    crossings = Crossings(
        row=np.concatenate([runs.key[index[changes]], runs.key[passed]]) // zones,
        zone=np.concatenate([runs.key[index[changes]], runs.key[passed]]) % zones,
        place=np.concatenate([moment[changes] - 1, runs.start[passed]]),
        kind=np.concatenate([kind[changes], np.full(int(passed.sum()), PASSED)]),
    )
    return crossings, _after(runs, last, valid, zones)


def _with_before(
    row: Ints,
    place: Ints,
    zone: Ints,
    zones: int,
    before: Inside,
    anew: NDArray[np.bool_],
) -> tuple[Ints, Ints]:
    """Keys and places of all points inside, with those that stand for what was believed before."""
    known = ~anew[before.row]
    old = before.row[known] * zones + before.zone[known]
    settled, wavering = before.settled[known], before.wavering[known]
    sure, leaving, entering = settled & ~wavering, settled & wavering, ~settled & wavering
    keys = row * zones + zone
    always = keys[anew[row] & (place == 0)]
    virtual = (
        (old[sure], -1),
        (old[sure], -2),
        (old[leaving], -2),
        (old[leaving], -3),
        (old[entering], -1),
        (always, -1),
        (always, -2),
    )
    return (
        np.concatenate([keys, *(some for some, _where in virtual)]),
        np.concatenate([place, *(np.full(len(some), where) for some, where in virtual)]),
    )


def _runs(keys: Ints, places: Ints) -> _Runs:
    breaks = (np.diff(keys) != 0) | (np.diff(places) > 1)
    edges = np.flatnonzero(breaks)
    if not len(keys):
        empty = np.zeros(0, dtype=np.int64)
        return _Runs(key=empty, start=empty, end=empty)
    starts = np.concatenate([[0], edges + 1])
    ends = np.concatenate([edges, [len(keys) - 1]])
    return _Runs(key=keys[starts], start=places[starts], end=places[ends])


def _marks(runs: _Runs, last: Ints) -> tuple[NDArray[np.bool_], Ints]:
    """For each run two marks, inside and outside: whether it was confirmed, and by which point."""
    following = np.append(runs.start[1:], 0)
    same = np.append(runs.key[1:] == runs.key[:-1], False) if len(runs.key) else runs.key == 1
    next_inside = np.where(same, following, last + 1)
    valid = np.empty(2 * len(runs.key), dtype=bool)
    moment = np.empty(2 * len(runs.key), dtype=np.int64)
    valid[0::2] = runs.end > runs.start
    moment[0::2] = runs.start + 1
    valid[1::2] = next_inside >= runs.end + 3
    moment[1::2] = runs.end + 2
    return valid, moment


def _previous_marks(runs: _Runs, valid: NDArray[np.bool_]) -> tuple[Ints, NDArray[np.bool_]]:
    """The run of each mark, and what was believed before it: outside when nothing was."""
    marks = np.arange(len(valid))
    index = marks // 2
    latest = np.maximum.accumulate(np.where(valid, marks, -1)) if len(valid) else marks
    before = np.concatenate([[-1], latest[:-1]]) if len(valid) else latest
    known = (before >= 0) & (runs.key[index] == runs.key[np.maximum(before, 0) // 2])
    return index, known & (before % 2 == 0)


def _passed(runs: _Runs, last: Ints, previous: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Runs of one point, in and out again, by a vehicle that was outside and stayed so."""
    single = (runs.start == runs.end) & (runs.start >= -1) & (runs.end < last)
    passed: NDArray[np.bool_] = single & ~previous[0::2]
    return passed


def _after(runs: _Runs, last: Ints, valid: NDArray[np.bool_], zones: int) -> Inside:
    """What is believed once all points are taken in; zones of no interest are left out."""
    ends = np.flatnonzero(np.append(np.diff(runs.key) != 0, True)) if len(runs.key) else runs.key
    marks = np.arange(len(valid))
    latest = np.maximum.accumulate(np.where(valid, marks, -1)) if len(valid) else marks
    final = latest[2 * ends + 1]
    known = (final >= 0) & (runs.key[np.maximum(final, 0) // 2] == runs.key[ends])
    settled = known & (final % 2 == 0)
    inside_last = runs.end[ends] == last[ends]
    kept = settled | inside_last
    return Inside(
        row=runs.key[ends][kept] // zones,
        zone=runs.key[ends][kept] % zones,
        settled=settled[kept],
        wavering=(inside_last != settled)[kept],
    )
