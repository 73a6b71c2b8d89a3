"""Plain greedy routing: the start when numba is missing, and the yardstick of the search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleet.rebalancing.solver.problem import DEPOT, Answer, Floats, Ints, Problem, judge

NEAREST = 60


@dataclass
class _Van:
    """One route while it grows: load so far, its extremes, the clock."""

    at: int
    start: Ints
    load: Ints
    low: Ints
    peak: int = 0
    spent: float = 0.0
    packs: int = 0
    begun: float = 0.0  # minutes spent before this route

    def fits(self, *, kind: int, first: Ints, second: Ints, capacity: int) -> NDArray[np.bool_]:
        """Whether two changes in a row stay within the van, element by element."""
        once, twice = first, first + second
        low = np.minimum(self.low[kind], self.load[kind] + np.minimum(once, twice))
        peak = np.maximum(self.peak, int(self.load.sum()) + np.maximum(once, twice))
        free = self.start < 0
        aboard = int(np.where(free, -self.low, self.start).sum())
        aboard_now = aboard + (self.low[kind] - low if free[kind] else 0)
        under = np.zeros(low.shape, dtype=bool) if free[kind] else low + self.start[kind] < 0
        result: NDArray[np.bool_] = (aboard_now + peak <= capacity) & ~under
        return result

    def append(self, problem: Problem, *, stop: int) -> None:
        """Drive to a stop and serve it."""
        kind = int(problem.commodity[stop])
        self.spent += float(problem.minutes[self.at, stop] + problem.service[stop])
        self.load[kind] += problem.change[stop]
        self.low[kind] = min(self.low[kind], self.load[kind])
        self.peak = max(self.peak, int(self.load.sum()))
        self.packs += int(problem.packs[stop])
        self.at = stop


def greedy_routes(problem: Problem) -> Answer:
    """Append to each van in turn the stop, or the pick-up and drop-off, of most gain per minute.

    1. Singles and ordered pairs of one commodity are scored as (prizes - cost) / minutes.
    2. Candidates that overflow, underrun, or come home after the shift are left out.
    3. A van is closed when nothing gains any more, and stays at home when its whole route does not
    pay. In large problems only the stops nearest to the van are looked at as next ones.
    """
    open_stops = np.ones(problem.stops, dtype=bool)
    open_stops[DEPOT] = False
    open_stops[[stop for route in problem.fixed for stop in route]] = False
    starts, loads = problem.starts(), problem.start_loads()
    routes: list[list[int]] = []
    for number in range(problem.vans):
        van = _Van(
            at=int(starts[number]),
            start=loads[:, number],
            load=np.zeros(problem.commodities, dtype=np.int64),
            low=np.zeros(problem.commodities, dtype=np.int64),
            spent=float(problem.minutes_spent()[number]),
            packs=int(problem.packs_spent()[number]),
        )
        van.begun = van.spent
        # What is fixed comes first; the search, not the greedy, finds what fits between.
        for stop in problem.fixed[number] if problem.fixed else ():
            van.append(problem, stop=stop)
        fixed = list(problem.fixed[number]) if problem.fixed else []
        routes.append(fixed + _fill(problem, van=van, open_stops=open_stops))
    net_cost = judge(problem, routes=routes).net_cost
    return Answer(routes=routes, method="greedy", net_cost=net_cost)


def _fill(problem: Problem, *, van: _Van, open_stops: NDArray[np.bool_]) -> list[int]:
    route: list[int] = []
    while True:
        chosen = _best_next(problem, van=van, stops=np.flatnonzero(open_stops))
        if not chosen:
            return _paying(problem, van=van, route=route, open_stops=open_stops)
        for stop in chosen:
            van.append(problem, stop=stop)
            open_stops[stop] = False
            route.append(stop)


def _paying(
    problem: Problem, *, van: _Van, route: list[int], open_stops: NDArray[np.bool_]
) -> list[int]:
    """The route, or nothing if the way home makes it a loss."""
    minutes = van.spent - van.begun + float(problem.minutes[van.at, DEPOT])
    if minutes * problem.cost_per_minute <= problem.prize[route].sum():
        return route
    open_stops[route] = True
    return []


def _best_next(problem: Problem, *, van: _Van, stops: Ints) -> list[int]:
    """The one or two stops of most gain per minute, or none."""
    best: tuple[float, list[int]] = (0.0, [])
    for kind in range(problem.commodities):
        mine = stops[problem.commodity[stops] == kind]
        if mine.size == 0:
            continue
        reach = problem.minutes[van.at, mine] + problem.service[mine]
        near = mine[np.argsort(reach, kind="stable")[:NEAREST]]
        score = _scores(problem, van=van, kind=kind, first=near, second=mine)
        at = int(score.argmax())
        if score.flat[at] > best[0]:
            row, column = divmod(at, score.shape[1])
            pair = [int(near[row])] + ([int(mine[column])] if column < mine.size else [])
            best = (float(score.flat[at]), pair)
    return best[1]


def _scores(problem: Problem, *, van: _Van, kind: int, first: Ints, second: Ints) -> Floats:
    """Gain per minute of each pair (first, second); the last column is the first stop alone."""
    reach = (problem.minutes[van.at, first] + problem.service[first])[:, None]
    between = problem.minutes[np.ix_(first, second)] + problem.service[second]
    extra = np.hstack([reach + between, reach])
    home = problem.minutes[:, DEPOT]
    back = np.hstack([np.broadcast_to(home[second], between.shape), home[first][:, None]])
    changes = np.broadcast_to(problem.change[first][:, None], extra.shape)
    further = np.broadcast_to(np.append(problem.change[second], 0), extra.shape)
    packs = problem.packs[first][:, None] + np.append(problem.packs[second], 0)
    possible = van.fits(kind=kind, first=changes, second=further, capacity=problem.capacity)
    possible &= van.spent + extra + back <= problem.shift_minutes
    possible &= van.packs + packs <= problem.pack_capacity
    possible[:, :-1] &= first[:, None] != second
    prize = problem.prize[first][:, None] + np.append(problem.prize[second], 0.0)
    net = prize - problem.cost_per_minute * extra
    return np.where(possible, net / np.maximum(extra, 1e-9), -np.inf)
