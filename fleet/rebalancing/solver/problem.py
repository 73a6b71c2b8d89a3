"""What a routing problem is, what a plan for it is, and how to judge a plan independently."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DEPOT = 0


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Stops that vans may serve; index 0 is the depot, where every route ends.

    `change[v]` > 0 loads that many vehicles of commodity `commodity[v]`, < 0 unloads them. Nothing
    may be split. `prize` is what serving is worth, in the unit of `cost_per_minute`; a stop that
    must be served carries a prize beyond any cost (see `must_serve`). `start_load` < 0 leaves the
    start load of a van free (the depot has stock), else it is fixed.
    """

    minutes: Floats  # travel, (n, n), may be asymmetric
    service: Floats  # minutes at the stop
    change: Ints
    prize: Floats
    commodity: Ints
    packs: Ints  # charged batteries used at the stop
    capacity: int
    vans: int
    shift_minutes: float
    cost_per_minute: float
    pack_capacity: int = 0
    start_node: Ints | None = None  # per van; the depot when not given
    start_load: Ints | None = None  # per commodity and van; free when not given
    spent_minutes: Floats | None = None  # of its shift, per van that is under way already
    spent_packs: Ints | None = None  # likewise
    # Stops that stay on their van and in this order, whatever is put between them.
    fixed: tuple[tuple[int, ...], ...] = ()

    @property
    def stops(self) -> int:
        """Number of nodes, the depot included."""
        return int(self.change.size)

    @property
    def commodities(self) -> int:
        """Number of kinds of vehicle that share the van."""
        if self.start_load is not None:
            return int(self.start_load.shape[0])
        return int(self.commodity.max()) + 1

    def starts(self) -> Ints:
        """Node at which each van begins."""
        if self.start_node is None:
            return np.zeros(self.vans, dtype=np.int64)
        return self.start_node

    def minutes_spent(self) -> Floats:
        """Minutes of each van's shift that are over."""
        return np.zeros(self.vans) if self.spent_minutes is None else self.spent_minutes

    def packs_spent(self) -> Ints:
        """Charged batteries that each van has used already."""
        if self.spent_packs is None:
            return np.zeros(self.vans, dtype=np.int64)
        return self.spent_packs

    def start_loads(self) -> Ints:
        """Vehicles aboard at the start, (commodity, van); -1 is free."""
        if self.start_load is None:
            return np.full((self.commodities, self.vans), -1, dtype=np.int64)
        return self.start_load


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Routes (one list of stops for each van), and how they were found."""

    routes: list[list[int]]
    method: str  # "sisr" or "greedy"
    net_cost: float  # cost less prizes, by the method's own account
    iterations: int = 0
    seconds: float = 0.0
    trail: list[tuple[float, float]] = field(default_factory=list)  # (seconds, net cost)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Figures of a set of routes, computed afresh from the problem alone."""

    minutes: float  # travel and service
    prize: float
    net_cost: float  # cost of the minutes less the prizes
    load_excess: int
    overtime: float
    packs_excess: int
    repeated: int
    unserved_mandatory: int

    @property
    def feasible(self) -> bool:
        """True when every limit holds and no stop is visited twice or wrongly left out."""
        broken = self.load_excess + self.packs_excess + self.repeated + self.unserved_mandatory
        return broken == 0 and self.overtime < 1e-6


def must_serve(*, minutes: Floats, cost_per_minute: float) -> float:
    """A prize that no detour can outweigh: the costliest tour of all stops, tenfold."""
    travel = minutes[minutes < 1e8]
    return float(10.0 * (travel.max() + 1.0) * cost_per_minute * minutes.shape[0])


def load_excess(*, changes: Ints, kinds: Ints, start: Ints, capacity: int) -> int:
    """Vehicles by which a route overflows or underruns, given the best start load.

    With a free start the least load of each commodity that never underruns is taken.
    """
    total_peak = 0
    excess = 0
    loads = np.zeros(start.size, dtype=np.int64)
    lowest = np.zeros(start.size, dtype=np.int64)
    for change, kind in zip(changes, kinds, strict=True):
        loads[kind] += change
        lowest[kind] = min(lowest[kind], loads[kind])
        total_peak = max(total_peak, int(loads.sum()))
    aboard = 0
    for kind in range(start.size):
        if start[kind] < 0:
            aboard -= int(lowest[kind])
        else:
            aboard += int(start[kind])
            excess += max(0, -int(lowest[kind]) - int(start[kind]))
    return excess + max(0, aboard + total_peak - capacity)


def route_minutes(problem: Problem, *, route: list[int], start: int) -> float:
    """Travel from `start` through the stops home to the depot, and service on the way."""
    if not route:
        return float(problem.minutes[start, DEPOT])
    nodes = [start, *route, DEPOT]
    travel = sum(problem.minutes[a, b] for a, b in pairwise(nodes))
    return float(travel + problem.service[route].sum())


def judge(problem: Problem, *, routes: list[list[int]], mandatory: bool = False) -> Judgement:
    """Check and price routes without any of the solver's own book-keeping."""
    starts, loads = problem.starts(), problem.start_loads()
    minutes = overtime = 0.0
    excess = packs = 0
    for van, route in enumerate(routes):
        length = route_minutes(problem, route=route, start=int(starts[van]))
        minutes += length
        overtime += max(0.0, float(problem.minutes_spent()[van]) + length - problem.shift_minutes)
        excess += load_excess(
            changes=problem.change[route],
            kinds=problem.commodity[route],
            start=loads[:, van],
            capacity=problem.capacity,
        )
        used = int(problem.packs_spent()[van] + problem.packs[route].sum())
        packs += max(0, used - problem.pack_capacity)
    served = [stop for route in routes for stop in route]
    prize = float(problem.prize[served].sum()) if served else 0.0
    return Judgement(
        minutes=minutes,
        prize=prize,
        net_cost=minutes * problem.cost_per_minute - prize,
        load_excess=excess,
        overtime=overtime,
        packs_excess=packs,
        repeated=len(served) - len(set(served)),
        unserved_mandatory=problem.stops - 1 - len(set(served)) if mandatory else 0,
    )
