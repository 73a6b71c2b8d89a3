"""Which fixes to believe: a vehicle does not fly, and one jump of a receiver proves nothing.

1. A fix is believed when the vehicle can have come there from the last believed one.
2. If not, it is in doubt. The next fix that agrees with the one in doubt is believed: two that
   agree are a place, however far away (a vehicle that was carried off while it was silent).
3. A fix that agrees with the last believed one is believed, and the doubt is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mobility.core.geo import haversine_m

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fleet.telematics.records import Points

# A rider goes downhill faster than the motor may, and a van carries scooters over the motorway.
SPEED_MARGIN = 1.5
LEAST_LIMIT_MPS = 40.0
# Two good fixes of a standing vehicle can be this far apart.
SLACK_M = 50.0

NEVER = np.iinfo(np.int64).min
FIX = np.dtype([("at_us", "<i8"), ("lon_e7", "<i4"), ("lat_e7", "<i4"), ("doubt_m", "<f4")])


class Fix(NamedTuple):
    """Where a vehicle said it was: µs since 1970, 1e-7 degrees, and the doubt in metres."""

    at_us: int
    lon_e7: int
    lat_e7: int
    doubt_m: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Belief:
    """For each point whether it is believed, and by row the fix that is still in doubt."""

    believed: NDArray[np.bool_]
    in_doubt: Mapping[int, Fix]


def limit_mps(max_speed_kmh: NDArray[np.float64]) -> NDArray[np.float64]:
    """The speed beyond which a step is a jump, in m/s, by the top speed of the type in km/h."""
    return np.maximum(max_speed_kmh / 3.6 * SPEED_MARGIN, LEAST_LIMIT_MPS)


def fixes_of(points: Points) -> NDArray[np.void]:
    """The fixes of points (type `FIX`); a doubt that is not told counts as none."""
    fixes = np.empty(len(points), dtype=FIX)
    for name in ("at_us", "lon_e7", "lat_e7"):
        fixes[name] = points[name]
    fixes["doubt_m"] = np.maximum(points["accuracy_dm"], 0) / 10.0
    return fixes


def distances_m(starts: NDArray[np.void], ends: NDArray[np.void]) -> NDArray[np.float64]:
    """Metres between two columns of fixes or points, on the sphere."""
    metres: NDArray[np.float64] = haversine_m(
        starts["lon_e7"] / 1e7,
        starts["lat_e7"] / 1e7,
        ends["lon_e7"] / 1e7,
        ends["lat_e7"] / 1e7,
    )
    return metres


def believe(
    points: Points,
    *,
    rows: NDArray[np.int64],
    last: NDArray[np.void],
    in_doubt: NDArray[np.void],
    limits_mps: NDArray[np.float64],
) -> Belief:
    """Judge points that are in order and newer than the last believed fix of their vehicle.

    `rows` tells for each point its vehicle's place in the other three, which stand one a vehicle:
    the last believed fix, the fix in doubt (both of type `FIX`), and the limit in m/s. All steps
    are measured at once; only vehicles with a step that is too fast are walked fix by fix.
    """
    believed = np.ones(len(points), dtype=bool)
    suspects = np.unique(rows[_too_fast(points, rows, last, limits_mps)])
    left_over: dict[int, Fix] = {}
    firsts = np.searchsorted(rows, suspects, side="left")
    ends = np.searchsorted(rows, suspects, side="right")
    for row, first, end in zip(suspects.tolist(), firsts, ends, strict=True):
        verdicts, doubt = _walk(
            _fixes(points[first:end]),
            last=_fix(last[row]),
            doubt=_fix(in_doubt[row]),
            limit_mps=float(limits_mps[row]),
        )
        believed[first:end] = verdicts
        if doubt is not None:
            left_over[row] = doubt
    return Belief(believed=believed, in_doubt=left_over)


def reachable(start: Fix, end: Fix, *, limit_mps: float) -> bool:
    """Whether a vehicle can have come from one fix to the other, in the time between them."""
    metres = haversine_m(start.lon_e7 / 1e7, start.lat_e7 / 1e7, end.lon_e7 / 1e7, end.lat_e7 / 1e7)
    seconds = abs(end.at_us - start.at_us) / 1e6
    return metres <= limit_mps * seconds + SLACK_M + start.doubt_m + end.doubt_m


def _too_fast(
    points: Points,
    rows: NDArray[np.int64],
    last: NDArray[np.void],
    limits_mps: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """The points that cannot be reached from the one before them, the first from `last`."""
    here = fixes_of(points)
    before = np.roll(here, 1)
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    before[first] = last[rows[first]]
    # A vehicle that never spoke can be anywhere: its first fix is its own predecessor.
    never = first[before["at_us"][first] == NEVER]
    before[never] = here[never]
    seconds = np.abs(here["at_us"] - before["at_us"]) / 1e6
    reach = limits_mps[rows] * seconds + SLACK_M + before["doubt_m"] + here["doubt_m"]
    too_fast: NDArray[np.bool_] = distances_m(before, here) > reach
    return too_fast


def _walk(
    fixes: list[Fix],
    *,
    last: Fix | None,
    doubt: Fix | None,
    limit_mps: float,
) -> tuple[list[bool], Fix | None]:
    verdicts = []
    for fix in fixes:
        near = last is None or reachable(last, fix, limit_mps=limit_mps)
        agrees = doubt is not None and reachable(doubt, fix, limit_mps=limit_mps)
        verdicts.append(near or agrees)
        last, doubt = (fix, None) if near or agrees else (last, fix)
    return verdicts, doubt


def _fixes(points: Points) -> list[Fix]:
    return [Fix(*values) for values in fixes_of(points).tolist()]


def _fix(row: np.void) -> Fix | None:
    return None if row["at_us"] == NEVER else Fix(*row.item())
