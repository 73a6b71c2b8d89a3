"""What a crew does with a task: claim, complete, drop.

DomainError
├── NotFound   TaskNotFound
├── Forbidden  NotYourTask
├── Invalid    WrongVehicles
└── Conflict   PlanNotWorkable, NothingAboard
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.models import RebalancingTask, TaskQuerySet
from fleet.rebalancing.states import (
    WORKABLE,
    DropReason,
    PlanState,
    Reason,
    TaskKind,
    TaskState,
)
from fleet.telematics.queries import Position, latest_position
from fleet.vehicles.services import (
    VehicleNotRentable,
    VehicleTaken,
    hold_vehicle,
    release_hold,
    set_life_state,
    swap_battery,
)
from fleet.vehicles.states import HoldPurpose, LifeState
from mobility.core.errors import Conflict, Forbidden, Invalid, NotFound
from mobility.core.principals import Principal
from mobility.core.transitions import LostRace, move

# Longer than any shift; `close_overdue_plans` clears what a crew forgot.
HOLD = datetime.timedelta(hours=10)
# What a phone kept while it had no network may be this old.
TOLD_LATE = datetime.timedelta(hours=8)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the crew's phone says of a deed: when it was, and how far they came for it."""

    happened_at: datetime.datetime | None = None
    driven_m: int | None = None
    walked_m: int | None = None


NOTHING_TOLD = Told()


class TaskNotFound(NotFound):
    code = "task_not_found"
    message = _("There is no such task.")


class NotYourTask(Forbidden):
    code = "not_your_task"
    message = _("Another crew has this task.")


class PlanNotWorkable(Conflict):
    code = "plan_not_workable"
    message = _("This plan is not published, or already closed.")


class NothingAboard(Conflict):
    code = "nothing_aboard"
    message = _("You have no vehicle of this kind aboard to drop off here.")


class WrongVehicles(Invalid):
    code = "wrong_vehicles"
    message = _("Not aboard of your van: %(codes)s.")


def claim_task(
    *,
    task_id: int,
    assignee_id: int,
    at: datetime.datetime,
    by: Principal,
    told: Told = NOTHING_TOLD,
) -> RebalancingTask:
    """Take an open task; a vehicle in it is held for the crew, so nobody rents it meanwhile.

    1. Look whether the world is still as planned: a vehicle that left its cell, or that somebody
    has, makes the task pointless; it is dropped with the reason, and the caller gets it so.
    2. Hold the vehicle (the hold's constraint decides races with riders).
    3. Move the task; of two crews, one gets `LostRace`. A phone that had no network says when its
    crew took it; the world is judged as it is now.
    Raises `TaskNotFound`, `PlanNotWorkable`, `IllegalMove`, `LostRace`.
    """
    with transaction.atomic():
        task = locked_task(task_id)
        if task.plan.state not in WORKABLE:
            raise PlanNotWorkable
        since = happened(task, told=told, at=at)
        if task.vehicle_id is None or task.state != TaskState.OPEN:
            return _claimed(task, assignee_id=assignee_id, since=since, at=at, by=by)
        position = latest_position(vehicle_id=task.vehicle_id)
        if position is not None and cell_at(lon=position.lon, lat=position.lat) != task.cell:
            return _dropped(task, reason=DropReason.MOVED, at=at, by=by)
        try:
            hold = hold_vehicle(
                vehicle_id=task.vehicle_id,
                until=at + HOLD,
                purpose=HoldPurpose.CREW,
                holder_ref=f"rebalancing:{task.public_id}",
                at=at,
                by=by,
            )
        except (VehicleTaken, VehicleNotRentable):
            return _dropped(task, reason=DropReason.RENTED, at=at, by=by)
        _follow(task, position=position)
        return _claimed(task, assignee_id=assignee_id, hold_id=hold.pk, since=since, at=at, by=by)


