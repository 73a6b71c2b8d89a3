"""The time-limited search around the compiled kernel."""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType

import numpy as np

from fleet.rebalancing.solver.arrays import Task, Totals, as_arrays, empty_state, mean_near_arc
from fleet.rebalancing.solver.greedy import greedy_routes
from fleet.rebalancing.solver.problem import Answer, Problem, judge
from fleet.rebalancing.solver.resume import Routes, resumed

# Prize of what has to be done whatever it brings: beyond any stop's worth, below what makes sums of
# prizes lose cents.
FORCED = 1e7
SLICES = 500  # of constant temperature and penalties
# Of the heat of a search from nothing, that of one from routes that stood: enough to leave them,
# not to lose them.
WARM = 0.3


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Temperatures and first penalties, in `unit`s of money."""

    unit: float
    hot: float
    cold: float
    per_vehicle: float
    per_minute: float


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long to search: seconds of the wall or of this thread's processor, or a fixed number of
    rounds (the same seed then gives the same routes on every machine). `searches` run side by side,
    one thread and seed each, and the best counts."""

    seconds: float = 10.0
    rounds: int | None = None
    processor: bool = False
    seed: int = 1
    searches: int = 1

    def clock(self) -> Callable[[], float]:
        """What counts its seconds."""
        return time.thread_time if self.processor else time.monotonic


@cache
def compiled_kernel() -> ModuleType | None:
    """The numba kernel, or None where numba is not installed.

    Loaded on first use, because numba costs a second and 200 MB that web processes must not pay.
    """
    try:
        return importlib.import_module("fleet.rebalancing.solver.kernel")
    except ImportError:
        return None


def compile_ahead() -> bool:
    """Compile the search and keep it for every process of this machine; False without numba.

    Otherwise the first plan waits for it, a minute or so.
    """
    nothing = np.zeros(3, dtype=np.int64)
    smallest = Problem(
        minutes=np.ones((3, 3)),
        service=np.ones(3),
        change=np.array([0, 1, -1]),
        prize=np.ones(3),
        commodity=nothing,
        packs=nothing,
        capacity=1,
        vans=1,
        shift_minutes=60.0,
        cost_per_minute=1.0,
    )
    return solve(smallest, effort=Effort(rounds=1)).method == "sisr"


def solve(
    problem: Problem,
    *,
    effort: Effort,
    mandatory: bool = False,
    standing: Routes | None = None,
) -> Answer:
    """Route the vans: SISR when the kernel is there, else greedy (`Answer.method` says which).

    `mandatory` declares that every stop must be served; its prizes are then beyond any cost. From
    routes that stood before (`standing`), as far as they are still possible and worth driving, the
    search goes on instead of beginning anew.
    """
    if problem.stops - problem.places < 2:
        routes: list[list[int]] = [[] for _van in range(problem.vans)]
        return Answer(routes=routes, method="none", net_cost=judge(problem, routes=routes).net_cost)
    kernel = compiled_kernel()
    if kernel is None:
        return greedy_routes(problem)
    clock = effort.clock()
    begun = clock()
    start = _resumed(problem, standing)
    warm = start is not None
    if start is None:
        start = _start_routes(problem, mandatory=mandatory)
    spent = clock() - begun
    # The searches only read it.
    task = as_arrays(problem, mandatory=mandatory)
    schedule = _schedule(problem, mandatory=mandatory)
    if warm:
        schedule = replace(schedule, hot=max(schedule.cold, schedule.hot * WARM))
    searches = [
        _Search(
            problem,
            task=task,
            schedule=schedule,
            kernel=kernel,
            effort=replace(effort, seed=seed),
        )
        for seed in range(effort.seed, effort.seed + effort.searches)
    ]
    if len(searches) == 1:
        return searches[0].run(start, spent=spent)
    # The kernel releases the GIL, so threads use as many cores.
    with ThreadPoolExecutor(max_workers=len(searches)) as pool:
        answers: list[Answer] = list(
            pool.map(lambda search: search.run(start, spent=spent), searches)
        )
    return min(answers, key=lambda answer: answer.net_cost)


