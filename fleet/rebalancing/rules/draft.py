"""A draft plan: which van does what, in which order, for what money and why. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fleet.rebalancing.rules.errands import errands, unloads
from fleet.rebalancing.rules.offers import Offer, offers
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.quantities import evened_out
from fleet.rebalancing.rules.routing import routing_problem, unreachable
from fleet.rebalancing.rules.situation import Situation
from fleet.rebalancing.rules.standing import Visit, begun_with
from fleet.rebalancing.rules.task_drafts import TaskDraft, spell_out
from fleet.rebalancing.rules.travel import TravelTimes
from fleet.rebalancing.rules.vans import VanNow, vans_of
from fleet.rebalancing.solver.around import numbered, solve_around
from fleet.rebalancing.solver.problem import Problem, judge, route_minutes
from fleet.rebalancing.solver.search import Effort

__all__ = ["PlanDraft", "TaskDraft", "draft_plan", "worth_a_stop"]


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


def worth_a_stop(*, situation: Situation, parameters: Parameters) -> list[Offer]:
    """Every stop that could be worth something: the sharing out of the fleet, and errands."""
    return [
        *offers(situation=situation, parameters=parameters),
        *errands(situation=situation, parameters=parameters),
    ]


def draft_plan(
    *,
    situation: Situation,
    parameters: Parameters,
    effort: Effort,
    vans: Sequence[VanNow] = (),
    decided: Sequence[Sequence[Offer]] = (),
    wanted: Sequence[Offer] = (),
    stops: Sequence[Offer] | None = None,
    travel: TravelTimes | None = None,
    notes: Sequence[dict[str, Any]] = (),
    standing: Sequence[Visit] = (),
) -> PlanDraft:
    """Plan the vans' work.

    1. Offer every stop that could be worth something (`stops`, where the caller has them already).
    2. Route the vans over the stops that pay. 3. Drop a van whose work is worth less than its
    minutes. 4. Spell the stops out as tasks, with value, cost and reason.

    A plan that is under way is drafted anew with `vans` as they are now, the stops `decided` for
    each van, which keep van and order, and those `wanted` beside what pays. `travel` are minutes of
    driving where there are better ones than straight lines; `notes` what is remarkable already. The
    search goes on from what is `standing`: this plan's own tasks, or those of one before it.
    """
    specs = vans_of(parameters, depot=(situation.depot_lon, situation.depot_lat))
    if not specs:
        return _nothing(situation, notes=[*notes, {"code": "no_vans"}])
    if stops is None:
        stops = worth_a_stop(situation=situation, parameters=parameters)
    found = [*stops, *wanted]
    fixed = [offer for route in decided for offer in route]
    aboard = Counter[str]()
    for van in vans:
        aboard.update(van.broken)
    found += unloads(situation=situation, found=[*found, *fixed], vans=specs, aboard=aboard)
    first = len(found)
    found += fixed
    problem_of = partial(
        routing_problem, situation=situation, parameters=parameters, vans=vans, travel=travel
    )
    problem = problem_of(found=found)
    answer, kept = solve_around(
        problem,
        fixed=numbered(decided, first=first + 1),
        effort=effort,
        standing=begun_with(visits=standing, situation=situation, found=found, vans=len(specs)),
    )
    routes = [
        _worthwhile(problem, van=van, route=route, kept=bool(stay) or bool(vans))
        for van, (route, stay) in enumerate(zip(answer.routes, kept, strict=True))
    ]
    found, problem, routes = evened_out(
        found=found,
        problem=problem,
        routes=routes,
        parameters=parameters,
        rebuild=lambda stops: problem_of(found=stops),
    )
    tasks = spell_out(
        situation=situation,
        parameters=parameters,
        problem=problem,
        found=found,
        routes=routes,
        specs=specs,
        vans=vans,
    )
    return PlanDraft(
        tasks=tuple(tasks),
        method=answer.method,
        extra_trips=sum(found[stop - 1].gain for route in routes for stop in route),
        value_cents=sum(task.value_cents for task in tasks),
        cost_cents=sum(task.cost_cents for task in tasks),
        crew_minutes=judge(problem, routes=routes).minutes,
        offers=len(found),
        iterations=answer.iterations,
        seconds=answer.seconds,
        expected=_expected(situation),
        spread={kind: demand.spread.as_json() for kind, demand in situation.demand.items()},
        notes=(*notes, *_notes(situation, problem=problem, found=found, routes=routes)),
    )


def _worthwhile(problem: Problem, *, van: int, route: list[int], kept: bool) -> list[int]:
    """The route if its prizes cover its minutes or staff decided on it, else nothing."""
    if not route or kept:
        return route
    cost = route_minutes(problem, van=van, route=route) * problem.cost_per_minute
    return route if problem.prize[route].sum() > cost else []


def _nothing(situation: Situation, *, notes: list[dict[str, Any]]) -> PlanDraft:
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
        notes=tuple(notes),
    )


def _notes(
    situation: Situation, *, problem: Problem, found: list[Offer], routes: list[list[int]]
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
    cells = {
        int(situation.cells[found[stop - 1].place])
        for stop in unreachable(problem)
        if found[stop - 1].place >= 0
    }
    notes += [{"code": "unreachable", "cell": cell} for cell in sorted(cells)]
    if bool((problem.clock_off() <= problem.clock_on()).all()) and problem.begins is not None:
        notes.append({"code": "no_shift"})
    if not any(demand.seen for demand in situation.demand.values()):
        notes.append({"code": "no_history"})
    return notes


def _expected(situation: Situation) -> dict[str, dict[int, float]]:
    """Trips expected to start at each place in the horizon, to be compared with what happened."""
    result: dict[str, dict[int, float]] = defaultdict(dict)
    for kind, demand in situation.demand.items():
        for cell, trips in zip(situation.cells, demand.trips(), strict=True):
            result[kind][int(cell)] = round(float(trips), 3)
    return dict(result)
