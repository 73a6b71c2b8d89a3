"""Deciding about single tasks, and routing the rest of a plan around what is decided.

DomainError
├── NotFound  VehicleNotInPlan
└── Conflict  PlanSettled, AlreadyPlanned
"""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict
from contextlib import suppress

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from fleet.rebalancing import queries
from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.rules.draft import PlanDraft, draft_plan
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.services.planning import effort, less_riders_work, on_legal_ground
from fleet.rebalancing.services.remembering import habit_for
from fleet.rebalancing.services.rewriting import (
    UNFINISHED,
    drop_tasks,
    last_sequence,
    write_version,
)
from fleet.rebalancing.services.tasks import TaskNotFound
from fleet.rebalancing.services.travelling import travel_times
from fleet.rebalancing.states import (
    WORKABLE,
    DropReason,
    PlanState,
    Reason,
    TaskKind,
    TaskState,
)
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import BlockReason
from mobility.core import audit, jobs
from mobility.core.errors import Conflict, NotFound
from mobility.core.principals import Principal

HOUR = datetime.timedelta(hours=1)
# Of the search; reading and writing come on top: a good CPU second with 5,000 vehicles.
REVISION_SECONDS = 1.3
REVISABLE = WORKABLE | {PlanState.DRAFT}
BROKEN = frozenset({BlockReason.DAMAGE.value, BlockReason.MAINTENANCE.value})


class PlanSettled(Conflict):
    code = "plan_settled"
    message = _("This plan is being computed, or closed: nothing in it can be changed.")


class TaskNotOpen(Conflict):
    code = "task_not_open"
    message = _("This task is under way or over; only open ones are locked or moved.")


class AlreadyPlanned(Conflict):
    code = "already_planned"
    message = _("%(code)s has a task in this plan.")


class VehicleNotInPlan(NotFound):
    code = "vehicle_not_in_plan"
    message = _("No vehicle %(code)s of this fleet stands in the city and goes on a van.")


def lock_task(
    *, task_id: int, locked: bool, at: datetime.datetime, by: Principal
) -> RebalancingTask:
    """Keep an open task on its van and in its order whatever comes, or let it go again.

    Raises `TaskNotFound`, `TaskNotOpen`, `PlanSettled`.
    """
    with transaction.atomic():
        task = _open(task_id)
        task.locked = locked
        task.save(update_fields=["locked"])
        action = "lock_task" if locked else "unlock_task"
        audit.record(by=by, action=action, row=task, at=at)
    return task


def place_task(
    *,
    task_id: int,
    van: int,
    before_id: int | None,
    at: datetime.datetime,
    by: Principal,
) -> RebalancingTask:
    """Put an open task onto a van before another of its open tasks, else at the end; it is locked.

    Raises `TaskNotFound` (also for a `before_id` that is none of the van's), `TaskNotOpen`,
    `PlanSettled`.
    """
    with transaction.atomic():
        task = _open(task_id)
        others = list(
            task.plan.tasks.select_for_update(of=("self",))
            .filter(van=van, state=TaskState.OPEN)
            .exclude(pk=task.pk)
            .order_by("sequence")
        )
        order = [other.pk for other in others]
        if before_id is not None and before_id not in order:
            raise TaskNotFound
        others.insert(len(order) if before_id is None else order.index(before_id), task)
        task.van, task.locked = van, True
        for sequence, each in enumerate(others, start=last_sequence(task.plan) + 1):
            each.sequence = sequence
        RebalancingTask.objects.bulk_update(others, ["van", "sequence", "locked"])
        audit.record(by=by, action="place_task", row=task, at=at, changes={"van": van})
    return task


def add_task(
    *, plan_id: int, vehicle_code: str, kind: str, at: datetime.datetime, by: Principal
) -> RebalancingTask:
    """Ask for a pick-up or a battery that has to be done, whatever it brings; last on the first
    van until the plan is revised. A broken vehicle goes to the workshop.

    Raises `PlanSettled`, `VehicleNotInPlan`, `AlreadyPlanned`.
    """
    with transaction.atomic():
        plan = _revisable(plan_id)
        vehicle = _vehicle(plan, code=vehicle_code)
        if plan.tasks.filter(vehicle=vehicle, state__in=UNFINISHED).exists():
            raise AlreadyPlanned(code=vehicle.code)
        broken = bool(BROKEN & set(vehicle.active_blocks)) and kind == TaskKind.MOVE_PICKUP
        task = RebalancingTask.objects.create(
            plan=plan,
            van=0,
            sequence=last_sequence(plan) + 1,
            kind=kind,
            vehicle_kind=vehicle.kind,
            vehicle=vehicle,
            cell=cell_at(lon=vehicle.latest.lon, lat=vehicle.latest.lat),
            lon=vehicle.latest.lon,
            lat=vehicle.latest.lat,
            value_cents=0,
            cost_cents=0,
            reason=Reason.MAINTENANCE if broken else Reason.REQUESTED,
            forced=True,
        )
        audit.record(by=by, action="add_task", row=task, at=at)
    return task


def request_revision(*, plan_id: int, at: datetime.datetime, by: Principal) -> RebalancingPlan:
    """Let a worker route the rest anew; `version` tells when it has. Raises `PlanSettled`."""
    with transaction.atomic():
        plan = _revisable(plan_id)
        audit.record(by=by, action="request_revision", row=plan, at=at)
        jobs.enqueue("fleet.rebalancing.revise", plan_id=plan.pk)
    return plan


