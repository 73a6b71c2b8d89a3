"""What a routing problem is, what a plan for it is, and how to judge a plan independently."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Intervals of minutes in which service may begin.
Windows = tuple[tuple[float, float], ...]

DEPOT = 0
# Minutes between places without a way: beyond any shift.
FAR = 1e7


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Stops that vans may serve; index 0 is the depot, and the last `places` nodes are no stops but
    where vans start and end.

    `change[v]` > 0 loads that many vehicles of commodity `commodity[v]`, < 0 unloads them. Nothing
    may be split. `prize` is what serving is worth, in the unit of `cost_per_minute`; a stop that
    must be served carries a prize beyond any cost (see `must_serve`). `start_load` < 0 leaves the
    start load of a van free (the depot has stock), else it is fixed.

    What is not given per van is the same for all: `capacity`, `shift_minutes`, `pack_capacity`,
    from and to the depot. With `windows`, a clock runs: van k drives from `begins[k]` on, waits
    where it comes too early, and is back by `ends[k]`; shifts and minutes spent then say nothing.
    Waiting takes time but costs nothing: who leaves later or pauses is not paid for it.
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
    places: int = 0
    start_node: Ints | None = None  # per van; the depot when not given
    end_node: Ints | None = None  # likewise
    start_load: Ints | None = None  # per commodity and van; free when not given
    spent_minutes: Floats | None = None  # of its shift, per van that is under way already
    spent_packs: Ints | None = None  # likewise
    at_rest: Ints | None = None  # per van: 1 when it costs nothing unless it drives
    capacities: Ints | None = None  # per van
    room: Ints | None = None  # (commodity, van): of the capacity, that one vehicle takes; 1
    shifts: Floats | None = None  # per van
    pack_capacities: Ints | None = None  # per van
    windows: tuple[Windows, ...] | None = None  # per node; none at a node: always
    begins: Floats | None = None  # per van
    ends: Floats | None = None  # per van
    # Stops that stay on their van and in this order, whatever is put between them.
    fixed: tuple[tuple[int, ...], ...] = ()

    @property
    def stops(self) -> int:
        """Number of nodes, the depot included."""
        return int(self.change.size)

    @property
    def timed(self) -> bool:
        """Whether hours count."""
        return self.windows is not None

    @property
    def commodities(self) -> int:
        """Number of kinds of vehicle that share the van."""
        if self.start_load is not None:
            return int(self.start_load.shape[0])
        return int(self.commodity.max()) + 1

    def starts(self) -> Ints:
        """Node at which each van begins."""
        return self._whole(self.start_node, DEPOT)

    def ends_at(self) -> Ints:
        """Node at which each van ends."""
        return self._whole(self.end_node, DEPOT)

    def resting(self) -> Ints:
        """1 for each van that costs nothing unless it drives."""
        return self._whole(self.at_rest, 0)

    def minutes_spent(self) -> Floats:
        """Minutes of each van's shift that are over."""
        return self._parts(self.spent_minutes, 0.0)

    def packs_spent(self) -> Ints:
        """Charged batteries that each van has used already."""
        return self._whole(self.spent_packs, 0)

    def capacities_of(self) -> Ints:
        """Room in each van."""
        return self._whole(self.capacities, self.capacity)

    def packs_of(self) -> Ints:
        """Charged batteries of each van."""
        return self._whole(self.pack_capacities, self.pack_capacity)

    def shifts_of(self) -> Floats:
        """Minutes of each van, what is spent included."""
        return self._parts(self.shifts, self.shift_minutes)

    def clock_on(self) -> Floats:
        """When each van begins, where hours count."""
        return self._parts(self.begins, 0.0)

    def clock_off(self) -> Floats:
        """When each van has to be back, where hours count."""
        return self._parts(self.ends, self.shift_minutes)

    def rooms(self) -> Ints:
        """(commodity, van): of the van's room, what one vehicle takes."""
        if self.room is None:
            return np.ones((self.commodities, self.vans), dtype=np.int64)
        return self.room

    def start_loads(self) -> Ints:
        """Vehicles aboard at the start, (commodity, van); -1 is free."""
        if self.start_load is None:
            return np.full((self.commodities, self.vans), -1, dtype=np.int64)
        return self.start_load

    def _whole(self, given: Ints | None, usual: int) -> Ints:
        return np.full(self.vans, usual, dtype=np.int64) if given is None else given

    def _parts(self, given: Floats | None, usual: float) -> Floats:
        return np.full(self.vans, usual, dtype=np.float64) if given is None else given


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Routes (one list of stops for each van), and how they were found."""

    routes: list[list[int]]
    method: str  # "sisr", "greedy", or "none" where there is no stop
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
    overtime: float  # minutes beyond a shift, or late
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
    travel = minutes[minutes < FAR]
    return float(10.0 * (travel.max() + 1.0) * cost_per_minute * minutes.shape[0])


def load_excess(
    *, changes: Ints, kinds: Ints, start: Ints, capacity: int, room: Ints | None = None
) -> int:
    """Room by which a route overflows, and vehicles by which it underruns, at the best start load.

    With a free start the least load of each commodity that never underruns is taken.
    """
    takes = np.ones(start.size, dtype=np.int64) if room is None else room
    total_peak = 0
    excess = 0
    loads = np.zeros(start.size, dtype=np.int64)
    lowest = np.zeros(start.size, dtype=np.int64)
    for change, kind in zip(changes, kinds, strict=True):
        loads[kind] += change
        lowest[kind] = min(lowest[kind], loads[kind])
        total_peak = max(total_peak, int((loads * takes).sum()))
    aboard = 0
    for kind in range(start.size):
        if start[kind] < 0:
            aboard -= int(lowest[kind] * takes[kind])
        else:
            aboard += int(start[kind] * takes[kind])
            excess += max(0, -int(lowest[kind]) - int(start[kind]))
    return excess + max(0, aboard + total_peak - capacity)


def route_minutes(problem: Problem, *, van: int, route: list[int]) -> float:
    """Travel from where the van starts through the stops to where it ends, and service on the way."""
    start, end = int(problem.starts()[van]), int(problem.ends_at()[van])
    if not route and problem.resting()[van]:
        return 0.0
    travel = sum(problem.minutes[a, b] for a, b in pairwise([start, *route, end]))
    return float(travel + problem.service[route].sum())


def route_times(problem: Problem, *, van: int, route: list[int]) -> tuple[list[float], float]:
    """When service begins at each stop, and the minutes by which the van is late in all.

    Who comes after the last window of a stop is late by as much, and the clock is set back to it.
    Without hours the clock starts with the minutes spent, and only the end can be late.
    """
    now = float(problem.clock_on()[van] if problem.timed else problem.minutes_spent()[van])
    ends = float(problem.clock_off()[van] if problem.timed else problem.shifts_of()[van])
    times, late = [], 0.0
    last = int(problem.starts()[van])
    for stop in route:
        now += float(problem.minutes[last, stop])
        opening = (
            [each for each in problem.windows[stop] if now <= each[1]] if problem.windows else []
        )
        if opening:
            now = max(now, opening[0][0])
        elif problem.windows and problem.windows[stop]:
            late += now - problem.windows[stop][-1][1]
            now = problem.windows[stop][-1][1]
        times.append(now)
        now += float(problem.service[stop])
        last = stop
    if route or not problem.resting()[van]:
        now += float(problem.minutes[last, int(problem.ends_at()[van])])
    return times, late + max(0.0, now - ends)


def judge(problem: Problem, *, routes: list[list[int]], mandatory: bool = False) -> Judgement:
    """Check and price routes without any of the solver's own book-keeping."""
    loads, rooms = problem.start_loads(), problem.rooms()
    minutes = overtime = 0.0
    excess = packs = 0
    for van, route in enumerate(routes):
        minutes += route_minutes(problem, van=van, route=route)
        overtime += route_times(problem, van=van, route=route)[1]
        excess += load_excess(
            changes=problem.change[route],
            kinds=problem.commodity[route],
            start=loads[:, van],
            capacity=int(problem.capacities_of()[van]),
            room=rooms[:, van],
        )
        used = int(problem.packs_spent()[van] + problem.packs[route].sum())
        packs += max(0, used - int(problem.packs_of()[van]))
    served = [stop for route in routes for stop in route]
    prize = float(problem.prize[served].sum()) if served else 0.0
    wanted = problem.stops - 1 - problem.places
    return Judgement(
        minutes=minutes,
        prize=prize,
        net_cost=minutes * problem.cost_per_minute - prize,
        load_excess=excess,
        overtime=overtime,
        packs_excess=packs,
        repeated=len(served) - len(set(served)),
        unserved_mandatory=wanted - len(set(served)) if mandatory else 0,
    )
