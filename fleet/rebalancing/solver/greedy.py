"""Plain greedy routing: the start when numba is missing, and the yardstick of the search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleet.rebalancing.solver.problem import (
    DEPOT,
    Answer,
    Floats,
    Ints,
    Problem,
    judge,
    route_minutes,
)

NEAREST = 60


@dataclass
class _Van:
    """One route while it grows: load so far, its extremes, the clock."""

    number: int
    at: int
    start: Ints
    room: Ints
    load: Ints
    low: Ints
    now: float
    peak: int = 0
    packs: int = 0

    def fits(self, *, kind: int, first: Ints, second: Ints, capacity: int) -> NDArray[np.bool_]:
        """Whether two changes in a row stay within the van, element by element."""
        once, twice = first, first + second
        low = np.minimum(self.low[kind], self.load[kind] + np.minimum(once, twice))
        total = int((self.load * self.room).sum())
        peak = np.maximum(self.peak, total + np.maximum(once, twice) * self.room[kind])
        free = self.start < 0
        aboard = int((np.where(free, -self.low, self.start) * self.room).sum())
        aboard_now = aboard + ((self.low[kind] - low) * self.room[kind] if free[kind] else 0)
        under = np.zeros(low.shape, dtype=bool) if free[kind] else low + self.start[kind] < 0
        result: NDArray[np.bool_] = (aboard_now + peak <= capacity) & ~under
        return result

    def append(self, task: _Task, *, stop: int) -> None:
        """Drive to a stop and serve it; who comes too late serves all the same."""
        problem, kind = task.problem, int(task.problem.commodity[stop])
        arrives = self.now + float(problem.minutes[self.at, stop])
        begins = float(task.begins(np.array([stop]), arrives=np.array([arrives]))[0])
        self.now = (begins if np.isfinite(begins) else arrives) + float(problem.service[stop])
        self.load[kind] += problem.change[stop]
        self.low[kind] = min(self.low[kind], self.load[kind])
        self.peak = max(self.peak, int((self.load * self.room).sum()))
        self.packs += int(problem.packs[stop])
        self.at = stop


class _Task:
    """The problem with its windows as arrays, and the stops that are still open."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.open = np.ones(problem.stops, dtype=bool)
        self.open[[DEPOT, *range(problem.stops - problem.places, problem.stops)]] = False
        self.open[[stop for route in problem.fixed for stop in route]] = False
        each = problem.windows or ((),) * problem.stops
        most = max(1, *(len(windows) for windows in each))
        self.opens = np.full((problem.stops, most), -np.inf)
        self.closes = np.full((problem.stops, most), -np.inf)
        for stop, windows in enumerate(each):
            for place, (opens, closes) in enumerate(windows or ((-np.inf, np.inf),)):
                self.opens[stop, place], self.closes[stop, place] = opens, closes
        self.ends = problem.clock_off() if problem.timed else problem.shifts_of()

    def begins(self, stops: Ints, *, arrives: Floats) -> Floats:
        """When service begins for who comes then; infinite when it is too late."""
        result = np.full(arrives.shape, np.inf)
        for place in range(self.opens.shape[1] - 1, -1, -1):
            in_time = arrives <= self.closes[stops, place]
            result = np.where(in_time, np.maximum(arrives, self.opens[stops, place]), result)
        return result

    def van(self, number: int) -> _Van:
        """A van before its first stop."""
        problem, kinds = self.problem, self.problem.commodities
        begun = problem.clock_on() if problem.timed else problem.minutes_spent()
        return _Van(
            number=number,
            at=int(problem.starts()[number]),
            start=problem.start_loads()[:, number],
            room=problem.rooms()[:, number],
            load=np.zeros(kinds, dtype=np.int64),
            low=np.zeros(kinds, dtype=np.int64),
            now=float(begun[number]),
            packs=int(problem.packs_spent()[number]),
        )


