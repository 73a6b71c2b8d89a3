"""Asking for a plan, and computing it."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.rebalancing import queries
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.rules.draft import PlanDraft, TaskDraft, draft_plan
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.solver.search import Effort
from fleet.rebalancing.states import PlanState, TaskKind
from fleet.zones.queries import parking_verdict
from mobility.core import audit, jobs
from mobility.core.errors import Conflict
from mobility.core.principals import Principal
from mobility.core.transitions import move

HOUR = datetime.timedelta(hours=1)
# From asking for a plan to the first trip it helps: crews need the time in between.
LEAD = datetime.timedelta(hours=2)
DEFAULT_SECONDS = 20.0
# Good practice of crews: a vehicle put down between two others needs no survey.
DROP_ACCURACY_M = 10.0


class NoFleet(Conflict):
    code = "no_fleet"
    message = _("This operator has no vehicles on the street to plan for.")


def request_plan(
    *,
    organisation_id: int,
    at: datetime.datetime,
    by: Principal,
    seconds: float = DEFAULT_SECONDS,
    city_id: int | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> RebalancingPlan:
    """Note the wish for a plan and let a worker compute it. Raises `NoFleet`."""
    with transaction.atomic():
        plan = _create(
            organisation_id=organisation_id, city_id=city_id, parameters=parameters, at=at, by=by
        )
        jobs.enqueue("fleet.rebalancing.compute", plan_id=plan.pk, seconds=seconds)
    return plan


def make_plan(
    *,
    organisation_id: int,
    at: datetime.datetime,
    by: Principal,
    seconds: float = DEFAULT_SECONDS,
    city_id: int | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> RebalancingPlan:
    """Compute a plan here and now: a draft for staff to look at. Raises `NoFleet`."""
    with transaction.atomic():
        plan = _create(
            organisation_id=organisation_id, city_id=city_id, parameters=parameters, at=at, by=by
        )
    return compute_plan(plan_id=plan.pk, seconds=seconds, at=at, by=by)


def compute_plan(
    *,
    plan_id: int,
    at: datetime.datetime,
    by: Principal,
    seconds: float = DEFAULT_SECONDS,
    rounds: int | None = None,
) -> RebalancingPlan:
    """Fill a plan that is being computed; a plan in any other state is left alone.

    The search runs for `seconds` outside of any transaction; only the result is written in one.
    `rounds` instead of seconds makes the result the same on every machine.
    """
    plan = RebalancingPlan.objects.get(pk=plan_id)
    if plan.state != PlanState.COMPUTING:
        return plan
    parameters = Parameters.from_json(plan.parameters)
    situation = queries.load_situation(
        organisation_id=plan.organisation_id,
        city_id=plan.city_id,
        parameters=parameters,
        horizon_start=plan.horizon_start,
        at=at,
    )
    draft = draft_plan(
        situation=situation,
        parameters=parameters,
        effort=Effort(seconds=seconds, rounds=rounds),
    )
    tasks = [on_legal_ground(task, plan=plan, at=at) for task in draft.tasks]
    with transaction.atomic():
        _store(plan, draft=draft, tasks=tasks, at=at, by=by)
    return plan


def fail_plan(*, plan_id: int, at: datetime.datetime, by: Principal) -> None:
    """Close a plan whose computation broke, so that nobody waits for it."""
    with transaction.atomic():
        plan = RebalancingPlan.objects.get(pk=plan_id)
        if plan.state == PlanState.COMPUTING:
            move(plan, to=PlanState.CLOSED, at=at, by=by, reason="failed", closed_at=at)


def _create(
    *,
    organisation_id: int,
    city_id: int | None,
    parameters: Mapping[str, Any] | None,
    at: datetime.datetime,
    by: Principal,
) -> RebalancingPlan:
    city = city_id or queries.city_of(organisation_id=organisation_id)
    if city is None:
        raise NoFleet
    chosen = Parameters.from_json(parameters or {})
    start = _horizon_start(at)
    plan = RebalancingPlan.objects.create(
        organisation_id=organisation_id,
        city_id=city,
        requested_at=at,
        requested_by=by,
        horizon_start=start,
        horizon_end=start + HOUR * chosen.horizon_hours,
        parameters=chosen.as_json(),
    )
    audit.record(by=by, action="request_plan", row=plan, at=at)
    return plan


def _horizon_start(at: datetime.datetime) -> datetime.datetime:
    """The full hour after crews have had their time: a plan of 03:30 looks from 06:00 on."""
    ready = at + LEAD
    hour = ready.replace(minute=0, second=0, microsecond=0)
    return hour if hour == ready else hour + HOUR


def on_legal_ground(task: TaskDraft, *, plan: RebalancingPlan, at: datetime.datetime) -> TaskDraft:
    """The task, a drop-off that would stand where parking is forbidden moved to the nearest place."""
    if task.kind != TaskKind.MOVE_DROPOFF:
        return task
    verdict = parking_verdict(
        city_id=plan.city_id,
        organisation_id=plan.organisation_id,
        lon=task.lon,
        lat=task.lat,
        accuracy_m=DROP_ACCURACY_M,
        kind=task.vehicle_kind,
        at=at,
    )
    if verdict.allowed or verdict.nearest is None:
        return task
    return dataclasses.replace(task, lon=verdict.nearest.lon, lat=verdict.nearest.lat)


def _store(
    plan: RebalancingPlan,
    *,
    draft: PlanDraft,
    tasks: list[TaskDraft],
    at: datetime.datetime,
    by: Principal,
) -> None:
    move(
        plan,
        to=PlanState.DRAFT,
        at=at,
        by=by,
        summary=draft.summary(),
        expected=draft.expected_by_text(),
    )
    RebalancingTask.objects.bulk_create(
        RebalancingTask(plan=plan, **task.columns()) for task in tasks
    )
