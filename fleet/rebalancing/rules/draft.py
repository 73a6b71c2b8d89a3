"""A draft plan: which van does what, in which order, for what money and why. Pure."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from fleet.rebalancing.rules.offers import Offer, offers
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.routing import VanNow, routing_problem
from fleet.rebalancing.rules.situation import Situation, VehicleAt
from fleet.rebalancing.solver.around import numbered, solve_around
from fleet.rebalancing.solver.problem import Problem, judge, route_minutes
from fleet.rebalancing.solver.search import Effort
from fleet.rebalancing.states import Reason, TaskKind


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
    forced: bool = False
    due_at: datetime.datetime | None = None
    task_id: int | None = None  # of the task that stands for it already

    def columns(self) -> dict[str, Any]:
        """What a row of its own keeps."""
        return {key: value for key, value in asdict(self).items() if key != "task_id"}


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
    spread: dict[str, dict[str, float]] = field(default_factory=dict)  # by kind
    notes: tuple[dict[str, Any], ...] = ()  # what stood in the way: code and figures

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
            "spread": self.spread,
            "notes": list(self.notes),
        }

    def expected_by_text(self) -> dict[str, dict[str, float]]:
        """Expected departures with cells as text, as JSON keeps them."""
        return {
            kind: {str(cell): trips for cell, trips in cells.items()}
            for kind, cells in self.expected.items()
        }


def draft_plan(
    *,
    situation: Situation,
    parameters: Parameters,
    effort: Effort,
    vans: Sequence[VanNow] = (),
    decided: Sequence[Sequence[Offer]] = (),
    wanted: Sequence[Offer] = (),
) -> PlanDraft:
    """Plan the vans' work.

    1. Offer every stop that could be worth something. 2. Route the vans over the stops that pay.
    3. Drop a van whose work is worth less than its minutes. 4. Spell the stops out as tasks, with
    value, cost and reason.

    A plan that is under way is drafted anew with `vans` as they are now, the stops `decided` for
    each van, which keep van and order, and those `wanted` beside what pays.
    """
    if parameters.vans < 1:
        return _nothing(situation, note={"code": "no_vans"})
    found = [*offers(situation=situation, parameters=parameters), *wanted]
    first = len(found)
    found += [offer for route in decided for offer in route]
    problem = routing_problem(situation=situation, parameters=parameters, found=found, vans=vans)
    answer, kept = solve_around(problem, fixed=numbered(decided, first=first + 1), effort=effort)
    routes = [
        _worthwhile(problem, van=van, route=route, kept=bool(fixed) or bool(vans))
        for van, (route, fixed) in enumerate(zip(answer.routes, kept, strict=True))
    ]
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
        spread={kind: demand.spread.as_json() for kind, demand in situation.demand.items()},
        notes=tuple(_notes(situation, found=found, routes=routes)),
    )


def _worthwhile(problem: Problem, *, van: int, route: list[int], kept: bool) -> list[int]:
    """The route if its prizes cover its minutes or staff decided on it, else nothing."""
    if not route:
        return route
    minutes = route_minutes(problem, route=route, start=int(problem.starts()[van]))
    cost = minutes * problem.cost_per_minute
    return route if kept or problem.prize[route].sum() > cost else []


def _nothing(situation: Situation, *, note: dict[str, Any]) -> PlanDraft:
    return PlanDraft(
        tasks=(),
        method="none",
        extra_trips=0.0,
        value_cents=0,
        cost_cents=0,
        crew_minutes=0.0,
        offers=0,
        iterations=0,
        seconds=0.0,
        expected=_expected(situation),
        notes=(note,),
    )


def _notes(
    situation: Situation, *, found: list[Offer], routes: list[list[int]]
) -> list[dict[str, Any]]:
    """What a person should know before trusting the plan."""
    served = {stop - 1 for route in routes for stop in route}
    notes: list[dict[str, Any]] = []
    for number, offer in enumerate(found):
        if number in served:
            continue
        if offer.forced:
            vehicles = [offer.vehicle] if offer.vehicle else list(offer.flat)
            notes += [
                {"code": "forced_not_served", "vehicle_id": vehicle.vehicle_id}
                for vehicle in vehicles
            ]
        elif offer.task_id is not None:
            notes.append({"code": "lock_not_kept", "task_id": offer.task_id})
    if not any(demand.seen for demand in situation.demand.values()):
        notes.append({"code": "no_history"})
    return notes


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
        stops = [found[stop - 1] for stop in route]
        prize = sum(offer.trips * parameters.margin_cents[offer.kind] for offer in stops)
        start = int(problem.starts()[van])
        minutes = route_minutes(problem, route=route, start=start) if route else 0.0
        share = minutes * problem.cost_per_minute / prize if prize > 0 else 0.0
        moved = [offer for offer in stops if not offer.swaps]
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
    if offer.vehicle is not None:
        return [(offer.vehicle, 1)]
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
        if vehicle.booked_at is not None:
            params["booked_at"] = vehicle.booked_at.isoformat()
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
        forced=offer.forced,
        due_at=vehicle.booked_at if vehicle and offer.swaps else None,
        task_id=offer.task_id,
    )


def _kind_and_reason(offer: Offer) -> tuple[str, str]:
    if offer.swaps:
        booked = offer.flat[0].booked_at is not None
        return TaskKind.SWAP_BATTERY, Reason.BOOKING if booked else Reason.LOW_BATTERY
    if offer.workshop:
        return TaskKind.MOVE_PICKUP, Reason.MAINTENANCE
    if offer.forced:
        return TaskKind.MOVE_PICKUP, Reason.REQUESTED
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
