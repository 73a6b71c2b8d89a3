"""What a crew tells from the street: that it is there, what is wrong, how it left the place, whose van.

DomainError
├── NotFound  VanNotFound
├── Invalid   WhichVehicle
└── Conflict  TaskNotInHand, TooManyPhotos, VanTaken
"""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.maintenance.models import FaultReport
from fleet.maintenance.services import report_fault
from fleet.maintenance.states import FaultSource
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask, TaskPhoto, VanCrew
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.services.revising import PlanSettled
from fleet.rebalancing.services.tasks import (
    Told,
    drop_task,
    happened,
    locked_task,
    require_owner,
    with_ways,
)
from fleet.rebalancing.states import WORKABLE, DropReason, PlanState, TaskState
from fleet.vehicles.models import Vehicle
from fleet.vehicles.scoping import FLEET_STAFF
from fleet.vehicles.services import VehicleNotFound
from mobility.core import audit, files, locks
from mobility.core.errors import Conflict, Invalid, NotFound
from mobility.core.files import StoredFile
from mobility.core.principals import Principal

TASK_PHOTO = "task_photo"
PHOTOS_PER_TASK = 3
# A picture taken in a cellar is sent when the network is back.
WANTED_FOR = datetime.timedelta(hours=24)
ASSIGNABLE = WORKABLE | {PlanState.DRAFT}


def may_look(user: Any, file: StoredFile) -> bool:
    """Whether a person sees the crews' pictures: who works for the operator whose vehicles they show."""
    return user.is_superuser or file.organisation_id in user.organisations_as(*FLEET_STAFF)


files.register(TASK_PHOTO, may_read=may_look, keep=datetime.timedelta(days=90))


class TaskNotInHand(Conflict):
    code = "task_not_in_hand"
    message = _("Take this task first; it is open, or over.")


class TooManyPhotos(Conflict):
    code = "too_many_photos"
    message = _("There are enough photos of this task.")


class WhichVehicle(Invalid):
    code = "which_vehicle"
    message = _("Say which vehicle has the problem.")


class VanNotFound(NotFound):
    code = "van_not_found"
    message = _("This plan has no van %(number)s.")


class VanTaken(Conflict):
    code = "van_taken"
    message = _("Another crew drives this van. Ask the office to give it to you.")


def arrive_at_task(
    *, task_id: int, told: Told, at: datetime.datetime, by: Principal
) -> RebalancingTask:
    """Note that the van stands at the place of a claimed task; the first word counts.

    Raises `TaskNotFound`, `NotYourTask`, `TaskNotInHand`.
    """
    with transaction.atomic():
        task = locked_task(task_id)
        require_owner(task, by=by)
        if task.state != TaskState.CLAIMED:
            raise TaskNotInHand
        if task.arrived_at is None:
            task.arrived_at = happened(task, told=told, at=at)
            with_ways(task, told=told)
            task.save(update_fields=["arrived_at", "driven_m", "walked_m"])
            audit.record(by=by, action="arrive_at_task", row=task, at=at)
    return task


def report_problem(
    *,
    task_id: int,
    category: str,
    at: datetime.datetime,
    by: Principal,
    text: str = "",
    vehicle_code: str = "",
    give_up: bool = False,
    of_any_crew: bool = False,
) -> tuple[FaultReport, RebalancingTask]:
    """Say what is wrong with the vehicle of a task; maintenance takes it from there.

    Without `vehicle_code` it is the task's own vehicle. With `give_up` the task ends as broken and its
    vehicle is let go. Raises `TaskNotFound`, `NotYourTask`, `WhichVehicle`, `VehicleNotFound`.
    """
    with transaction.atomic():
        task = locked_task(task_id)
        if task.state == TaskState.CLAIMED and not of_any_crew:
            require_owner(task, by=by)
        fault = report_fault(
            vehicle_id=_meant(task, code=vehicle_code),
            source=FaultSource.CREW,
            category=category,
            text=text,
            evidence={"task": str(task.public_id)},
            at=at,
            by=by,
        )
        if give_up and task.state in (TaskState.OPEN, TaskState.CLAIMED):
            task = drop_task(
                task_id=task.pk, reason=DropReason.BROKEN, at=at, by=by, of_any_crew=of_any_crew
            )
    return fault, task


def add_task_photo(*, task_id: int, data: bytes, at: datetime.datetime, by: Principal) -> TaskPhoto:
    """Keep a picture of how a crew left the place, three at most, up to a day after the end.

    Raises `TaskNotFound`, `NotYourTask`, `TaskNotInHand`, `TooManyPhotos`, `FileTooLarge`,
    `FileNotAnImage`.
    """
    with transaction.atomic():
        locks.advisory(f"task_photo:{task_id}")
        task = locked_task(task_id)
        require_owner(task, by=by)
        over = task.finished_at is not None and task.finished_at < at - WANTED_FOR
        if task.assignee_id is None or over:
            raise TaskNotInHand
        if task.photos.count() >= PHOTOS_PER_TASK:
            raise TooManyPhotos
        file = files.store_image(
            data=data,
            purpose=TASK_PHOTO,
            owner=by,
            organisation_id=task.plan.organisation_id,
            at=at,
        )
        return TaskPhoto.objects.create(task=task, file=file, taken_at=at, taken_by=by)


def assign_van(
    *,
    plan_id: int,
    van: int,
    crew_id: int | None,
    at: datetime.datetime,
    by: Principal,
    asked_by: int | None = None,
) -> VanCrew | None:
    """Give a van of a plan to a crew, or to nobody; a crew has one van of a plan.

    `asked_by` is a person who decides for oneself only: takes a van that nobody has, or gives the own
    one back. Raises `PlanSettled`, `VanNotFound`,
    `VanTaken`.
    """
    with transaction.atomic():
        plan = RebalancingPlan.objects.select_for_update().get(pk=plan_id)
        if plan.state not in ASSIGNABLE:
            raise PlanSettled
        if van >= Parameters.from_json(plan.parameters).vans:
            raise VanNotFound(number=van + 1)
        known = VanCrew.objects.filter(plan=plan, van=van).first()
        has = known.crew_id if known else None
        if has == crew_id:
            return known
        if asked_by is not None and (has, crew_id) not in ((None, asked_by), (asked_by, None)):
            raise VanTaken
        # Whoever changes vans gives the other one back.
        if crew_id is not None:
            VanCrew.objects.filter(plan=plan, crew=crew_id).delete()
        VanCrew.objects.filter(plan=plan, van=van).delete()
        changes = {"van": van, "crew": crew_id}
        audit.record(by=by, action="assign_van", row=plan, at=at, changes=changes)
        if crew_id is None:
            return None
        return VanCrew.objects.create(
            plan=plan, van=van, crew_id=crew_id, assigned_at=at, assigned_by=by
        )


def _meant(task: RebalancingTask, *, code: str) -> int:
    if not code:
        if task.vehicle_id is None:
            raise WhichVehicle
        return task.vehicle_id
    vehicle = Vehicle.objects.filter(
        organisation=task.plan.organisation_id, code=code.strip().upper()
    ).first()
    if vehicle is None:
        raise VehicleNotFound
    return vehicle.pk
