"""What a batch of points is worth, each by itself: pure decisions over whole arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.telematics import records
from fleet.telematics.states import QuarantineReason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.telematics.records import Points

_MINUTE_US = 60 * 1_000_000
_DAY_US = 24 * 60 * _MINUTE_US

# A device's clock may run ahead by this much; buffered reports may be this old.
MAX_AHEAD_US = 5 * _MINUTE_US
MAX_AGE_US = 30 * _DAY_US

# GPS counts weeks modulo 1,024: an old receiver whose counter ran over names a day that is one or
# two such rounds too early. Source: IS-GPS-200, 20.3.3.3.1.1.
GPS_ROUND_US = 1_024 * 7 * _DAY_US
_GPS_ROUNDS = 2

_ORDER = (
    QuarantineReason.OUT_OF_RANGE,
    QuarantineReason.ZERO_FIX,
    QuarantineReason.FUTURE,
    QuarantineReason.TOO_OLD,
)


def right_week(points: Points) -> int:
    """Correct in place the clocks that lost whole rounds of GPS weeks; returns how many.

    Only where the corrected moment is one that a point may have: the time of day in such a report
    is right, and only the week is wrong.
    """
    corrected = 0
    for rounds in range(1, _GPS_ROUNDS + 1):
        behind_us = points["received_us"] - points["at_us"] - rounds * GPS_ROUND_US
        lost = (behind_us >= -MAX_AHEAD_US) & (behind_us <= MAX_AGE_US)
        points["at_us"][lost] += rounds * GPS_ROUND_US
        corrected += int(lost.sum())
    return corrected


def quarantine_reasons(points: Points) -> NDArray[np.int8]:
    """For each point 0 if it can be true, else 1 + the index of its reason in `_ORDER`.

    Judged against the time of receipt at the door, never against the time of storing: a backlog
    must not make good points old.
    """
    ahead_us = points["at_us"] - points["received_us"]
    # The least int32 has no opposite: in its own type its absolute value is itself, and negative.
    lat, lon = (np.abs(points[name].astype(np.int64)) for name in ("lat_e7", "lon_e7"))
    faults = (
        (lat > 90 * 10**7) | (lon > 180 * 10**7),
        (points["lat_e7"] == 0) & (points["lon_e7"] == 0),
        ahead_us > MAX_AHEAD_US,
        ahead_us < -MAX_AGE_US,
    )
    return np.select(faults, range(1, len(faults) + 1), default=0).astype(np.int8)


def without_place(points: Points, codes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Points (with codes of `quarantine_reasons`) at fault for their place alone, which is 0/0."""
    ahead_us = points["at_us"] - points["received_us"]
    timely = (ahead_us <= MAX_AHEAD_US) & (ahead_us >= -MAX_AGE_US)
    placeless: NDArray[np.bool_] = timely & (codes == 1 + _ORDER.index(QuarantineReason.ZERO_FIX))
    return placeless


def reason_of(code: int) -> QuarantineReason:
    """The reason behind a code of `quarantine_reasons`."""
    return _ORDER[code - 1]


def in_order_once(points: Points) -> Points:
    """Sorted by vehicle and device time, each moment once.

    Of points that say different things of one moment the smallest stays, by position and then by
    the other columns: no order of arrival makes a difference.
    """
    if not len(points):
        return points
    ordered = points[np.lexsort((points["at_us"], points["vehicle_id"]))]
    if not _repeated(ordered).any():
        return ordered
    said = [points[name] for name in reversed(records.SAID)]
    ordered = points[np.lexsort((*said, points["at_us"], points["vehicle_id"]))]
    return ordered[~_repeated(ordered)]


def newest(points: Points) -> Points:
    """One row per vehicle: its newest point, of points that are in order.

    Battery, odometer and lock are carried over from an older point of the batch where the newest
    does not tell them, as they would be had the points come in two batches.
    """
    if not len(points):
        return points
    ends = np.append(np.flatnonzero(np.diff(points["vehicle_id"])), len(points) - 1)
    starts = np.concatenate([[0], ends[:-1] + 1])
    rows: Points = points[ends].copy()
    positions = np.arange(len(points))
    for name in ("battery_pct", "odometer_m", "locked"):
        told = np.maximum.reduceat(np.where(points[name] >= 0, positions, -1), starts)
        rows[name] = np.where(told >= starts, points[name][told], -1)
    return rows


def _repeated(ordered: Points) -> NDArray[np.bool_]:
    """Which points have the vehicle and moment of the one before."""
    same = (ordered["vehicle_id"][1:] == ordered["vehicle_id"][:-1]) & (
        ordered["at_us"][1:] == ordered["at_us"][:-1]
    )
    return np.concatenate([[False], same])
