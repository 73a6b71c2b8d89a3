"""The life of a plan after it was computed."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.db.models import Q

from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.states import WORKABLE, DropReason, PlanState, TaskState
from fleet.vehicles.services import release_hold
from mobility.core.principals import Principal
from mobility.core.transitions import move, move_many

# A night's work is over by then, done or not; a computation is broken long before.
OVERDUE = datetime.timedelta(hours=20)
STUCK = datetime.timedelta(minutes=30)


def publish_plan(*, plan_id: int, at: datetime.datetime, by: Principal) -> RebalancingPlan:
    """Give a draft to the crews; the plan they followed so far is closed.

    Raises `IllegalMove` or `LostRace` when it is no draft (any more).
    """
    with transaction.atomic():
        plan = RebalancingPlan.objects.get(pk=plan_id)
        earlier = RebalancingPlan.objects.workable().filter(
            organisation=plan.organisation_id, city=plan.city_id
        )
        for other in earlier.exclude(pk=plan.pk):
            close_plan(plan_id=other.pk, at=at, by=by)
        return move(plan, to=PlanState.PUBLISHED, at=at, by=by, published_at=at)


def close_plan(*, plan_id: int, at: datetime.datetime, by: Principal) -> RebalancingPlan:
    """End a plan: what nobody has claimed is dropped, what a crew has in hand it may finish."""
    with transaction.atomic():
        plan = RebalancingPlan.objects.get(pk=plan_id)
        if plan.state == PlanState.CLOSED:
            return plan
        move(plan, to=PlanState.CLOSED, at=at, by=by, closed_at=at)
        _drop(plan, state=TaskState.OPEN, at=at, by=by)
    return plan


def close_overdue_plans(*, at: datetime.datetime, by: Principal) -> int:
    """Close what was left lying: plans of yesterday, with every vehicle their crews still hold.

    Vehicles that were picked up and never put down stay in storage, where staff see them.
    """
    old = Q(requested_at__lt=at - OVERDUE)
    in_hand = Q(tasks__state=TaskState.CLAIMED)
    stuck = Q(state=PlanState.COMPUTING, requested_at__lt=at - STUCK)
    # A plan closed in the middle of a shift may have left vehicles on a van.
    aboard = Q(pk__in=RebalancingTask.objects.aboard().values("plan"))
    plans = list(
        RebalancingPlan.objects.filter(
            old & (Q(state__in=WORKABLE) | in_hand | aboard) | stuck,
        ).distinct()
    )
    for plan in plans:
        with transaction.atomic():
            close_plan(plan_id=plan.pk, at=at, by=by)
            _drop(plan, state=TaskState.CLAIMED, at=at, by=by)
            for task in plan.tasks.aboard():
                _release(task, at=at, by=by)
    return len(plans)


def _drop(plan: RebalancingPlan, *, state: TaskState, at: datetime.datetime, by: Principal) -> None:
    dropped = move_many(
        plan.tasks.filter(state=state),
        to=TaskState.DROPPED,
        at=at,
        by=by,
        drop_reason=DropReason.PLAN_CLOSED,
        finished_at=at,
    )
    for task in dropped:
        _release(task, at=at, by=by)


def _release(task: RebalancingTask, *, at: datetime.datetime, by: Principal) -> None:
    if task.hold_id is not None:
        release_hold(hold_id=task.hold_id, at=at, by=by)
