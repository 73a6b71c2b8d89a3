"""A draft plan: which van does what, in which order, for what money and why. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fleet.rebalancing.rules.offers import Offer, offers
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import Situation, VehicleAt
from fleet.rebalancing.solver.problem import DEPOT, Floats, Ints, Problem, judge, route_minutes
from fleet.rebalancing.solver.search import Effort, solve
from fleet.rebalancing.states import Reason, TaskKind
from mobility.core.geo import haversine_m


@dataclass(frozen=True, kw_only=True)
class TaskDraft:
    """One thing a crew does at one stop."""

    van: int
    sequence: int
    kind: str
    vehicle_kind: str
    vehicle_id: int | None
    quantity: int
    cell: int
    lon: float
    lat: float
    value_cents: int
    cost_cents: int
    reason: str
    reason_params: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PlanDraft:
    """The tasks, and what they promise together."""

    tasks: tuple[TaskDraft, ...]
    method: str
    extra_trips: float
    value_cents: int
    cost_cents: int
    crew_minutes: float
    offers: int
    iterations: int
    seconds: float
    expected: dict[str, dict[int, float]] = field(default_factory=dict)  # kind, cell: departures

    def summary(self) -> dict[str, Any]:
        """Figures of the plan as plain values, to be stored and shown."""
        return {
            "method": self.method,
            "extra_trips": round(self.extra_trips, 2),
            "value_cents": self.value_cents,
            "cost_cents": self.cost_cents,
            "crew_minutes": round(self.crew_minutes, 1),
            "offers": self.offers,
            "iterations": self.iterations,
            "search_seconds": round(self.seconds, 2),
        }

    def expected_by_text(self) -> dict[str, dict[str, float]]:
        """Expected departures with cells as text, as JSON keeps them."""
        return {
            kind: {str(cell): trips for cell, trips in cells.items()}
            for kind, cells in self.expected.items()
        }


def draft_plan(*, situation: Situation, parameters: Parameters, effort: Effort) -> PlanDraft:
    """Plan the vans' work.

    1. Offer every stop that could be worth something. 2. Route the vans over the stops that pay.
    3. Drop a van whose work is worth less than its minutes. 4. Spell the stops out as tasks, with
    value, cost and reason.
    """
    found = offers(situation=situation, parameters=parameters)
    problem = routing_problem(situation=situation, parameters=parameters, found=found)
    answer = solve(problem, effort=effort)
    routes = [_worthwhile(problem, route=route) for route in answer.routes]
    judged = judge(problem, routes=routes)
    tasks = _spell_out(
        situation=situation, parameters=parameters, problem=problem, found=found, routes=routes
    )
    return PlanDraft(
        tasks=tuple(tasks),
        method=answer.method,
        extra_trips=sum(found[stop - 1].gain for route in routes for stop in route),
        value_cents=sum(task.value_cents for task in tasks),
        cost_cents=sum(task.cost_cents for task in tasks),
        crew_minutes=judged.minutes,
        offers=len(found),
        iterations=answer.iterations,
        seconds=answer.seconds,
        expected=_expected(situation),
    )


def routing_problem(*, situation: Situation, parameters: Parameters, found: list[Offer]) -> Problem:
    """Stops as the solver wants them: prizes in cents, times in minutes, vans start empty."""
    places = np.array([offer.place for offer in found], dtype=np.int64)
    lon = np.append(situation.depot_lon, situation.lon[places])
    lat = np.append(situation.depot_lat, situation.lat[places])
    kinds = {kind: index for index, kind in enumerate(parameters.kinds)}
    prize = [offer.trips * parameters.margin_cents[offer.kind] for offer in found]
    commodity = [kinds[offer.kind] for offer in found]
    return Problem(
        minutes=van_minutes(lon=lon, lat=lat, parameters=parameters)
        + _parking(places, stop_minutes=parameters.stop_minutes),
        service=np.array([0.0, *(_service_minutes(offer, parameters) for offer in found)]),
        change=np.array([0, *(offer.change for offer in found)], dtype=np.int64),
        prize=np.array([0.0, *prize]),
        commodity=np.array([len(kinds) - 1, *commodity], dtype=np.int64),
        packs=np.array([0, *(len(offer.flat) for offer in found)], dtype=np.int64),
        capacity=parameters.van_capacity,
        vans=parameters.vans,
        shift_minutes=float(parameters.shift_minutes),
        cost_per_minute=parameters.cost_cents_per_minute,
        pack_capacity=parameters.van_packs,
        start_load=np.zeros((len(kinds), parameters.vans), dtype=np.int64),
    )


def van_minutes(*, lon: Floats, lat: Floats, parameters: Parameters) -> Floats:
    """Driving minutes between all pairs: straight distance, a detour factor, a city speed."""
    metres = haversine_m(lon[:, None], lat[:, None], lon[None, :], lat[None, :])
    minutes: Floats = metres * parameters.detour / (parameters.van_speed_kmh * 1000.0 / 60.0)
    return minutes


def _service_minutes(offer: Offer, parameters: Parameters) -> float:
    handled = parameters.handling_minutes * abs(offer.change)
    return handled + parameters.swap_minutes * len(offer.flat)


def _parking(places: Ints, *, stop_minutes: float) -> Floats:
    """Minutes to park at another place than the last one; several stops at one place share them."""
    at = np.append(-1, places)
    elsewhere = at[:, None] != at[None, :]
    elsewhere[:, DEPOT] = False
    minutes: Floats = elsewhere * stop_minutes
    return minutes


def _worthwhile(problem: Problem, *, route: list[int]) -> list[int]:
    """The route if its prizes cover its minutes, else nothing."""
    cost = route_minutes(problem, route=route, start=DEPOT) * problem.cost_per_minute
    return route if problem.prize[route].sum() > cost else []


def _spell_out(
    *,
    situation: Situation,
    parameters: Parameters,
    problem: Problem,
    found: list[Offer],
    routes: list[list[int]],
) -> list[TaskDraft]:
    """Tasks of all vans in driving order.

    A move is worth something only as a whole, so the prizes of a van's moves are shared among all
    vehicles it loads and unloads, and a battery carries its own. The van's cost is shared in
    proportion to value: no task of a van that pays looks as if it did not.
    """
    tasks: list[TaskDraft] = []
    taken: set[int] = set()
    for van, route in enumerate(routes):
        prize = float(problem.prize[route].sum())
        minutes = route_minutes(problem, route=route, start=DEPOT) if route else 0.0
        share = minutes * problem.cost_per_minute / prize if prize > 0 else 0.0
        moved = [found[stop - 1] for stop in route if not found[stop - 1].swaps]
        handled = sum(abs(offer.change) for offer in moved)
        worth = sum(offer.trips * parameters.margin_cents[offer.kind] for offer in moved)
        for stop in route:
            offer = found[stop - 1]
            each = (
                offer.trips * parameters.margin_cents[offer.kind] / len(offer.flat)
                if offer.swaps
                else worth / handled
            )
            for vehicle, quantity in _pieces(offer, situation=situation, taken=taken):
                tasks.append(
                    _task(
                        offer,
                        situation=situation,
                        vehicle=vehicle,
                        quantity=quantity,
                        van=van,
                        sequence=len(tasks) + 1,
                        value=each * quantity,
                        share=share,
                    )
                )
    return tasks


def _pieces(
    offer: Offer, *, situation: Situation, taken: set[int]
) -> list[tuple[VehicleAt | None, int]]:
    """A drop-off is one task for all its vehicles; each vehicle picked up or swapped is its own."""
    if offer.swaps:
        return [(vehicle, 1) for vehicle in offer.flat]
    if offer.change < 0:
        return [(None, -offer.change)]
    standing = [
        vehicle
        for vehicle in situation.vehicles
        if vehicle.place == offer.place
        and vehicle.kind == offer.kind
        and vehicle.usable
        and vehicle.movable
        and vehicle.vehicle_id not in taken
    ]
    # The emptiest go first: they earn least where they stand.
    standing.sort(key=lambda vehicle: (vehicle.battery_pct or 0, vehicle.vehicle_id))
    chosen = standing[: offer.change]
    taken.update(vehicle.vehicle_id for vehicle in chosen)
    return [(vehicle, 1) for vehicle in chosen]


def _task(
    offer: Offer,
    *,
    situation: Situation,
    vehicle: VehicleAt | None,
    quantity: int,
    van: int,
    sequence: int,
    value: float,
    share: float,
) -> TaskDraft:
    kind, reason = _kind_and_reason(offer)
    params: dict[str, Any] = {"stock": offer.stock, "target": offer.target}
    if offer.swaps and vehicle is not None:
        params = {
            "battery_pct": vehicle.battery_pct,
            "trips": round(offer.trips / len(offer.flat), 1),
        }
    elif offer.change < 0:
        params["trips"] = round(offer.gain, 1)
    return TaskDraft(
        van=van,
        sequence=sequence,
        kind=kind,
        vehicle_kind=offer.kind,
        vehicle_id=vehicle.vehicle_id if vehicle else None,
        quantity=quantity,
        cell=int(situation.cells[offer.place]),
        lon=float(vehicle.lon if vehicle else situation.lon[offer.place]),
        lat=float(vehicle.lat if vehicle else situation.lat[offer.place]),
        value_cents=round(value),
        cost_cents=round(value * share),
        reason=reason,
        reason_params=params,
    )


def _kind_and_reason(offer: Offer) -> tuple[str, str]:
    if offer.swaps:
        return TaskKind.SWAP_BATTERY, Reason.LOW_BATTERY
    if offer.change > 0:
        return TaskKind.MOVE_PICKUP, Reason.SURPLUS
    return TaskKind.MOVE_DROPOFF, Reason.SHORTAGE


def _expected(situation: Situation) -> dict[str, dict[int, float]]:
    """Trips expected to start at each place in the horizon, to be compared with what happened."""
    result: dict[str, dict[int, float]] = defaultdict(dict)
    for kind, demand in situation.demand.items():
        for cell, trips in zip(situation.cells, demand.trips(), strict=True):
            result[kind][int(cell)] = round(float(trips), 3)
    return dict(result)
