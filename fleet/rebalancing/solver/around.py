"""The search around stops that people decided on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fleet.rebalancing.solver.problem import Answer, Problem, judge, route_times
from fleet.rebalancing.solver.resume import Routes
from fleet.rebalancing.solver.search import Effort, solve

Fixed = tuple[tuple[int, ...], ...]
# Of the time of a search, what one has that lets go of locks.
SHORTER = 3.0


def numbered(decided: Sequence[Sequence[object]], *, first: int) -> Fixed:
    """Numbers of the decided stops of each van, when they follow one another from `first` on."""
    result = []
    for route in decided:
        result.append(tuple(range(first, first + len(route))))
        first += len(route)
    return tuple(result)


def solve_around(
    problem: Problem, *, fixed: Fixed, effort: Effort, standing: Routes | None = None
) -> tuple[Answer, Fixed]:
    """Route the vans around what is fixed, from what stood; answers also what could be kept.

    1. Let go of what not even an otherwise empty shift has time or batteries for, or comes too late.
    2. Search. 3. Where locks contradict each other (a drop-off of what cannot be aboard), free the
    vans at fault, then all, and search again: two more searches at most, of a third of the time.
    """
    kept = within_shift(problem, fixed=fixed or ((),) * problem.vans)
    whole = effort.seconds
    while True:
        asked = replace(problem, fixed=kept)
        answer = solve(asked, effort=effort, standing=standing)
        if not any(kept) or judge(asked, routes=answer.routes).feasible:
            return answer, kept
        kept = _fewer(asked, routes=answer.routes)
        effort = replace(effort, seconds=min(effort.seconds, whole / SHORTER))


def within_shift(problem: Problem, *, fixed: Fixed) -> Fixed:
    """Each van's fixed stops, in their order, as far as its hours, theirs and its packs allow."""
    packs, most = problem.packs_spent(), problem.packs_of()
    result = []
    for van, stops in enumerate(fixed):
        route: list[int] = []
        for stop in stops:
            longer = [*route, stop]
            in_time = route_times(problem, van=van, route=longer)[1] < 1e-6
            if in_time and packs[van] + problem.packs[longer].sum() <= most[van]:
                route = longer
        result.append(tuple(route))
    return tuple(result)


def _fewer(problem: Problem, *, routes: list[list[int]]) -> Fixed:
    """Nothing fixed any more for the vans whose own routes break a limit; else for none."""
    vans = range(problem.vans)
    broken = [
        not judge(problem, routes=[routes[each] if each == van else [] for each in vans]).feasible
        for van in vans
    ]
    if not any(bad and stops for bad, stops in zip(broken, problem.fixed, strict=True)):
        return ((),) * problem.vans
    return tuple(() if bad else stops for bad, stops in zip(broken, problem.fixed, strict=True))
