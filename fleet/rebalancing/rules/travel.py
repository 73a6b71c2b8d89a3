"""How long a van takes between places: one seam for straight lines, road services and tables."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.solver.problem import FAR, Floats
from mobility.core.geo import haversine_m

# What is farther than this from every point of a table, the table says nothing about.
REACH_M = 1_500.0


@dataclass(frozen=True, kw_only=True)
class TravelTimes:
    """Minutes of driving between points, NaN where no way is known."""

    lon: Floats
    lat: Floats
    minutes: Floats

    @classmethod
    def of_matrix(cls, *, points: Sequence[Sequence[float]], minutes: Floats) -> Self:
        """From points (longitude, latitude) and the minutes between them."""
        at = np.array(points, dtype=np.float64).reshape(-1, 2)
        return cls(lon=at[:, 0], lat=at[:, 1], minutes=minutes)

    @classmethod
    def of_pairs(
        cls, *, points: Sequence[Sequence[float]], pairs: Mapping[tuple[int, int], float]
    ) -> Self:
        """From the pairs that are known; a pair known in one direction only is one in the other,
        the rest are holes."""
        minutes = np.full((len(points), len(points)), np.nan)
        for (start, end), value in pairs.items():
            minutes[start, end] = value
        minutes = np.where(np.isnan(minutes), minutes.T, minutes)
        np.fill_diagonal(minutes, 0.0)
        return cls.of_matrix(points=points, minutes=minutes)

    @classmethod
    def unpacked(cls, *, points: Sequence[Sequence[float]], packed: bytes) -> Self:
        """From how a row keeps it."""
        flat = np.frombuffer(zlib.decompress(packed), dtype="<f4")
        minutes = flat.reshape(len(points), len(points)).astype(np.float64)
        return cls.of_matrix(points=points, minutes=minutes)

    def packed(self) -> bytes:
        """As a row keeps it: float32 row by row, deflated."""
        return zlib.compress(self.minutes.astype("<f4").tobytes(), 1)

    @property
    def holes(self) -> int:
        """Pairs of points without a way."""
        return int(np.isnan(self.minutes).sum())

    def bridged(self) -> TravelTimes:
        """With every hole filled by the shortest way over other points, where there is one.

        Floyd and Warshall, one array operation for each point between; only holes change.
        """
        best = np.where(np.isnan(self.minutes), np.inf, self.minutes)
        np.fill_diagonal(best, 0.0)
        for between in range(best.shape[0]):
            np.minimum(best, best[:, between, None] + best[None, between, :], out=best)
        filled = np.where(np.isnan(self.minutes), best, self.minutes)
        return TravelTimes(
            lon=self.lon, lat=self.lat, minutes=np.where(np.isinf(filled), np.nan, filled)
        )


def straight_minutes(*, lon: Floats, lat: Floats, parameters: Parameters) -> Floats:
    """Minutes between all pairs: straight distance, a detour factor, a city speed."""
    metres = haversine_m(lon[:, None], lat[:, None], lon[None, :], lat[None, :])
    return _driven(metres, parameters)


def travel_minutes(
    *, lon: Floats, lat: Floats, parameters: Parameters, table: TravelTimes | None
) -> Floats:
    """Minutes between all pairs of places; `FAR` where there is no way.

    1. Straight lines where there is no table. 2. Else each place takes the table's nearest point
    and a straight way to it. 3. Places that share a point, or lie beyond the table's reach, have
    straight lines between them.
    """
    straight = straight_minutes(lon=lon, lat=lat, parameters=parameters)
    if table is None or table.lon.size == 0:
        return straight
    metres = haversine_m(lon[:, None], lat[:, None], table.lon[None, :], table.lat[None, :])
    point = metres.argmin(axis=1)
    away = metres[np.arange(lon.size), point]
    access = np.where(away > 1.0, _driven(away, parameters), 0.0)
    driven = access[:, None] + table.minutes[np.ix_(point, point)] + access[None, :]
    known = (away <= REACH_M)[:, None] & (away <= REACH_M)[None, :]
    known &= point[:, None] != point[None, :]
    minutes = np.where(known, np.nan_to_num(driven, nan=FAR), straight)
    np.fill_diagonal(minutes, 0.0)
    return minutes


def _driven(metres: Floats, parameters: Parameters) -> Floats:
    minutes: Floats = metres * parameters.detour / (parameters.van_speed_kmh * 1000.0 / 60.0)
    return minutes
