"""The time-limited search around the compiled kernel."""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np

from fleet.rebalancing.solver.arrays import Totals, as_arrays, empty_state, mean_near_arc
from fleet.rebalancing.solver.greedy import greedy_routes
from fleet.rebalancing.solver.problem import (
    Answer,
    Problem,
    judge,
)

SLICE_SECONDS = 0.02
ROUNDS_OF_A_SLICE = 200


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long to search: seconds of the wall or of this thread's processor, or a fixed number of
    rounds (the same seed then gives the same routes on every machine)."""

    seconds: float = 10.0
    rounds: int | None = None
    processor: bool = False
    seed: int = 1
    hot: float = 2.0  # first temperature, in mean costs of the five nearest arcs
    cold: float = 0.01


@cache
def compiled_kernel() -> ModuleType | None:
    """The numba kernel, or None where numba is not installed.

    Loaded on first use, because numba costs a second and 200 MB that web processes must not pay.
    """
    try:
        return importlib.import_module("fleet.rebalancing.solver.kernel")
    except ImportError:
        return None


def solve(problem: Problem, *, effort: Effort, mandatory: bool = False) -> Answer:
    """Route the vans: SISR when the kernel is there, else greedy (`Answer.method` says which).

    `mandatory` declares that every stop must be served; its prizes are then beyond any cost.
    """
    kernel = compiled_kernel()
    if kernel is None or problem.stops < 2:
        return greedy_routes(problem)
    return _Search(problem, kernel=kernel, effort=effort, mandatory=mandatory).run()


class _Search:
    """Annealing schedule, penalties and stopping; the kernel does the moves."""

    def __init__(
        self, problem: Problem, *, kernel: ModuleType, effort: Effort, mandatory: bool
    ) -> None:
        self.problem, self.kernel, self.effort = problem, kernel, effort
        self.clock: Callable[[], float] = time.thread_time if effort.processor else time.monotonic
        self.task = as_arrays(problem, mandatory=mandatory)
        self.arc = mean_near_arc(problem.minutes) * problem.cost_per_minute
        self.state = empty_state(problem)
        self.totals = Totals(current=np.zeros(3), best=np.array([np.inf]), seen=np.zeros(3))
        self.penalties = np.array([self.arc, problem.cost_per_minute])
        self.rounds = 0
        self.trail: list[tuple[float, float]] = []

    def run(self) -> Answer:
        """1. Compile and seed. 2. Start from one stop per van, or from nothing. 3. Cool down."""
        self.kernel.seed_random(self.effort.seed)
        self._start()
        self._anneal(heat=self.arc, rounds=0)  # compiles, and counts as no time
        begun = self.clock()
        slice_rounds = ROUNDS_OF_A_SLICE
        while (done := self._progress(begun)) < 1.0:
            before = self.clock()
            self._anneal(heat=self._heat(done), rounds=slice_rounds)
            self._adapt()
            self.trail.append((self.clock() - begun, float(self.totals.best[0])))
            if self.effort.rounds is None:
                rate = slice_rounds / max(1e-6, self.clock() - before)
                slice_rounds = max(10, int(rate * SLICE_SECONDS))
        return self._answer(seconds=self.clock() - begun)

    def _progress(self, begun: float) -> float:
        if self.effort.rounds is not None:
            return self.rounds / self.effort.rounds
        return (self.clock() - begun) / self.effort.seconds

    def _heat(self, done: float) -> float:
        ratio = math.log(self.effort.cold / self.effort.hot)
        return self.arc * self.effort.hot * math.exp(ratio * done)

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
        floor = np.array([self.arc * 1e-3, self.problem.cost_per_minute * 1e-2])
        np.clip(self.penalties, floor, floor * 1e6, out=self.penalties)

    def _start(self) -> None:
        """Where every stop must be served and vans suffice, each stop gets its own van."""
        mandatory = self.task.limits[5] > 0.0
        if mandatory and self.problem.vans >= self.problem.stops - 1:
            for stop in range(1, self.problem.stops):
                self.state.stops[stop - 1, 0] = stop
                self.state.size[stop - 1] = 1
        for van in range(self.problem.vans):
            self.kernel.rebuild(self.task, self.state, van)
        self.state.best_size[:] = self.state.size
        self.state.best_stops[:] = self.state.stops
        judged = judge(self.problem, routes=self._best_routes(), mandatory=mandatory)
        if judged.feasible:
            self.totals.best[0] = judged.net_cost

    def _best_routes(self) -> list[list[int]]:
        rows = zip(self.state.best_stops, self.state.best_size, strict=True)
        return [[int(stop) for stop in row[:size]] for row, size in rows]

    def _answer(self, *, seconds: float) -> Answer:
        return Answer(
            routes=self._best_routes(),
            method="sisr",
            iterations=self.rounds,
            seconds=seconds,
            trail=self.trail,
        )
