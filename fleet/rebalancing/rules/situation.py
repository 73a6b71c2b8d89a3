"""What a plan starts from: places, vehicles and expected demand, free of any database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fleet.rebalancing.rules.forecast import Spread
from fleet.rebalancing.solver.problem import Floats, Ints


@dataclass(frozen=True, kw_only=True)
class VehicleAt:
    """A vehicle that stands somewhere. `usable` can be rented; `movable` a crew may take."""

    vehicle_id: int
    kind: str
    place: int  # index of the place
    lon: float
    lat: float
    battery_pct: int | None
    usable: bool
    movable: bool


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Expected demand of one kind in the horizon, (place, hour), trips per hour."""

    departures: Floats
    arrivals: Floats
    capacity: Ints  # vehicles a place may hold
    usual: Floats | None = None  # share of the hour in which a vehicle stands there; all when None
    spread: Spread = field(default_factory=Spread)

    def trips(self) -> Floats:
        """Departures that find a vehicle, by place, as long as the fleet stands as it usually does."""
        found = self.departures if self.usual is None else self.departures * self.usual
        whole: Floats = found.sum(axis=1)
        return whole


@dataclass(frozen=True, kw_only=True)
class Situation:
    """All that a plan is made from. `lon` and `lat` are where a crew would put vehicles."""

    cells: Ints  # H3 index of each place
    lon: Floats
    lat: Floats
    vehicles: tuple[VehicleAt, ...]
    demand: Mapping[str, Demand]
    depot_lon: float
    depot_lat: float

    def stock(self, *, kind: str) -> Ints:
        """Usable vehicles of a kind at each place."""
        return self._count([v.place for v in self.vehicles if v.kind == kind and v.usable])

    def movable(self, *, kind: str) -> Ints:
        """Usable vehicles of a kind at each place that a crew may take."""
        chosen = [v.place for v in self.vehicles if v.kind == kind and v.usable and v.movable]
        return self._count(chosen)

    def flat(self, *, kind: str, low_battery_pct: int) -> list[VehicleAt]:
        """Vehicles of a kind that only a charged battery would make usable, emptiest first."""
        chosen = [
            vehicle
            for vehicle in self.vehicles
            if vehicle.kind == kind
            and vehicle.movable
            and not vehicle.usable
            and vehicle.battery_pct is not None
            and vehicle.battery_pct < low_battery_pct
        ]
        return sorted(chosen, key=lambda vehicle: (vehicle.battery_pct or 0, vehicle.vehicle_id))

    def _count(self, places: list[int]) -> Ints:
        return np.bincount(np.array(places, dtype=np.int64), minlength=self.cells.size)
