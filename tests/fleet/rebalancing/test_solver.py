"""Routing: checked against every possible route of small problems, and by an independent judge."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.rebalancing.solver import search
from fleet.rebalancing.solver.arrays import Totals, as_arrays, empty_state
from fleet.rebalancing.solver.greedy import greedy_routes
from fleet.rebalancing.solver.problem import Problem, judge, load_excess, must_serve
from fleet.rebalancing.solver.search import Effort, solve

QUICK = Effort(rounds=3_000)


def problem(*, places, change, prize=None, **fields):
    """Stops on a plane (kilometres, one minute each); the first is the depot."""
    spots = np.array(places, dtype=np.float64)
    minutes = np.hypot(*(spots[:, None, :] - spots[None, :, :]).transpose(2, 0, 1))
    stops = len(places)
    served = must_serve(minutes=minutes, cost_per_minute=1.0)
    return Problem(
        minutes=minutes,
        service=np.zeros(stops),
        change=np.array(change),
        prize=np.array([0.0] + [served] * (stops - 1)) if prize is None else np.array(prize, float),
        commodity=fields.pop("commodity", np.zeros(stops, dtype=np.int64)),
        packs=fields.pop("packs", np.zeros(stops, dtype=np.int64)),
        **{
            "capacity": 10,
            "vans": stops - 1,
            "shift_minutes": np.inf,
            "cost_per_minute": 1.0,
            **fields,
        },
    )


def random_problem(seed, *, stops=7, optional=False, **fields):
    chance = np.random.default_rng(seed)
    change = chance.integers(-5, 6, stops)
    change[0] = 0
    prize = np.append(0.0, chance.uniform(0, 12, stops - 1)) if optional else None
    return problem(places=chance.uniform(0, 10, (stops, 2)), change=change, prize=prize, **fields)


def every_plan(stops, *, vans, optional):
    """Every way to give the stops to the vans, in every order."""
    subsets = (
        itertools.chain.from_iterable(
            itertools.combinations(stops, n) for n in range(len(stops) + 1)
        )
        if optional
        else [tuple(stops)]
    )
    for chosen in subsets:
        for order in itertools.permutations(chosen):
            for cuts in itertools.combinations_with_replacement(range(len(order) + 1), vans - 1):
                edges = [0, *cuts, len(order)]
                yield [list(order[a:b]) for a, b in itertools.pairwise(edges)]


def best_of_all(task, *, vans, optional):
    plans = every_plan(range(1, task.stops), vans=vans, optional=optional)
    judged = (judge(task, routes=plan, mandatory=not optional) for plan in plans)
    return min(result.net_cost for result in judged if result.feasible)


@pytest.mark.parametrize("seed", range(6))
def test_every_stop_served_at_the_least_cost(seed):
    task = random_problem(seed, stops=6, vans=5)
    answer = solve(task, effort=QUICK, mandatory=True)
    result = judge(task, routes=answer.routes, mandatory=True)
    assert answer.method == "sisr"
    assert result.feasible
    two_vans = random_problem(seed, stops=6, vans=2)
    assert result.net_cost <= best_of_all(two_vans, vans=2, optional=False) + 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_only_stops_that_pay_are_served(seed):
    """Two vans start empty: what is unloaded was loaded before."""
    fields = {
        "optional": True,
        "stops": 6,
        "vans": 2,
        "start_load": np.zeros((1, 2), dtype=np.int64),
    }
    task = random_problem(seed, **fields)
    answer = solve(task, effort=QUICK)
    result = judge(task, routes=answer.routes)
    assert result.feasible
    assert result.net_cost == pytest.approx(best_of_all(task, vans=2, optional=True), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    kinds=st.integers(1, 3),
    capacity=st.integers(5, 12),
    shift=st.floats(5, 60),
    packs=st.integers(0, 6),
    empty=st.booleans(),
)
def test_no_limit_is_ever_broken(seed, kinds, capacity, shift, packs, empty):
    chance = np.random.default_rng(seed)
    stops = 14
    task = random_problem(
        seed,
        stops=stops,
        optional=True,
        vans=3,
        capacity=capacity,
        shift_minutes=shift,
        commodity=chance.integers(0, kinds, stops),
        packs=chance.integers(0, 3, stops),
        pack_capacity=packs,
        start_load=np.zeros((3, 3), dtype=np.int64) if empty and kinds == 3 else None,
    )
    for answer in (solve(task, effort=Effort(rounds=600, seed=seed)), greedy_routes(task)):
        result = judge(task, routes=answer.routes)
        assert result.feasible, answer
        assert result.net_cost <= 1e-6


def test_the_search_beats_the_greedy_start():
    gains = []
    for seed in range(5):
        task = random_problem(
            seed, stops=40, optional=True, vans=2, shift_minutes=40.0,
            start_load=np.zeros((1, 2), dtype=np.int64),
        )  # fmt: skip
        greedy = judge(task, routes=greedy_routes(task).routes).net_cost
        ours = judge(task, routes=solve(task, effort=Effort(rounds=4_000)).routes).net_cost
        gains.append(greedy - ours)
    assert min(gains) >= -1e-6
    assert sum(gains) > 0


def test_the_same_seed_gives_the_same_routes():
    task = random_problem(3, stops=30, vans=4)
    first, again = (solve(task, effort=Effort(rounds=2_000, seed=5), mandatory=True) for _ in "ab")
    other = solve(task, effort=Effort(rounds=2_000, seed=6), mandatory=True)
    assert first.routes == again.routes
    assert first.routes != other.routes


def test_two_searches_side_by_side_keep_the_better():
    task = random_problem(3, stops=30, vans=4)
    both = solve(task, effort=Effort(rounds=2_000, seed=5, searches=2), mandatory=True)
    alone = [solve(task, effort=Effort(rounds=2_000, seed=n), mandatory=True) for n in (5, 6)]
    assert both.net_cost == min(answer.net_cost for answer in alone)
    judged = judge(task, routes=both.routes, mandatory=True)
    assert both.net_cost == pytest.approx(judged.net_cost)


def test_time_is_a_limit():
    task = random_problem(1, stops=60, vans=10)
    answer = solve(task, effort=Effort(seconds=0.3, processor=True), mandatory=True)
    assert 0.3 <= answer.seconds < 0.6


def test_a_van_continues_where_it_stands_with_what_it_carries():
    """A re-plan: three scooters aboard, standing beside the stop that wants them."""
    task = problem(
        places=[(0, 0), (9, 0), (9, 1), (0, 5)],
        change=[0, 0, -3, -3],
        prize=[0, 0, 50, 50],
        vans=1,
        start_node=np.array([1]),
        start_load=np.array([[3]]),
    )
    answer = solve(task, effort=QUICK)
    assert [stop for stop in answer.routes[0] if stop != 1] == [2]
    assert not judge(task, routes=[[2, 3]]).feasible


def test_compiling_ahead_says_whether_there_is_a_compiler(monkeypatch, capsys):
    call_command("compile_planner")
    assert "Compiled" in capsys.readouterr().out
    monkeypatch.setattr(search, "compiled_kernel", lambda: None)
    call_command("compile_planner")
    assert "greedy" in capsys.readouterr().out


def test_without_the_compiler_the_plan_is_greedy_and_says_so(monkeypatch):
    monkeypatch.setattr(search, "compiled_kernel", lambda: None)
    answer = solve(random_problem(2, optional=True, vans=2), effort=QUICK)
    assert answer.method == "greedy"


def test_kinds_of_vehicle_do_not_replace_each_other():
    """A bicycle taken here cannot be put down as a scooter there."""
    fields = {"places": [(0, 0), (1, 0), (2, 0)], "change": [0, 2, -2], "vans": 1}
    pay = {"prize": [0, 0, 100], "start_load": np.zeros((2, 1), dtype=np.int64)}
    same = problem(**fields, **pay, commodity=np.array([1, 0, 0]))
    mixed = problem(**fields, **pay, commodity=np.array([1, 0, 1]))
    assert solve(same, effort=QUICK).routes == [[1, 2]]
    assert solve(mixed, effort=QUICK).routes == [[]]


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(-6, 6), st.integers(0, 1)), max_size=6),
    capacity=st.integers(1, 12),
)
def test_a_free_start_load_exists_exactly_when_the_judge_says_so(steps, capacity):
    """Compared with trying every start load of two kinds."""

    def fits(first, second):
        aboard = [first, second]
        for change, kind in steps:
            aboard[kind] += change
            if aboard[kind] < 0 or sum(aboard) > capacity:
                return False
        return True

    starts = ((a, b) for a in range(capacity + 1) for b in range(capacity + 1 - a))
    possible = any(fits(*start) for start in starts)
    excess = load_excess(
        changes=np.array([change for change, _kind in steps], dtype=np.int64),
        kinds=np.array([kind for _change, kind in steps], dtype=np.int64),
        start=np.array([-1, -1]),
        capacity=capacity,
    )
    assert (excess == 0) == possible


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), optional=st.booleans())
def test_fixed_stops_keep_their_van_and_order(seed, optional):
    """Two vans that are under way: what is fixed stays, the rest is routed around it."""
    fields = {"optional": optional, "stops": 10, "vans": 2, "capacity": 20}
    fixed = ((1, 2), (3,))
    task = random_problem(
        seed,
        **fields,
        shift_minutes=400.0,
        fixed=fixed,
        spent_minutes=np.array([300.0, 0.0]),
        start_load=np.array([[6, 10]]),
    )
    answer = solve(task, effort=Effort(rounds=600))
    for route, kept in zip(answer.routes, fixed, strict=True):
        assert [stop for stop in route if stop in (1, 2, 3)] == list(kept)


def test_minutes_and_packs_that_are_spent_count():
    """Six minutes are left of sixty: only the near stop can be served, with the last battery."""
    task = problem(
        places=[(0, 0), (2, 0), (9, 0)],
        change=[0, 0, 0],
        prize=[0, 50, 500],
        packs=np.array([0, 1, 1]),
        vans=1,
        shift_minutes=60.0,
        pack_capacity=5,
        spent_minutes=np.array([54.0]),
        spent_packs=np.array([4]),
    )
    assert solve(task, effort=QUICK).routes == [[1]]
    assert greedy_routes(task).routes == [[1]]


def shuffled(task, *, seed, parts):
    """Every stop once, in `parts` routes of no order."""
    order = np.random.default_rng(seed).permutation(np.arange(1, task.stops))
    return [[int(stop) for stop in part] for part in np.array_split(order, parts)]


def rejoined(task, *, routes, tries):
    """The routes after so many single rejoinings at no heat, and their sums by the kernel."""
    kernel = search.compiled_kernel()
    arrays, state = as_arrays(task, mandatory=True), empty_state(task)
    totals = Totals(current=np.zeros(3), best=np.array([np.inf]), seen=np.zeros(3))
    for van, route in enumerate(routes):
        state.stops[van, : len(route)] = route
        state.size[van] = len(route)
    penalties = np.array([10.0, 10.0])
    kernel.seed_random(1)
    kernel.recount(arrays, state, totals)
    for _ in range(tries):
        before = totals.current.copy()
        if kernel.rejoin(arrays, state, totals, penalties, 0.0):
            kernel.settle(arrays, state, totals, before, penalties, 0.0)
    rows = zip(state.stops, state.size, strict=True)
    return [[int(stop) for stop in row[:size]] for row, size in rows], totals.current


@pytest.mark.parametrize("parts", [1, 3])
def test_rejoining_alone_keeps_every_stop_and_shortens_the_way(parts):
    """Parts of routes are turned and swapped: none is lost, none doubled, every sum is right."""
    task = random_problem(4, stops=40, vans=parts, capacity=400)
    routes = shuffled(task, seed=4, parts=parts)
    begun = judge(task, routes=routes, mandatory=True)
    ended, sums = rejoined(task, routes=routes, tries=20_000)
    result = judge(task, routes=ended, mandatory=True)
    assert result.feasible
    assert result.minutes < 0.6 * begun.minutes
    assert sums[0] == pytest.approx(result.net_cost)


def test_rejoining_moves_nothing_that_is_fixed_and_gives_no_van_more_batteries_than_it_has():
    task = random_problem(
        5, stops=30, vans=3, capacity=300, packs=np.ones(30, dtype=np.int64), pack_capacity=11,
        fixed=((), (), ()),
    )  # fmt: skip
    routes = shuffled(task, seed=5, parts=3)
    fixed = tuple((route[2], route[5]) for route in routes)
    ended, _sums = rejoined(replace(task, fixed=fixed), routes=routes, tries=20_000)
    assert ended != routes
    assert judge(task, routes=ended, mandatory=True).packs_excess == 0
    for before, after, kept in zip(routes, ended, fixed, strict=True):
        assert set(kept) <= set(after)
        assert [stop for stop in after if stop in kept] == [s for s in before if s in kept]
