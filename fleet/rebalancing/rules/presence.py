"""In which hours a place had at least one vehicle to offer."""

from __future__ import annotations

import numpy as np

from fleet.rebalancing.solver.problem import Floats, Ints


def presence_hours(*, place: Ints, since: Floats, until: Floats, places: int, hours: int) -> Floats:
    """Share of each hour, (place, hour), in which one or more of the intervals cover the place.

    `since` and `until` are in hours from the start of the window; what lies outside is cut off.
    1. Sweep each place's interval ends in order of time. 2. Keep the stretches where at least one
    vehicle is present. 3. Cut them at the full hours and add up.
    """
    begins, ends = np.clip(since, 0.0, hours), np.clip(until, 0.0, hours)
    kept = ends > begins
    at, opened, closed = _covered(place=place[kept], begins=begins[kept], ends=ends[kept])
    pieces = np.ceil(closed).astype(np.int64) - np.floor(opened).astype(np.int64)
    row = np.repeat(np.arange(at.size), pieces)
    step = np.arange(row.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    hour = np.floor(opened[row]).astype(np.int64) + step
    length = np.minimum(closed[row], hour + 1) - np.maximum(opened[row], hour)
    flat = np.bincount(at[row] * hours + hour, weights=length, minlength=places * hours)
    return flat.reshape(places, hours).astype(np.float64)


def by_bucket(*, values: Floats, bucket_of_hour: Ints, buckets: int) -> Floats:
    """Add up (place, hour) into (place, bucket of the week)."""
    totals = np.zeros((buckets, values.shape[0]))
    np.add.at(totals, bucket_of_hour, values.T)
    return totals.T


def _covered(*, place: Ints, begins: Floats, ends: Floats) -> tuple[Ints, Floats, Floats]:
    """Maximal stretches with at least one interval: their places, starts and ends."""
    places = np.concatenate([place, place])
    times = np.concatenate([begins, ends])
    change = np.repeat([1, -1], place.size)
    # At equal times a begin sorts before an end, so that touching intervals join.
    order = np.lexsort((-change, times, places))
    places, times, change = places[order], times[order], change[order]
    open_now = np.cumsum(change)
    starts = (change == 1) & (open_now == 1)
    stops = (change == -1) & (open_now == 0)
    return places[starts], times[starts], times[stops]
