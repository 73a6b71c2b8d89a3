"""How far a vehicle went, from its points alone, and the line that is kept of it.

The distance is a function of the set of stored points: the order in which they arrived, or how
often, makes no difference.
1. Points stand in the order of the device's clock; fixes that are not believed (`jumps`) are left
   out. Where two that follow each other are still too far apart for the time between them, the
   step counts nothing.
2. A step to or from a point that tells a speed of `MOVING_CMS` or more counts in full: the
   great-circle distance (haversine, mean radius of the earth).
3. Between points that tell no speed, or that they stand, metres are counted only when the vehicle
   has left a circle around where it last was counted: a receiver wanders, a parked vehicle does
   not. The circle is `QUIET_M` wide, `STANDING_M` if both say that they stand, and never narrower
   than the doubt that the point tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from shapely import LineString

from fleet.telematics.rules import jumps
from mobility.core.geo import EARTH_RADIUS_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.telematics.records import Points

MOVING_CMS = 50
QUIET_M = 15.0
STANDING_M = 30.0
# A receiver that says it is a kilometre in doubt shall not swallow the ride.
_WIDEST_M = 100.0

# Douglas–Peucker: what is left out lies at most this far from the line.
LINE_TOLERANCE_M = 5.0

_METRE_E7 = 1e7 / np.radians(1) / EARTH_RADIUS_M


@dataclass(frozen=True, kw_only=True)
class Way:
    """Metres, and the corners of the simplified line as (longitude, latitude) in degrees."""

    distance_m: float
    corners: list[tuple[float, float]]


def way_of(points: Points, *, limit_mps: float) -> Way:
    """The way along points that are in order of device time, each moment once.

    `limit_mps` is the speed in m/s beyond which a step is a jump (`jumps.limit_mps`).
    """
    if not len(points):
        return Way(distance_m=0.0, corners=[])
    good = points[_believed(points, limit_mps)]
    return Way(distance_m=_distance_m(good, limit_mps), corners=_corners(good))


def _believed(points: Points, limit_mps: float) -> NDArray[np.bool_]:
    nothing = np.array([jumps.Fix(jumps.NEVER, 0, 0)], dtype=jumps.FIX)
    belief = jumps.believe(
        points,
        rows=np.zeros(len(points), dtype=np.int64),
        last=nothing,
        in_doubt=nothing,
        limits_mps=np.array([limit_mps]),
    )
    return belief.believed


def _distance_m(points: Points, limit_mps: float) -> float:
    """Walk along the points, from the place that was counted last to the next that counts."""
    if len(points) < 2:
        return 0.0
    possible = _possible(points, limit_mps)
    speeds, doubts = points["speed_cms"].tolist(), jumps.fixes_of(points)["doubt_m"].tolist()
    xs, ys = _metres(points)
    total, anchor = 0.0, 0
    for here, can_be in enumerate(possible, start=1):
        if not can_be:
            anchor = here
            continue
        metres = float(np.hypot(xs[here] - xs[anchor], ys[here] - ys[anchor]))
        if metres > _circle_m(speeds[anchor], speeds[here], doubts[here]):
            total += float(
                jumps.distances_m(points[anchor : anchor + 1], points[here : here + 1])[0]
            )
            anchor = here
    return total


def _possible(points: Points, limit_mps: float) -> list[bool]:
    """For each step whether a vehicle can have made it in its time."""
    doubts = jumps.fixes_of(points)["doubt_m"]
    reach = limit_mps * np.diff(points["at_us"]) / 1e6 + jumps.SLACK_M + doubts[:-1] + doubts[1:]
    possible: list[bool] = (jumps.distances_m(points[:-1], points[1:]) <= reach).tolist()
    return possible


def _circle_m(one_cms: int, other_cms: int, doubt_m: float) -> float:
    """Within this many metres of the last counted place a point does not count."""
    if one_cms >= MOVING_CMS or other_cms >= MOVING_CMS:
        return 0.0
    quiet = QUIET_M if min(one_cms, other_cms) < 0 else STANDING_M
    return max(quiet, min(doubt_m, _WIDEST_M))


def _metres(points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """East and north of the first point, on a plane that is true near it."""
    lon, lat = points["lon_e7"].astype(np.int64), points["lat_e7"].astype(np.int64)
    shrink = np.cos(np.radians(lat[0] / 1e7))
    return (lon - lon[0]) / _METRE_E7 * shrink, (lat - lat[0]) / _METRE_E7


def _corners(points: Points) -> list[tuple[float, float]]:
    corners = np.column_stack(_metres(points))
    if len(points) > 1:
        line = LineString(corners).simplify(LINE_TOLERANCE_M, preserve_topology=False)
        corners = np.asarray(line.coords)
    return _degrees(points, corners)


def _degrees(points: Points, corners: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Corners in metres back to degrees, at the resolution of the points (1e-7)."""
    lon0, lat0 = int(points["lon_e7"][0]), int(points["lat_e7"][0])
    shrink = np.cos(np.radians(lat0 / 1e7))
    lons = np.rint(lon0 + corners[:, 0] * _METRE_E7 / shrink) / 1e7
    lats = np.rint(lat0 + corners[:, 1] * _METRE_E7) / 1e7
    return list(zip(lons.tolist(), lats.tolist(), strict=True))