def complete_task(
    *,
    task_id: int,
    at: datetime.datetime,
    by: Principal,
    vehicle_codes: Collection[str] | None = None,
    battery_serials: Sequence[str] = (),
    told: Told = NOTHING_TOLD,
) -> RebalancingTask:
    """Say that a claimed task is done.

    A pick-up puts the vehicle into storage (the van), still held. A drop-off puts down the
    vehicles named by `vehicle_codes`, else as many as it asks for, oldest pick-up first: they are
    in service again and free. A battery swap frees the vehicle; its next report shows the charge,
    and `battery_serials`, slot by slot, say which batteries went in. `told` is when it was done, not
    when the network was back.
    Raises `TaskNotFound`, `NotYourTask`, `NothingAboard`, `WrongVehicles`, `IllegalMove`, and for
    batteries what `swap_battery` raises.
    """
    with transaction.atomic():
        task = locked_task(task_id)
        require_owner(task, by=by)
        with_ways(task, told=told)
        done_at = happened(task, told=told, at=at)
        if task.kind in (TaskKind.MOVE_DROPOFF, TaskKind.UNLOAD):
            return _put_down(task, codes=vehicle_codes, done_at=done_at, at=at, by=by)
        done = _done(task, quantity=task.quantity, done_at=done_at, at=at, by=by)
        if task.kind == TaskKind.MOVE_PICKUP and task.vehicle_id is not None:
            set_life_state(
                vehicle_id=task.vehicle_id, to=LifeState.STORAGE, at=at, by=by, reason="rebalancing"
            )
        elif task.hold_id is not None:
            _swap(task, battery_serials, at=at, by=by)
            release_hold(hold_id=task.hold_id, at=at, by=by)
        return done


def drop_task(
    *,
    task_id: int,
    reason: str,
    at: datetime.datetime,
    by: Principal,
    of_any_crew: bool = False,
) -> RebalancingTask:
    """Give a task up, and its vehicle back. A claimed one only by its own crew or an operator.

    Raises `TaskNotFound`, `NotYourTask`, `IllegalMove`.
    """
    with transaction.atomic():
        task = locked_task(task_id)
        if task.state == TaskState.CLAIMED and not of_any_crew:
            require_owner(task, by=by)
        dropped = _dropped(task, reason=DropReason(reason), at=at, by=by)
        if task.hold_id is not None:
            release_hold(hold_id=task.hold_id, at=at, by=by)
    return dropped


def locked_task(task_id: int) -> RebalancingTask:
    """The task, locked: two taps on a phone come one after the other."""
    task = (
        RebalancingTask.objects.select_for_update(of=("self",))
        .select_related("plan", "assignee", "vehicle", "vehicle__latest")
        .filter(pk=task_id)
        .first()
    )
    if task is None:
        raise TaskNotFound
    return task


def require_owner(task: RebalancingTask, *, by: Principal) -> None:
    """Raise `NotYourTask` if another crew has it."""
    if task.assignee is not None and task.assignee.principal != by:
        raise NotYourTask


def happened(task: RebalancingTask, *, told: Told, at: datetime.datetime) -> datetime.datetime:
    """When it was, by the crew's phone: never to come, never before what came before it."""
    if told.happened_at is None:
        return at
    earliest = task.arrived_at or task.claimed_at or task.plan.published_at
    return min(at, max(told.happened_at, earliest or at - TOLD_LATE, at - TOLD_LATE))


def with_ways(task: RebalancingTask, *, told: Told) -> None:
    """Add what was driven and walked; who tells nothing stays unmeasured, which is not zero."""
    if told.driven_m is not None:
        task.driven_m = (task.driven_m or 0) + told.driven_m
    if told.walked_m is not None:
        task.walked_m = (task.walked_m or 0) + told.walked_m


def _claimed(
    task: RebalancingTask,
    *,
    assignee_id: int,
    since: datetime.datetime,
    at: datetime.datetime,
    by: Principal,
    hold_id: int | None = None,
) -> RebalancingTask:
    move(
        task,
        to=TaskState.CLAIMED,
        at=at,
        by=by,
        assignee_id=assignee_id,
        claimed_at=since,
        hold_id=hold_id,
    )
    if task.plan.state == PlanState.PUBLISHED:
        _start(task, at=at, by=by)
    return task


