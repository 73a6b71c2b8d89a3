"""What a plan starts from: places, vehicles and expected demand, free of any database."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fleet.rebalancing.rules.forecast import Spread
from fleet.rebalancing.rules.hours import Interval
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
    broken: bool = False  # only a workshop makes it usable
    booked_at: datetime.datetime | None = None  # somebody has it from then on


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where a van unloads broken vehicles."""

    name: str
    cell: int
    lon: float
    lat: float
    closed: tuple[Interval, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChargingHub:
    """Where a car can be plugged in."""

    name: str
    cell: int
    lon: float
    lat: float
    free: int  # connectors


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Expected demand of one kind in the horizon, (place, hour), trips per hour."""

    departures: Floats
    arrivals: Floats
    capacity: Ints  # vehicles a place may hold
    usual: Floats | None = None  # share of the hour in which a vehicle stands there; all when None
    spread: Spread = field(default_factory=Spread)
    seen: bool = True  # whether it rests on any trip, or on the prior alone

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
    # The moment it describes, from which minutes are counted; None where no hours matter.
    at: datetime.datetime | None = None
    # Vehicles, of any kind, that still find room at each place; where nobody counts, many.
    bays: Ints | None = None
    # When no crew may work, by place.
    closed: Mapping[int, tuple[Interval, ...]] = field(default_factory=dict)
    workshops: tuple[Workshop, ...] = ()
    charging: tuple[ChargingHub, ...] = ()
    # Vehicles that decided tasks will bring to each place, or (below zero) take from it.
    promised: Mapping[str, Ints] = field(default_factory=dict)
    # By kind, those that stand on vans, or soon will, and are promised to no place yet.
    afloat: Mapping[str, int] = field(default_factory=dict)

    def stock(self, *, kind: str) -> Ints:
        """Usable vehicles of a kind at each place."""
        standing = self._count([v.place for v in self.vehicles if v.kind == kind and v.usable])
        return np.maximum(0, standing + self.promised[kind]) if kind in self.promised else standing

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
            and vehicle.booked_at is None
            and vehicle.battery_pct is not None
            and vehicle.battery_pct < low_battery_pct
        ]
        return sorted(chosen, key=lambda vehicle: (vehicle.battery_pct or 0, vehicle.vehicle_id))

    def booked_and_weak(self, *, kind: str, enough_pct: int) -> list[VehicleAt]:
        """Vehicles of a kind that somebody booked and that will not last, soonest first."""
        booked = [
            (vehicle.booked_at, vehicle)
            for vehicle in self.vehicles
            if vehicle.kind == kind
            and vehicle.booked_at is not None
            and vehicle.battery_pct is not None
            and vehicle.battery_pct < enough_pct
        ]
        booked.sort(key=lambda pair: (pair[0], pair[1].vehicle_id))
        return [vehicle for _begins, vehicle in booked]

    def broken(self, *, kind: str) -> list[VehicleAt]:
        """Vehicles of a kind that a workshop waits for."""
        return [vehicle for vehicle in self.vehicles if vehicle.kind == kind and vehicle.broken]

    def _count(self, places: list[int]) -> Ints:
        return np.bincount(np.array(places, dtype=np.int64), minlength=self.cells.size)