class _Search:
    """Annealing schedule, penalties and stopping; the kernel does the moves."""

    def __init__(
        self,
        problem: Problem,
        *,
        task: Task,
        schedule: Schedule,
        kernel: ModuleType,
        effort: Effort,
    ) -> None:
        self.problem, self.kernel, self.effort = problem, kernel, effort
        self.clock = effort.clock()
        self.task = task
        self.schedule = schedule
        self.state = empty_state(problem)
        self.totals = Totals(current=np.zeros(3), best=np.array([np.inf]), seen=np.zeros(3))
        self.first_penalties = self.schedule.unit * np.array(
            [self.schedule.per_vehicle, self.schedule.per_minute]
        )
        self.penalties = self.first_penalties.copy()
        self.rounds = 0
        self.trail: list[tuple[float, float]] = []

    def run(self, start: list[list[int]], *, spent: float) -> Answer:
        """1. Compile and seed. 2. Begin with the routes of the start, which took `spent` of the
        time. 3. Cool down."""
        self.kernel.seed_random(self.effort.seed)
        self._anneal(heat=1.0, rounds=0)  # compiles, and counts as no time
        begun = self.clock() - spent
        self._start(start)
        slice_rounds = max(5, (self.effort.rounds or 0) // SLICES)
        while (done := self._progress(begun)) < 1.0:
            before = self.clock()
            self._anneal(heat=self._heat(done), rounds=slice_rounds)
            self._adapt()
            self.trail.append((self.clock() - begun, float(self.totals.best[0])))
            if self.effort.rounds is None:
                rate = slice_rounds / max(1e-6, self.clock() - before)
                slice_rounds = max(10, int(rate * self.effort.seconds / SLICES))
        return self._answer(seconds=self.clock() - begun)

    def _progress(self, begun: float) -> float:
        if self.effort.rounds is not None:
            return self.rounds / self.effort.rounds
        return (self.clock() - begun) / self.effort.seconds

    def _heat(self, done: float) -> float:
        ratio = math.log(self.schedule.cold / self.schedule.hot)
        return self.schedule.unit * self.schedule.hot * math.exp(ratio * done)

    def _anneal(self, *, heat: float, rounds: int) -> None:
        self.kernel.anneal(self.task, self.state, self.totals, self.penalties, heat, rounds)
        self.rounds += rounds

    def _adapt(self) -> None:
        """Keep 40-50 % of the visited states feasible, for the load and for the shift."""
        seen = max(1.0, self.totals.seen[0])
        for limit in (0, 1):
            share = self.totals.seen[limit + 1] / seen
            if share < 0.4:
                self.penalties[limit] *= 1.12
            elif share > 0.5:
                self.penalties[limit] *= 0.9
        first = self.first_penalties
        np.clip(self.penalties, first * 1e-3, first * 1e4, out=self.penalties)

    def _start(self, routes: list[list[int]]) -> None:
        mandatory = self.task.limits[1] > 0.0
        for van, route in enumerate(routes):
            for stops in (self.state.stops, self.state.best_stops):
                stops[van, : len(route)] = route
            self.state.size[van] = self.state.best_size[van] = len(route)
        judged = judge(self.problem, routes=routes, mandatory=mandatory)
        if judged.feasible:
            self.totals.best[0] = judged.net_cost

    def _best_routes(self) -> list[list[int]]:
        rows = zip(self.state.best_stops, self.state.best_size, strict=True)
        return [[int(stop) for stop in row[:size]] for row, size in rows]

    def _answer(self, *, seconds: float) -> Answer:
        return Answer(
            routes=self._best_routes(),
            method="sisr",
            net_cost=float(self.totals.best[0]),
            iterations=self.rounds,
            seconds=seconds,
            trail=self.trail,
        )


def _resumed(problem: Problem, standing: Routes | None) -> Routes | None:
    """What is left of the routes that stood, or None where that is worth less than staying."""
    if standing is None or not any(standing):
        return None
    routes = resumed(problem, routes=standing)
    judged = judge(problem, routes=routes)
    decided = [list(stops) for stops in problem.fixed] or [[] for _van in routes]
    nothing = judge(problem, routes=decided)
    return routes if judged.feasible and judged.net_cost < nothing.net_cost else None


def _start_routes(problem: Problem, *, mandatory: bool) -> list[list[int]]:
    """Where every stop must be served and vans suffice, each stop gets a van; else the greedy."""
    if mandatory and problem.vans >= problem.stops - 1:
        return [[stop] for stop in range(1, problem.stops)]
    return greedy_routes(problem).routes


def _schedule(problem: Problem, *, mandatory: bool) -> Schedule:
    """Where all is served only distance counts; else what one vehicle more is worth."""
    arc = mean_near_arc(problem.minutes) * problem.cost_per_minute
    if mandatory:
        return Schedule(
            unit=arc, hot=2.0, cold=0.01, per_vehicle=1.0, per_minute=problem.cost_per_minute / arc
        )
    pays = problem.prize > 0
    pays &= problem.prize < FORCED
    handled = np.maximum(1, np.abs(problem.change[pays]) + problem.packs[pays])
    worth = float((problem.prize[pays] / handled).mean()) if pays.any() else arc
    return Schedule(unit=worth, hot=0.5, cold=0.01, per_vehicle=0.5, per_minute=0.05)
