"""The problem and the state of the search as plain arrays, which is all that compiled code takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fleet.rebalancing.solver.problem import DEPOT, Floats, Ints, Problem

NEIGHBOURS = 400


class Task(NamedTuple):
    """The problem as arrays."""

    minutes: Floats
    service: Floats
    change: Ints
    prize: Floats
    commodity: Ints
    packs: Ints
    near: Ints  # (n, m) the other stops of each stop by distance, itself first
    start_node: Ints
    start_load: Ints  # (commodity, van), -1 free
    fixed: Ints  # 1 for stops that are never taken out
    spent_minutes: Floats  # per van
    spent_packs: Ints
    limits: Floats  # capacity, shift, cost per minute, pack capacity, all vans alike, all mandatory


class State(NamedTuple):
    """Routes with the sums that make an insertion O(1). Position i is 'after i stops'."""

    stops: Ints  # (van, place)
    size: Ints
    route_of: Ints
    place_of: Ints
    peak_before: Ints  # (van, i) highest total load over positions 0..i
    peak_after: Ints  # (van, i) highest total load over positions i..end
    low_before: Ints  # (commodity, van, i)
    low_after: Ints
    raw: Floats  # cost of the minutes less prizes
    length: Floats  # minutes
    excess: Ints
    packs: Ints
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
    return Task(
        minutes=np.ascontiguousarray(problem.minutes, dtype=np.float64),
        service=problem.service.astype(np.float64),
        change=problem.change.astype(np.int64),
        prize=problem.prize.astype(np.float64),
        commodity=problem.commodity.astype(np.int64),
        packs=problem.packs.astype(np.int64),
        near=nearest(problem.minutes, count=NEIGHBOURS),
        start_node=problem.starts(),
        start_load=problem.start_loads(),
        fixed=fixed_stops(problem),
        spent_minutes=problem.minutes_spent(),
        spent_packs=problem.packs_spent(),
        limits=task_limits(problem, mandatory=mandatory),
    )


def fixed_stops(problem: Problem) -> Ints:
    """1 for each stop that stays where it is."""
    flags = np.zeros(problem.stops, dtype=np.int64)
    flags[[stop for route in problem.fixed for stop in route]] = 1
    return flags


def nearest(minutes: Floats, *, count: int) -> Ints:
    """The stops nearest to each stop in both directions together, itself first, depot left out."""
    both = minutes + minutes.T
    both = both.copy()
    np.fill_diagonal(both, -1.0)
    both[:, DEPOT] = np.inf
    order = np.argsort(both, axis=1, kind="stable")
    return np.ascontiguousarray(order[:, : min(count, minutes.shape[0] - 1)])


def mean_near_arc(minutes: Floats) -> float:
    """Mean of the five shortest arcs out of each stop: the scale of temperatures and penalties."""
    arcs = minutes.copy()
    np.fill_diagonal(arcs, np.inf)
    near = np.sort(arcs, axis=1)[:, : min(5, minutes.shape[0] - 1)]
    return float(max(near.mean(), 1e-6))


def task_limits(problem: Problem, *, mandatory: bool) -> Floats:
    """Capacity, shift, cost per minute, packs, whether vans start alike, whether all is a must."""
    begun = problem.spent_minutes is not None or problem.spent_packs is not None
    alike = problem.start_node is None and problem.start_load is None and not begun
    return np.array(
        [
            problem.capacity,
            problem.shift_minutes,
            problem.cost_per_minute,
            problem.pack_capacity,
            float(alike),
            float(mandatory),
        ]
    )


def empty_state(problem: Problem) -> State:
    """No stop served."""
    vans, stops, kinds = problem.vans, problem.stops, problem.commodities

    def ints(*shape: int) -> Ints:
        return np.zeros(shape, dtype=np.int64)

    return State(
        stops=ints(vans, stops),
        size=ints(vans),
        route_of=np.full(stops, -1, dtype=np.int64),
        place_of=ints(stops),
        peak_before=ints(vans, stops + 1),
        peak_after=ints(vans, stops + 1),
        low_before=ints(kinds, vans, stops + 1),
        low_after=ints(kinds, vans, stops + 1),
        raw=np.zeros(vans),
        length=np.zeros(vans),
        excess=ints(vans),
        packs=ints(vans),
        touched=ints(vans),
        old_stops=ints(vans, stops),
        old_size=ints(vans),
        best_stops=ints(vans, stops),
        best_size=ints(vans),
    )