def revise_plan(
    *,
    plan_id: int,
    at: datetime.datetime,
    by: Principal,
    seconds: float = REVISION_SECONDS,
    rounds: int | None = None,
) -> RebalancingPlan:
    """Route what is left around what is done, in hand, locked and demanded.

    It reads the present and the last two hours; the weeks before are the plan's own (`habit_for`).
    1. Drop open tasks that reality overtook, with the reason. 2. Read vans and vehicles as they are
    now, less what riders do of the work. 3. Search, from the routes as they stand, outside of any transaction. 4. Write the new version: rows of tasks that stay
    stay, what the new routes do without is dropped, what a crew claimed meanwhile is left alone.
    Raises `PlanSettled`.
    """
    with transaction.atomic():
        plan = _revisable(plan_id)
        parameters = _for_the_rest(plan, at=at)
        _drop_overtaken(plan, parameters=parameters, at=at, by=by)
    tasks = queries.tasks_of(plan)
    situation = queries.load_situation(
        organisation_id=plan.organisation_id,
        city_id=plan.city_id,
        parameters=parameters,
        horizon_start=_from(plan, at=at),
        at=at,
        habit=habit_for(plan, parameters=parameters),
    )
    now = queries.under_way(situation=situation, tasks=tasks, parameters=parameters, at=at)
    rest, notes = less_riders_work(now.situation, plan=plan, at=at)
    draft = draft_plan(
        situation=rest,
        parameters=parameters,
        effort=effort(seconds=seconds, rounds=rounds),
        vans=now.vans,
        decided=now.decided,
        wanted=now.wanted,
        travel=travel_times(plan.travel),
        notes=notes,
        standing=queries.visits_of(tasks),
    )
    drafted = [on_legal_ground(task, plan=plan, at=at) for task in draft.tasks]
    with transaction.atomic():
        plan = _revisable(plan_id)
        write_version(plan, drafted=drafted, at=at, by=by)
        _record(plan, draft=draft, at=at, by=by)
    return plan


def adapt_plans(*, at: datetime.datetime, by: Principal) -> int:
    """Revise every plan in the crews' hands that reality overtook; returns how many."""
    adapted = 0
    for plan in RebalancingPlan.objects.workable():
        parameters = Parameters.from_json(plan.parameters)
        if queries.overtaken(queries.tasks_of(plan), parameters=parameters):
            # Somebody may close it meanwhile; then there is nothing left to adapt.
            with suppress(PlanSettled):
                revise_plan(plan_id=plan.pk, at=at, by=by)
                adapted += 1
    return adapted


def _revisable(plan_id: int) -> RebalancingPlan:
    """The plan, locked: edits of two people come one after the other."""
    plan = RebalancingPlan.objects.select_for_update().get(pk=plan_id)
    if plan.state not in REVISABLE:
        raise PlanSettled
    return plan


def _open(task_id: int) -> RebalancingTask:
    task = (
        RebalancingTask.objects.select_for_update(of=("self",))
        .select_related("plan")
        .filter(pk=task_id)
        .first()
    )
    if task is None:
        raise TaskNotFound
    if task.state != TaskState.OPEN:
        raise TaskNotOpen
    if task.plan.state not in REVISABLE:
        raise PlanSettled
    return task


def _vehicle(plan: RebalancingPlan, *, code: str) -> Vehicle:
    kinds = Parameters.from_json(plan.parameters).kinds
    vehicle = (
        Vehicle.objects.with_condition()
        .filter(
            organisation=plan.organisation_id,
            city=plan.city_id,
            type__kind__in=kinds,
            code=code,
            latest__isnull=False,
        )
        .first()
    )
    if vehicle is None:
        raise VehicleNotInPlan(code=code)
    return vehicle


def _from(plan: RebalancingPlan, *, at: datetime.datetime) -> datetime.datetime:
    """Demand before now is past."""
    now = at.replace(minute=0, second=0, microsecond=0)
    return max(plan.horizon_start, now)


def _for_the_rest(plan: RebalancingPlan, *, at: datetime.datetime) -> Parameters:
    hours = int((plan.horizon_end - _from(plan, at=at)) / HOUR)
    return dataclasses.replace(Parameters.from_json(plan.parameters), horizon_hours=max(1, hours))


def _drop_overtaken(
    plan: RebalancingPlan, *, parameters: Parameters, at: datetime.datetime, by: Principal
) -> None:
    lost = queries.overtaken(queries.tasks_of(plan), parameters=parameters)
    by_reason: defaultdict[DropReason, list[int]] = defaultdict(list)
    for task_id, reason in lost.items():
        by_reason[reason].append(task_id)
    for reason, task_ids in by_reason.items():
        drop_tasks(plan, task_ids=task_ids, reason=reason, at=at, by=by)


def _record(
    plan: RebalancingPlan, *, draft: PlanDraft, at: datetime.datetime, by: Principal
) -> None:
    """The plan's figures as it now stands; what the first version promised stays for the score."""
    first = plan.summary.get("first", {k: v for k, v in plan.summary.items() if k != "notes"})
    worth = plan.tasks.exclude(state=TaskState.DROPPED).aggregate(
        value=Sum("value_cents", default=0), cost=Sum("cost_cents", default=0)
    )
    plan.summary = {
        **draft.summary(),
        "value_cents": worth["value"],
        "cost_cents": worth["cost"],
        "first": first,
    }
    plan.version += 1
    plan.revised_at = at
    plan.save(update_fields=["summary", "version", "revised_at"])
    audit.record(by=by, action="revise_plan", row=plan, at=at, changes={"version": plan.version})
