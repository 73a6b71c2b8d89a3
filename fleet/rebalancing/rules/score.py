"""How far a plan's expectation was from what happened."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from fleet.rebalancing.rules.forecast import Spread, interval
from mobility.core.geo import haversine_m

MINUTE = datetime.timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Ride:
    """A ride that began: with which vehicle, where and when."""

    vehicle_id: int
    cell: int | None
    at: datetime.datetime


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A task's worth, whether it was done, and the vehicles it made usable at its place."""

    value_cents: int
    done: bool
    van: int = 0
    cell: int = 0
    lon: float = 0.0
    lat: float = 0.0
    trips: float = 0.0  # promised, for what was done
    vehicles: tuple[int, ...] = ()
    claimed_at: datetime.datetime | None = None
    arrived_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None
    driven_m: int | None = None  # measured on the way to it; None where nobody measured
    walked_m: int | None = None


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """What minutes cost and rides bring, as the plan reckoned."""

    cost_cents_per_minute: float = 0.0
    margin_cents: float = 0.0
    detour: float = 1.0
    planned_minutes: float = 0.0


def score(
    *,
    expected: Mapping[str, Mapping[str, float]],
    realised: Mapping[str, Mapping[int, float]],
    outcomes: Sequence[Outcome],
    spread: Mapping[str, Spread] | None = None,
    rides: Sequence[Ride] = (),
    tariff: Tariff | None = None,
) -> dict[str, Any]:
    """Expected and realised trips by kind, the mean absolute error per place, and work done.

    Realised trips are what the fleet could serve, so a place that stood empty realises less than
    was wanted: the ratio is a lower bound on how right the expectation was.
    """
    reckoned = tariff or Tariff()
    deeds = _deeds(outcomes, rides=rides)
    crew = crew_work(outcomes, tariff=reckoned)
    earned = deeds["realised"] * reckoned.margin_cents - crew["cost_cents"]
    return {
        "kinds": {
            kind: _compare(
                {int(cell): trips for cell, trips in cells.items()},
                realised.get(kind, {}),
                spread=(spread or {}).get(kind, Spread()),
            )
            for kind, cells in expected.items()
        },
        "tasks": len(outcomes),
        "tasks_done": sum(outcome.done for outcome in outcomes),
        "value_done_cents": sum(outcome.value_cents for outcome in outcomes if outcome.done),
        "rides": deeds,
        "crew": crew,
        "earned_cents": round(earned),
    }


def _compare(
    expected: Mapping[int, float], realised: Mapping[int, float], *, spread: Spread
) -> dict[str, float]:
    cells = sorted(expected.keys() | realised.keys())
    mean = np.array([expected.get(cell, 0.0) for cell in cells], dtype=np.float64)
    seen = np.array([realised.get(cell, 0.0) for cell in cells], dtype=np.float64)
    low, high = interval(mean=mean, spread=spread)
    (least,), (most,) = interval(mean=mean.sum(keepdims=True), spread=spread)
    inside = (seen >= low) & (seen <= high)
    return {
        "expected_trips": round(float(mean.sum()), 1),
        "at_least": float(least),
        "at_most": float(most),
        "realised_trips": round(float(seen.sum()), 1),
        "mean_absolute_error": round(float(np.abs(mean - seen).mean()), 3) if cells else 0.0,
        "inside_pct": round(float(100.0 * inside.mean()), 1) if cells else 0.0,
        "places": len(cells),
    }


def _deeds(outcomes: Sequence[Outcome], *, rides: Sequence[Ride]) -> dict[str, Any]:
    """Rides promised by what was done, beside those that began there with these vehicles.

    A ride counts for the last deed before it that put or charged its vehicle where it began; what
    the vehicle did afterwards elsewhere does not. Some of these rides would have been made with
    another vehicle: realised is an upper bound, as promised is what comes on top.
    """
    done = sorted(
        (each for each in outcomes if each.done and each.vehicles and each.finished_at),
        key=_ended,
    )
    realised = 0
    for ride in rides:
        before = [
            each
            for each in done
            if ride.vehicle_id in each.vehicles and each.finished_at and each.finished_at <= ride.at
        ]
        realised += bool(before) and before[-1].cell == ride.cell
    return {"promised": round(sum(each.trips for each in done), 1), "realised": realised}


def _ended(outcome: Outcome) -> float:
    """For sorting what is done in the order of time."""
    return outcome.finished_at.timestamp() if outcome.finished_at else float("inf")


@dataclass
class _Walk:
    """One van's day."""

    minutes: float = 0.0
    driven_m: float = 0.0
    stops: list[Outcome] = field(default_factory=list)


def crew_work(outcomes: Sequence[Outcome], *, tariff: Tariff) -> dict[str, Any]:
    """Minutes and ways of all vans, from what crews' phones told.

    1. A van's minutes run from its first claim to its last stop. 2. Minutes at stops run from each
    arrival that was told to the end of that task; the rest is driving and waiting. 3. A way that was
    measured counts as measured, any other as the straight line from the stop before times the detour
    factor: `measured_pct` says how many stops were measured. Ways on foot are only known if measured.
    """
    walks: dict[int, _Walk] = {}
    for each in outcomes:
        if each.done and each.claimed_at and each.finished_at:
            walks.setdefault(each.van, _Walk()).stops.append(each)
    for walk in walks.values():
        walk.stops.sort(key=_ended)
        begun = min(each.claimed_at for each in walk.stops if each.claimed_at)
        ended = max(each.finished_at for each in walk.stops if each.finished_at)
        walk.minutes = (ended - begun) / MINUTE
        walk.driven_m = _driven_m(walk.stops, detour=tariff.detour)
    stops = [each for walk in walks.values() for each in walk.stops]
    at_stops = sum(
        (each.finished_at - each.arrived_at) / MINUTE
        for each in stops
        if each.arrived_at and each.finished_at
    )
    minutes = sum(walk.minutes for walk in walks.values())
    measured = sum(each.driven_m is not None for each in stops)
    return {
        "planned_minutes": round(tariff.planned_minutes, 1),
        "minutes": round(minutes, 1),
        "stop_minutes": round(float(at_stops), 1),
        "km": round(sum(walk.driven_m for walk in walks.values()) / 1000.0, 1),
        "walked_km": round(sum(each.walked_m or 0 for each in stops) / 1000.0, 1),
        "measured_pct": round(100.0 * measured / len(stops), 1) if stops else 0.0,
        "cost_cents": round(minutes * tariff.cost_cents_per_minute),
    }


def _driven_m(stops: Sequence[Outcome], *, detour: float) -> float:
    """The way along a van's stops in the order of their ends; the first has none before it."""
    first = stops[0].driven_m or 0.0
    legs = (
        haversine_m(a.lon, a.lat, b.lon, b.lat) * detour if b.driven_m is None else b.driven_m
        for a, b in pairwise(stops)
    )
    return float(first + sum(legs))