def _start(task: RebalancingTask, *, at: datetime.datetime, by: Principal) -> None:
    """The first claim starts the plan; whoever else was first is just as well."""
    try:
        with transaction.atomic():
            move(task.plan, to=PlanState.RUNNING, at=at, by=by)
    except LostRace:
        task.plan.refresh_from_db(fields=["state"])


def _follow(task: RebalancingTask, *, position: Position | None) -> None:
    """A vehicle that was moved within its cell is still the one meant."""
    if position is not None and (position.lon, position.lat) != (task.lon, task.lat):
        task.lon, task.lat = position.lon, position.lat
        task.save(update_fields=["lon", "lat"])


def _swap(
    task: RebalancingTask, serials: Sequence[str], *, at: datetime.datetime, by: Principal
) -> None:
    """The batteries that went in, from the first slot on; each report of a task counts once."""
    if task.kind != TaskKind.SWAP_BATTERY or task.vehicle_id is None:
        return
    for slot, serial in enumerate(serials, start=1):
        swap_battery(
            vehicle_id=task.vehicle_id,
            serial=serial,
            slot=slot,
            idempotency_key=f"rebalancing:{task.public_id}:{slot}",
            at=at,
            by=by,
        )


def _put_down(
    task: RebalancingTask,
    *,
    codes: Collection[str] | None,
    done_at: datetime.datetime,
    at: datetime.datetime,
    by: Principal,
) -> RebalancingTask:
    at_workshop = task.kind == TaskKind.UNLOAD
    aboard = list(_aboard_for(task).order_by("finished_at", "pk"))
    chosen = _chosen(aboard, codes=codes, quantity=task.quantity)
    if not chosen:
        raise NothingAboard
    done = _done(task, quantity=len(chosen), done_at=done_at, at=at, by=by)
    RebalancingTask.objects.filter(pk__in=[pickup.pk for pickup in chosen]).update(
        delivered_by=task
    )
    for pickup in chosen:
        # The row's own constraint says that a pick-up has a vehicle; its hold came with the claim.
        assert pickup.vehicle_id is not None
        assert pickup.hold_id is not None
        set_life_state(
            vehicle_id=pickup.vehicle_id,
            to=LifeState.WORKSHOP if at_workshop else LifeState.IN_SERVICE,
            at=at,
            by=by,
            reason="rebalancing",
        )
        release_hold(hold_id=pickup.hold_id, at=at, by=by)
    return done


def _aboard_for(task: RebalancingTask) -> TaskQuerySet:
    """What its crew could put down there: broken vehicles at the workshop only, others on the street."""
    aboard = (
        RebalancingTask.objects.aboard()
        .select_for_update(of=("self",))
        .select_related("vehicle")
        .filter(assignee=task.assignee_id)
    )
    if task.kind == TaskKind.UNLOAD:
        return aboard.filter(reason=Reason.MAINTENANCE)
    return aboard.filter(vehicle_kind=task.vehicle_kind).exclude(reason=Reason.MAINTENANCE)


def _chosen(
    aboard: list[RebalancingTask], *, codes: Collection[str] | None, quantity: int
) -> list[RebalancingTask]:
    if codes is None:
        return aboard[:quantity]
    by_code = {pickup.vehicle.code: pickup for pickup in aboard if pickup.vehicle is not None}
    if unknown := sorted(set(codes) - by_code.keys()):
        raise WrongVehicles(codes=", ".join(unknown))
    return [by_code[code] for code in dict.fromkeys(codes)]


def _done(
    task: RebalancingTask,
    *,
    quantity: int,
    done_at: datetime.datetime,
    at: datetime.datetime,
    by: Principal,
) -> RebalancingTask:
    return move(
        task,
        to=TaskState.DONE,
        at=at,
        by=by,
        finished_at=done_at,
        done_quantity=quantity,
        driven_m=task.driven_m,
        walked_m=task.walked_m,
    )


def _dropped(
    task: RebalancingTask, *, reason: DropReason, at: datetime.datetime, by: Principal
) -> RebalancingTask:
    return move(
        task, to=TaskState.DROPPED, at=at, by=by, reason=reason, finished_at=at, drop_reason=reason
    )