def greedy_routes(problem: Problem) -> Answer:
    """Append to each van in turn the stop, or the pick-up and drop-off, of most gain per minute.

    1. Singles and ordered pairs of one commodity are scored as (prizes - cost) / minutes.
    2. Candidates that overflow, underrun, come after hours or home after the shift are left out.
    3. A van is closed when nothing gains any more, and stays at home when its whole route does not
    pay. In large problems only the stops nearest to the van are looked at as next ones.
    """
    task = _Task(problem)
    routes: list[list[int]] = []
    for number in range(problem.vans):
        van = task.van(number)
        # What is fixed comes first; the search, not the greedy, finds what fits between.
        fixed = list(problem.fixed[number]) if problem.fixed else []
        for stop in fixed:
            van.append(task, stop=stop)
        routes.append(fixed + _fill(task, van=van, fixed=fixed))
    net_cost = judge(problem, routes=routes).net_cost
    return Answer(routes=routes, method="greedy", net_cost=net_cost)


def _fill(task: _Task, *, van: _Van, fixed: list[int]) -> list[int]:
    route: list[int] = []
    while True:
        chosen = _best_next(task, van=van, stops=np.flatnonzero(task.open))
        if not chosen:
            return _paying(task, van=van, fixed=fixed, route=route)
        for stop in chosen:
            van.append(task, stop=stop)
            task.open[stop] = False
            route.append(stop)


def _paying(task: _Task, *, van: _Van, fixed: list[int], route: list[int]) -> list[int]:
    """The route, or nothing if it makes a loss beside what the van drives anyway."""
    problem = task.problem
    minutes = route_minutes(problem, van=van.number, route=fixed + route)
    minutes -= route_minutes(problem, van=van.number, route=fixed)
    if minutes * problem.cost_per_minute <= problem.prize[route].sum():
        return route
    task.open[route] = True
    return []


def _best_next(task: _Task, *, van: _Van, stops: Ints) -> list[int]:
    """The one or two stops of most gain per minute, or none."""
    problem = task.problem
    best: tuple[float, list[int]] = (0.0, [])
    for kind in range(problem.commodities):
        mine = stops[problem.commodity[stops] == kind]
        if mine.size == 0:
            continue
        reach = problem.minutes[van.at, mine] + problem.service[mine]
        near = mine[np.argsort(reach, kind="stable")[:NEAREST]]
        score = _scores(task, van=van, kind=kind, first=near, second=mine)
        at = int(score.argmax())
        if score.flat[at] > best[0]:
            row, column = divmod(at, score.shape[1])
            pair = [int(near[row])] + ([int(mine[column])] if column < mine.size else [])
            best = (float(score.flat[at]), pair)
    return best[1]


def _scores(task: _Task, *, van: _Van, kind: int, first: Ints, second: Ints) -> Floats:
    """Gain per minute of each pair (first, second); the last column is the first stop alone."""
    problem, number = task.problem, van.number
    reach = (problem.minutes[van.at, first] + problem.service[first])[:, None]
    between = problem.minutes[np.ix_(first, second)] + problem.service[second]
    extra = np.hstack([reach + between, reach])
    changes = np.broadcast_to(problem.change[first][:, None], extra.shape)
    further = np.broadcast_to(np.append(problem.change[second], 0), extra.shape)
    packs = problem.packs[first][:, None] + np.append(problem.packs[second], 0)
    capacity = int(problem.capacities_of()[number])
    possible = van.fits(kind=kind, first=changes, second=further, capacity=capacity)
    possible &= _back(task, van=van, first=first, second=second) <= task.ends[number]
    possible &= van.packs + packs <= problem.packs_of()[number]
    possible[:, :-1] &= first[:, None] != second
    prize = problem.prize[first][:, None] + np.append(problem.prize[second], 0.0)
    net = prize - problem.cost_per_minute * extra
    return np.where(possible, net / np.maximum(extra, 1e-9), -np.inf)


def _back(task: _Task, *, van: _Van, first: Ints, second: Ints) -> Floats:
    """When the van would be home after each pair; the last column is the first stop alone."""
    problem = task.problem
    home = problem.minutes[:, int(problem.ends_at()[van.number])]
    arrives = van.now + problem.minutes[van.at, first]
    leaves = task.begins(first, arrives=arrives) + problem.service[first]
    then = leaves[:, None] + problem.minutes[np.ix_(first, second)]
    both = task.begins(np.broadcast_to(second, then.shape), arrives=then) + problem.service[second]
    return np.hstack([both + home[second], (leaves + home[first])[:, None]])
