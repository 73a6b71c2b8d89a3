"""The problem and the state of the search as plain arrays, which is all that compiled code takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fleet.rebalancing.solver.problem import DEPOT, Floats, Ints, Problem

NEIGHBOURS = 400


class Task(NamedTuple):
    """The problem as arrays."""

    minutes: Floats
    minutes_to: Floats  # the same from the other end, so that both ways lie in a row
    service: Floats
    change: Ints
    prize: Floats
    commodity: Ints
    packs: Ints
    near: Ints  # (n, m) the other stops of each stop by distance, itself first
    start_node: Ints  # this and what follows per van
    end_node: Ints
    at_rest: Ints  # 1 for vans that cost nothing while they have no stop
    alike: Ints  # the same number for vans that differ in nothing
    capacity: Ints
    room: Ints  # (commodity, van) that one vehicle takes
    start_load: Ints  # (commodity, van), -1 free
    shift: Floats
    pack_capacity: Ints
    spent_minutes: Floats
    spent_packs: Ints
    begins: Floats
    ends: Floats
    fixed: Ints  # 1 for stops that are never taken out
    first_window: Ints  # (n + 1) where the windows of each node start in the two below
    opens: Floats
    closes: Floats  # the latest moment at which service may begin
    limits: Floats  # cost per minute, all mandatory, whether hours count, stops with the depot


class State(NamedTuple):
    """Routes with the sums that make an insertion O(1). Position i is 'after i stops'."""

    stops: Ints  # (van, place)
    size: Ints
    route_of: Ints
    place_of: Ints
    arc: Floats  # (van, i) minutes from the i-th position to the next
    peak_before: Ints  # (van, i) highest total load over positions 0..i
    peak_after: Ints  # (van, i) highest total load over positions i..end
    low_before: Ints  # (commodity, van, i)
    low_after: Ints
    raw: Floats  # cost of the minutes less prizes
    length: Floats  # minutes
    excess: Ints
    packs: Ints
    over: Floats  # minutes beyond the shift, or late where hours count
    leaves: Floats  # (van, i) when the van leaves; this and what follows only where hours count
    late_before: Floats  # (van, i) minutes late over positions 0..i
    latest: Floats  # (van, i) latest punctual arrival at the i-th stop, at last at the end
    late_after: Floats  # (van, i) minutes late from there on however punctual before
    touched: Ints  # 1 while a backup of the route is held
    old_stops: Ints
    old_size: Ints
    best_stops: Ints
    best_size: Ints


class Totals(NamedTuple):
    """Running sums of the current state, and of the best feasible one."""

    current: Floats  # raw, load excess, overtime
    best: Floats  # raw cost of the best feasible routes
    seen: Floats  # rounds, of these with a state within capacity, within shift


def as_arrays(problem: Problem, *, mandatory: bool) -> Task:
    """The problem for the kernel; `mandatory` says that every stop must be served."""
    first_window, opens, closes = windows(problem)
    return Task(
        minutes=_floats(problem.minutes),
        minutes_to=_floats(problem.minutes.T),
        service=_floats(problem.service),
        change=_ints(problem.change),
        prize=_floats(problem.prize),
        commodity=_ints(problem.commodity),
        packs=_ints(problem.packs),
        near=nearest(problem.minutes, count=NEIGHBOURS, places=problem.places),
        start_node=_ints(problem.starts()),
        end_node=_ints(problem.ends_at()),
        at_rest=_ints(problem.resting()),
        alike=_ints(alike(problem)),
        capacity=_ints(problem.capacities_of()),
        room=_ints(problem.rooms()),
        start_load=_ints(problem.start_loads()),
        shift=_floats(problem.shifts_of()),
        pack_capacity=_ints(problem.packs_of()),
        spent_minutes=_floats(problem.minutes_spent()),
        spent_packs=_ints(problem.packs_spent()),
        begins=_floats(problem.clock_on()),
        ends=_floats(problem.clock_off()),
        fixed=fixed_stops(problem),
        first_window=_ints(first_window),
        opens=_floats(opens),
        closes=_floats(closes),
        limits=np.array(
            [
                problem.cost_per_minute,
                float(mandatory),
                float(problem.timed),
                problem.stops - problem.places,
            ]
        ),
    )


def _floats(values: Floats) -> Floats:
    """One layout for all, because each other one is compiled anew."""
    return np.ascontiguousarray(values, dtype=np.float64)


def _ints(values: Ints) -> Ints:
    return np.ascontiguousarray(values, dtype=np.int64)


def windows(problem: Problem) -> tuple[Ints, Floats, Floats]:
    """All windows one after the other, and where those of each node begin."""
    each = problem.windows if problem.windows is not None else ((),) * problem.stops
    first = np.cumsum([0, *(len(of) for of in each)]).astype(np.int64)
    flat = np.array([window for of in each for window in of], dtype=np.float64).reshape(-1, 2)
    return first, flat[:, 0], flat[:, 1]


def alike(problem: Problem) -> Ints:
    """A number for each van, equal for those that differ in nothing."""
    columns = [
        problem.starts(),
        problem.ends_at(),
        problem.resting(),
        problem.capacities_of(),
        *problem.rooms(),
        *problem.start_loads(),
        problem.shifts_of(),
        problem.packs_of(),
        problem.minutes_spent(),
        problem.packs_spent(),
        problem.clock_on(),
        problem.clock_off(),
    ]
    rows = np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def fixed_stops(problem: Problem) -> Ints:
    """1 for each stop that stays where it is."""
    flags = np.zeros(problem.stops, dtype=np.int64)
    flags[[stop for route in problem.fixed for stop in route]] = 1
    return flags


def nearest(minutes: Floats, *, count: int, places: int = 0) -> Ints:
    """The stops nearest to each stop in both directions together, itself first; the depot and the
    last `places` nodes are none."""
    both = minutes + minutes.T
    both = both.copy()
    np.fill_diagonal(both, -1.0)
    both[:, DEPOT] = np.inf
    both[:, minutes.shape[0] - places :] = np.inf
    order = np.argsort(both, axis=1, kind="stable")
    return np.ascontiguousarray(order[:, : max(0, min(count, minutes.shape[0] - 1 - places))])


def mean_near_arc(minutes: Floats) -> float:
    """Mean of the five shortest arcs out of each stop: the scale of temperatures and penalties."""
    arcs = minutes.copy()
    np.fill_diagonal(arcs, np.inf)
    count = min(5, minutes.shape[0] - 1)
    near = np.partition(arcs, max(0, count - 1), axis=1)[:, :count]
    return float(max(near.mean(), 1e-6))


def empty_state(problem: Problem) -> State:
    """No stop served."""
    vans, stops, kinds = problem.vans, problem.stops, problem.commodities

    clock = (vans, stops + 1 if problem.timed else 1)

    def ints(*shape: int) -> Ints:
        return np.zeros(shape, dtype=np.int64)

    return State(
        stops=ints(vans, stops),
        size=ints(vans),
        route_of=np.full(stops, -1, dtype=np.int64),
        place_of=ints(stops),
        arc=np.zeros((vans, stops + 1)),
        peak_before=ints(vans, stops + 1),
        peak_after=ints(vans, stops + 1),
        low_before=ints(kinds, vans, stops + 1),
        low_after=ints(kinds, vans, stops + 1),
        raw=np.zeros(vans),
        length=np.zeros(vans),
        excess=ints(vans),
        packs=ints(vans),
        over=np.zeros(vans),
        leaves=np.zeros(clock),
        late_before=np.zeros(clock),
        latest=np.zeros(clock),
        late_after=np.zeros(clock),
        touched=ints(vans),
        old_stops=ints(vans, stops),
        old_size=ints(vans),
        best_stops=ints(vans, stops),
        best_size=ints(vans),
    )
