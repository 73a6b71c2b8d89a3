"""Counting points by quarter of an hour, kind of vehicle and cell: pure, no database, no vehicle in it."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h3.api.basic_int as h3
import numpy as np

from fleet.telematics import records

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.telematics.records import Points

# About 460 m from centre to corner, as in the plans for rebalancing.
RESOLUTION = 8
BUCKET = datetime.timedelta(minutes=15)
# For so long a vehicle is taken to be where it said last.
HOLDS = datetime.timedelta(minutes=15)

_BUCKET_US = BUCKET // datetime.timedelta(microseconds=1)
_HOLDS_US = HOLDS // datetime.timedelta(microseconds=1)
# Points within about a metre are asked for their cell once.
_ROUND_E7 = 100

Key = tuple[int, str, int]
Place = tuple[float, ...]


@dataclass(kw_only=True)
class _Sum:
    points: int = 0
    vehicle_us: int = 0
    starts: int = 0
    ends: int = 0
    distance_m: int = 0


@dataclass(kw_only=True)
class Tally:
    """The counts of the time from `since` to before `until`, as points and trips are added."""

    since: datetime.datetime
    until: datetime.datetime
    points: int = 0
    _sums: defaultdict[Key, _Sum] = field(default_factory=lambda: defaultdict(_Sum))

    def add_points(self, points: Points, *, kind: str) -> None:
        """Points of one vehicle, in order; some from before `since` may lead."""
        if not len(points):
            return
        cells = _cells(points)
        at_us = points["at_us"].astype(np.int64)
        nexts = np.append(at_us[1:], records.to_us(self.until))
        until_us = np.minimum(nexts, at_us + _HOLDS_US)
        border_us = (at_us // _BUCKET_US + 1) * _BUCKET_US
        first_us = np.minimum(until_us, border_us) - at_us
        rest_us = np.maximum(until_us - border_us, 0)
        self._add(at_us // _BUCKET_US, cells, kind, first_us, counted=True)
        self._add(at_us // _BUCKET_US + 1, cells, kind, rest_us, counted=False)

    def add_start(self, place: Place, *, kind: str, at: datetime.datetime, distance_m: int) -> None:
        """A trip that started within the time, at (longitude, latitude)."""
        sums = self._sums[_key(place, kind, at)]
        sums.starts += 1
        sums.distance_m += distance_m

    def add_end(self, place: Place, *, kind: str, at: datetime.datetime) -> None:
        """A trip that ended within the time, at (longitude, latitude)."""
        self._sums[_key(place, kind, at)].ends += 1

    def rows(self) -> Iterator[dict[str, Any]]:
        """The counts, one for each quarter of an hour, kind and cell, in that order."""
        for (bucket, kind, cell), sums in sorted(self._sums.items()):
            yield {
                "at": records.from_us(bucket * _BUCKET_US),
                "kind": kind,
                "cell": cell,
                "points": sums.points,
                "vehicle_s": round(sums.vehicle_us / 1_000_000),
                "starts": sums.starts,
                "ends": sums.ends,
                "distance_m": sums.distance_m,
            }

    def _add(
        self,
        buckets: NDArray[np.int64],
        cells: NDArray[np.int64],
        kind: str,
        lasted_us: NDArray[np.int64],
        *,
        counted: bool,
    ) -> None:
        since, until = (records.to_us(end) // _BUCKET_US for end in (self.since, self.until))
        inside = (buckets >= since) & (buckets < until) & (counted | (lasted_us > 0))
        keys, place = np.unique(
            np.column_stack([buckets[inside], cells[inside]]), axis=0, return_inverse=True
        )
        place = place.reshape(-1)
        lasted = np.bincount(place, weights=lasted_us[inside], minlength=len(keys))
        counts = np.bincount(place, minlength=len(keys)) * counted
        for (bucket, cell), us, count in zip(
            keys.tolist(), lasted.tolist(), counts.tolist(), strict=True
        ):
            sums = self._sums[(bucket, kind, cell)]
            sums.points += count
            sums.vehicle_us += int(us)
            self.points += count


def cell_at(lon: float, lat: float) -> int:
    """The cell of a place in degrees."""
    return int(h3.latlng_to_cell(lat, lon, RESOLUTION))


def _key(place: Place, kind: str, at: datetime.datetime) -> Key:
    return records.to_us(at) // _BUCKET_US, kind, cell_at(*place[:2])


def _cells(points: Points) -> NDArray[np.int64]:
    places = np.column_stack([points["lon_e7"], points["lat_e7"]]).astype(np.int64) // _ROUND_E7
    distinct, place = np.unique(places, axis=0, return_inverse=True)
    cells = [
        cell_at(lon * _ROUND_E7 / 1e7, lat * _ROUND_E7 / 1e7) for lon, lat in distinct.tolist()
    ]
    return np.array(cells, dtype=np.int64)[place.reshape(-1)]
