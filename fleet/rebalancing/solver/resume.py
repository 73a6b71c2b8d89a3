"""Routes that stood before, made possible for the problem as it is now."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.rebalancing.solver.problem import Problem, load_excess, route_times

Routes = list[list[int]]


def resumed(problem: Problem, *, routes: Sequence[Sequence[int]]) -> Routes:
    """The routes with what is fixed in its order, less the stops that break a limit where they come.

    A stop stays if its van can still do it after those before it: a drop-off whose pick-up is gone
    goes too, what does not fit in any more is left standing, and so is what would come too late.
    """
    fixed = problem.fixed or ((),) * problem.vans
    decided = {stop for route in fixed for stop in route}
    seen: set[int] = set()
    result: Routes = []
    for van in range(problem.vans):
        wished = [stop for stop in routes[van] if stop not in seen] if van < len(routes) else []
        route = _with_fixed(wished, fixed=fixed[van], decided=decided)
        if not _possible(problem, van=van, route=route):
            route = _possible_part(problem, van=van, route=route, fixed=set(fixed[van]))
        seen.update(route)
        result.append(route)
    return result


def _with_fixed(wished: Sequence[int], *, fixed: tuple[int, ...], decided: set[int]) -> list[int]:
    """The wish, if it has the van's fixed stops in their order, else those first."""
    if tuple(stop for stop in wished if stop in decided) == fixed:
        return list(wished)
    return [*fixed, *(stop for stop in wished if stop not in decided)]


def _possible_part(problem: Problem, *, van: int, route: list[int], fixed: set[int]) -> list[int]:
    part: list[int] = []
    for at, stop in enumerate(route):
        ahead = [each for each in route[at + 1 :] if each in fixed]
        if stop in fixed or _possible(problem, van=van, route=[*part, stop, *ahead]):
            part.append(stop)
    return part


def _possible(problem: Problem, *, van: int, route: list[int]) -> bool:
    """Whether one van can do this within its room, its batteries and its hours."""
    packs = int(problem.packs_spent()[van] + problem.packs[route].sum())
    if packs > int(problem.packs_of()[van]):
        return False
    over = load_excess(
        changes=problem.change[route],
        kinds=problem.commodity[route],
        start=problem.start_loads()[:, van],
        capacity=int(problem.capacities_of()[van]),
        room=problem.rooms()[:, van],
    )
    return over == 0 and route_times(problem, van=van, route=route)[1] < 1e-6
