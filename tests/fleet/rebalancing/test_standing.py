"""A new route begins from the one that stands: of the same plan, or of yesterday's."""

import datetime
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.rebalancing import queries, services
from fleet.rebalancing.rules.offers import Offer
from fleet.rebalancing.rules.standing import Visit, begun_with
from fleet.rebalancing.services import planning
from fleet.rebalancing.solver.problem import judge
from fleet.rebalancing.solver.resume import resumed
from fleet.rebalancing.solver.search import Effort, solve
from fleet.rebalancing.states import PlanState
from mobility.core.principals import SYSTEM
from tests.fleet.rebalancing.conftest import NIGHT, PARAMETERS
from tests.fleet.rebalancing.test_solver import random_problem

DAY = datetime.timedelta(days=1)
PLACES = SimpleNamespace(cells=np.array([100, 200, 300]))


def stop(place, change, *, task_id=None, kind="scooter"):
    return Offer(
        kind=kind, place=place, change=change, gain=1.0, stock=0, target=0, task_id=task_id
    )


def visit(cell, change, *, van=0, task_id=0, kind="scooter"):
    return Visit(van=van, kind=kind, cell=cell, change=change, task_id=task_id)


def numbers(visits, found, *, vans=2):
    return begun_with(visits=visits, situation=PLACES, found=found, vans=vans)


def test_visits_find_their_stops_in_their_order():
    found = [stop(2, -3), stop(0, 2), stop(0, 2), stop(1, -1)]
    one_by_one = [
        visit(100, 1),
        visit(100, 1),
        visit(300, -3),
        visit(100, 1),
        visit(200, -1, van=1),
    ]
    assert numbers(one_by_one, found) == [[2, 1, 3], [4]]


def test_what_nothing_stands_for_any_more_is_left_out():
    found = [stop(0, 2)]
    gone = [visit(100, -1), visit(200, 1), visit(100, 1, kind="bicycle"), visit(100, 1, van=7)]
    assert numbers(gone, found) == [[], []]


def test_a_decided_task_is_its_own_stop_and_nobody_elses():
    found = [stop(0, 1), stop(0, 1, task_id=9)]
    assert numbers([visit(100, 1, task_id=9), visit(100, 1, task_id=5)], found) == [[2, 1], []]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), shift=st.floats(3, 60), capacity=st.integers(2, 9))
def test_whatever_stood_is_possible_afterwards_and_keeps_what_is_fixed(seed, shift, capacity):
    chance = np.random.default_rng(seed)
    task = random_problem(
        seed, stops=12, optional=True, vans=3, shift_minutes=1e9, capacity=capacity,
        start_load=np.zeros((1, 3), dtype=np.int64),
    )  # fmt: skip
    order = [int(each) for each in chance.permutation(np.arange(1, 12))]
    fixed = tuple((each,) if task.change[each] >= 0 else () for each in order[:3])
    task = replace(task, fixed=fixed)
    task = replace(task, shift_minutes=shift) if not any(fixed) else task
    kept = resumed(task, routes=[order[:4], order[4:8], order[8:]])
    judged = judge(task, routes=kept)
    assert judged.repeated == 0
    for van, route in enumerate(kept):
        assert tuple(each for each in route if each in fixed[van]) == fixed[van]
    assert judged.load_excess <= sum(
        max(0, int(task.change[van].max()) - capacity) for van in fixed
    )
    if not any(fixed):
        assert judged.feasible


def test_a_search_that_goes_on_is_never_worse_than_what_stood():
    task = random_problem(
        3, stops=40, optional=True, vans=3, shift_minutes=40.0,
        start_load=np.zeros((1, 3), dtype=np.int64),
    )  # fmt: skip
    long = solve(task, effort=Effort(rounds=6_000))
    again = solve(task, effort=Effort(rounds=50), standing=long.routes)
    anew = solve(task, effort=Effort(rounds=50))
    assert judge(task, routes=again.routes).feasible
    assert again.net_cost <= long.net_cost + 1e-6 < anew.net_cost


@pytest.mark.django_db
def test_tomorrows_plan_begins_with_todays(draft, ruote, milan):
    meant = draft.tasks.count()
    services.publish_plan(plan_id=draft.pk, at=NIGHT, by=SYSTEM)
    services.close_plan(plan_id=draft.pk, at=NIGHT, by=SYSTEM)
    plan = services.request_plan(
        organisation_id=ruote.pk, parameters=PARAMETERS, at=NIGHT + DAY, by=SYSTEM
    )
    ready = planning.prepare_plan(plan, at=NIGHT + DAY, by=SYSTEM)
    assert len(ready.standing) == meant
    drafted = planning.search_plan(ready, effort=Effort(rounds=5))
    anew = planning.search_plan(replace(ready, standing=[]), effort=Effort(rounds=5))
    assert drafted.value_cents - drafted.cost_cents >= anew.value_cents - anew.cost_cents
    plan = services.compute_plan(plan_id=plan.pk, rounds=50, at=NIGHT + DAY, by=SYSTEM)
    assert plan.state == PlanState.DRAFT


@pytest.mark.django_db
def test_a_plan_of_last_month_is_another_city(draft, ruote, milan):
    who = {"organisation_id": ruote.pk, "city_id": milan.pk}
    assert queries.visits_before(**who, since=NIGHT - DAY)
    assert queries.visits_before(**who, since=NIGHT + DAY) == []


@pytest.mark.django_db
def test_a_revision_without_time_to_search_keeps_the_routes(published):
    before = list(published.tasks.order_by("van", "sequence").values_list("pk", flat=True))
    plan = services.revise_plan(plan_id=published.pk, rounds=1, at=NIGHT, by=SYSTEM)
    kept = set(plan.tasks.filter(state="open").values_list("pk", flat=True))
    assert len(kept & set(before)) >= 0.9 * len(before)
    first = plan.summary["first"]
    worth = plan.summary["value_cents"] - plan.summary["cost_cents"]
    assert worth >= 0.9 * (first["value_cents"] - first["cost_cents"])
