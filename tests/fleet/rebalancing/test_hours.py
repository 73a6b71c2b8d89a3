"""Vans that differ, hours that count: nothing is ever overfull, late or out of order."""

import datetime
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.rebalancing.rules.hours import NEVER, daily, merged, outside, windows
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.travel import TravelTimes, straight_minutes, travel_minutes
from fleet.rebalancing.rules.vans import VanSpec, vans_of
from fleet.rebalancing.solver.around import solve_around
from fleet.rebalancing.solver.greedy import greedy_routes
from fleet.rebalancing.solver.problem import FAR, Problem, judge, route_times
from fleet.rebalancing.solver.search import Effort, solve
from tests.fleet.rebalancing.test_solver import QUICK, every_plan, problem

ROME = ZoneInfo("Europe/Rome")
NOON = datetime.datetime(2026, 5, 5, 12, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def city(seed, *, stops=12, vans=3):
    """Stops with hours on a plane; vans of their own rooms, shifts, starts and ends."""
    chance = np.random.default_rng(seed)
    nodes = 1 + stops + 2 * vans
    spots = chance.uniform(0, 10, (nodes, 2))
    minutes = np.hypot(*(spots[:, None, :] - spots[None, :, :]).transpose(2, 0, 1))
    nothing = np.zeros(2 * vans, dtype=np.int64)
    change = np.concatenate([[0], chance.integers(-4, 5, stops), nothing])
    hours = []
    for _stop in range(stops):
        first, length = chance.uniform(0, 40), chance.uniform(2, 20)
        each = ((first, first + length), (first + length + 10, first + length + 30))
        hours.append(each[: chance.integers(0, 3)])
    begins = chance.uniform(0, 20, vans)
    starts = 1 + stops + 2 * np.arange(vans)
    return Problem(
        minutes=minutes,
        service=np.concatenate([[0.0], chance.uniform(0, 2, stops), nothing]),
        change=change,
        prize=np.concatenate([[0.0], chance.uniform(0, 25, stops), nothing]),
        commodity=np.concatenate([[0], chance.integers(0, 2, stops), nothing]),
        packs=np.concatenate([[0], chance.integers(0, 3, stops), nothing]),
        capacity=0,
        vans=vans,
        shift_minutes=0.0,
        cost_per_minute=0.3,
        places=2 * vans,
        start_node=starts,
        end_node=starts + 1,
        start_load=chance.integers(0, 3, (2, vans)),
        at_rest=np.ones(vans, dtype=np.int64),
        capacities=np.full(vans, 24),
        room=np.array([[2] * vans, chance.integers(2, 5, vans)]),
        pack_capacities=chance.integers(0, 6, vans),
        windows=((), *hours, *((),) * (2 * vans)),
        begins=begins,
        ends=begins + chance.uniform(10, 60, vans),
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_van_is_overfull_or_late_whatever_the_hours(seed):
    task = city(seed)
    for answer in (solve(task, effort=Effort(rounds=500, seed=seed)), greedy_routes(task)):
        result = judge(task, routes=answer.routes)
        assert result.feasible, answer
        assert result.net_cost <= 1e-6
        assert result.net_cost == pytest.approx(answer.net_cost, abs=1e-6)
        for van, route in enumerate(answer.routes):
            assert max(route, default=1) <= 12  # nobody visits a place that is no stop
            times, late = route_times(task, van=van, route=route)
            assert late == 0.0
            for stop, begins in zip(route, times, strict=True):
                opening = task.windows[stop]
                assert not opening or any(a <= begins <= b for a, b in opening)


@pytest.mark.parametrize("seed", range(5))
def test_with_hours_the_search_finds_the_best_of_all_plans(seed):
    task = city(seed, stops=5, vans=2)
    result = judge(task, routes=solve(task, effort=QUICK).routes)
    best = min(
        judge(task, routes=plan).net_cost
        for plan in _plans(task)
        if judge(task, routes=plan).feasible
    )
    assert result.net_cost == pytest.approx(best, abs=1e-6)


def _plans(task):
    return every_plan(range(1, 6), vans=task.vans, optional=True)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_is_fixed_keeps_its_order_among_hours(seed):
    task = city(seed)
    answer, kept = solve_around(
        task, fixed=((1, 2), (3,), ()), effort=Effort(rounds=400, seed=seed)
    )
    assert judge(replace(task, fixed=kept), routes=answer.routes).feasible
    for route, fixed in zip(answer.routes, kept, strict=True):
        assert [stop for stop in route if stop in fixed] == list(fixed)


def test_a_van_waits_for_the_opening_and_is_not_paid_for_it():
    """Ten minutes away, open from minute 60 to 61 on: there and back costs twenty, ends at 70."""
    fields = {"places": [(0, 0), (10, 0)], "change": [0, 0], "prize": [0, 50], "vans": 1}
    early = problem(
        **fields, windows=((), ((60.0, 61.0),)), begins=np.zeros(1), ends=np.array([70.0])
    )
    result = judge(early, routes=solve(early, effort=QUICK).routes)
    assert (result.prize, result.minutes) == (50, 20)
    late = problem(
        **fields, windows=((), ((60.0, 61.0),)), begins=np.zeros(1), ends=np.array([69.0])
    )
    assert solve(late, effort=QUICK).routes == greedy_routes(late).routes == [[]]


def test_a_van_at_rest_costs_nothing_though_its_ends_lie_apart():
    task = city(1)
    assert judge(task, routes=[[], [], []]).minutes == 0


def test_bicycles_take_more_room_than_scooters():
    """The van holds 12 scooters or 8 bicycles: 6 and 4 fit together, one more does not."""
    spec = VanSpec(
        capacity={"scooter": 12, "bicycle": 8, "car": 0},
        packs=0,
        start=(9.0, 45.0),
        end=(9.0, 45.0),
        shift_minutes=60,
    )
    whole, (scooter, bicycle, car) = spec.units(["scooter", "bicycle", "car"])
    assert 6 * scooter + 4 * bicycle == whole
    assert 12 * scooter == 8 * bicycle == whole
    assert car > whole


def test_vans_are_stored_with_the_plan_and_read_again():
    spec = VanSpec(
        capacity={"scooter": 12},
        packs=5,
        start=(9.0, 45.0),
        end=(9.1, 45.1),
        shift_minutes=90,
        begins=NOON,
        ends=NOON + HOUR,
        name="Ducato",
        van_id="x",
    )
    parameters = Parameters.from_json(Parameters(fleet=(spec.as_json(),)).as_json())
    assert vans_of(parameters, depot=(0.0, 0.0)) == [spec]
    assert spec.clock(at=NOON - HOUR, spent=0.0) == (60.0, 120.0)
    assert spec.clock(at=NOON + HOUR / 2, spent=30.0) == (0.0, 30.0)
    assert spec.clock(at=NOON + 3 * HOUR, spent=0.0) == (0.0, 0.0)


# --- hours ----------------------------------------------------------------------------------------
def test_hours_follow_the_wall_clock_through_the_night_the_clocks_change():
    """On 25 October 2026 the night from 22 to 6 lasts nine hours."""
    at = datetime.datetime(2026, 10, 24, 20, 0, tzinfo=datetime.UTC)
    nights = daily(
        since=datetime.time(22), until=datetime.time(6), weekdays=[6], at=at, days=2, zone=ROME
    )
    assert nights == [(at, at + 9 * HOUR)]


def test_no_work_by_day_leaves_the_morning_and_the_evening():
    closed = [(NOON, NOON + 4 * HOUR)]
    found = windows(closed=closed, due_at=None, service=10.0, at=NOON - 2 * HOUR)
    assert found == ((0.0, 110.0), (360.0, 1e9))
    due = windows(closed=closed, due_at=NOON + HOUR, service=10.0, at=NOON - 2 * HOUR)
    assert due == ((0.0, 110.0),)
    assert windows(closed=closed, due_at=NOON + HOUR, service=10.0, at=NOON) == NEVER
    assert windows(closed=[], due_at=None, service=1.0, at=NOON) == ()


@settings(max_examples=60, deadline=None)
@given(
    shut=st.lists(st.tuples(st.integers(-300, 900), st.integers(1, 300)), max_size=4),
    due=st.none() | st.integers(-60, 900),
    service=st.integers(0, 30),
    now=st.integers(0, 1000),
)
def test_windows_are_exactly_the_minutes_in_which_work_may_begin(shut, due, service, now):
    minute = datetime.timedelta(minutes=1)
    closed = [(NOON + a * minute, NOON + (a + length) * minute) for a, length in shut]
    due_at = None if due is None else NOON + due * minute
    found = windows(closed=closed, due_at=due_at, service=float(service), at=NOON)
    begins, ends = NOON + now * minute, NOON + (now + service) * minute
    free = all(ends <= start or begins >= end for start, end in merged(closed))
    free = free and (due_at is None or begins <= due_at)
    assert (not found or any(a <= now <= b for a, b in found)) == free


def test_opening_hours_turned_inside_out():
    open_now = [(NOON, NOON + HOUR)]
    before, after = outside(open_now, at=NOON, days=1)
    assert (before[1], after[0]) == (NOON, NOON + HOUR)


# --- travel times ---------------------------------------------------------------------------------
LON, LAT = np.array([9.18, 9.19, 9.20]), np.array([45.46, 45.46, 45.46])


def table(minutes):
    return TravelTimes(lon=LON, lat=LAT, minutes=np.array(minutes, dtype=float))


def test_a_table_says_how_long_it_takes_and_holes_are_no_way():
    nan = np.nan
    times = table([[0, 7, nan], [8, 0, 9], [nan, 9, 0]])
    found = travel_minutes(lon=LON, lat=LAT, parameters=Parameters(), table=times)
    assert found[0, 1] == 7
    assert found[1, 0] == 8
    assert found[0, 2] == FAR
    assert times.bridged().minutes[0, 2] == 16
    assert times.bridged().minutes[0, 1] == 7
    assert times.holes == 2
    again = TravelTimes.unpacked(points=list(zip(LON, LAT, strict=True)), packed=times.packed())
    assert np.array_equal(again.minutes, times.minutes, equal_nan=True)


def test_near_a_point_the_table_counts_and_far_from_all_straight_lines_do():
    times = table([[0, 50, 60], [50, 0, 70], [60, 70, 0]])
    lon, lat = np.array([9.181, 9.19, 9.5]), np.array([45.46, 45.46, 45.46])
    found = travel_minutes(lon=lon, lat=lat, parameters=Parameters(), table=times)
    straight = straight_minutes(lon=lon, lat=lat, parameters=Parameters())
    assert 50 < found[0, 1] < 51
    assert found[0, 2] == straight[0, 2]
    assert (np.diag(found) == 0).all()
