"""What the history cannot know: a forecast of the weather, a concert, a strike."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from fleet.rebalancing.solver.problem import Floats
from mobility.core.geo import haversine_m

HOUR = datetime.timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Influence:
    """Demand times `factor` for a time, in the whole city or around a point.

    Rain all morning is 0.6 everywhere; a concert is 3 within 800 m, before and after.
    """

    since: datetime.datetime
    until: datetime.datetime
    factor: float
    lon: float | None = None
    lat: float | None = None
    radius_m: float = 500.0

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From a plan's stored parameters; times are ISO 8601 with an offset."""
        return cls(
            since=datetime.datetime.fromisoformat(stored["since"]),
            until=datetime.datetime.fromisoformat(stored["until"]),
            factor=float(stored["factor"]),
            lon=stored.get("lon"),
            lat=stored.get("lat"),
            radius_m=float(stored.get("radius_m", 500.0)),
        )


def influence_factors(
    influences: Iterable[Influence],
    *,
    lon: Floats,
    lat: Floats,
    horizon_start: datetime.datetime,
    hours: int,
) -> Floats:
    """Factors on demand, (place, hour of the horizon); what overlaps multiplies.

    An hour that an influence covers in part is changed in that part.
    """
    factors = np.ones((lon.size, hours))
    for each in influences:
        begins = (each.since - horizon_start) / HOUR
        ends = (each.until - horizon_start) / HOUR
        start = np.arange(hours)
        covered = np.clip(np.minimum(ends, start + 1) - np.maximum(begins, start), 0.0, 1.0)
        near = np.ones(lon.size, dtype=bool)
        if each.lon is not None and each.lat is not None:
            near = haversine_m(each.lon, each.lat, lon, lat) <= each.radius_m
        factors *= np.where(near[:, None], 1.0 + (each.factor - 1.0) * covered, 1.0)
    return factors
