"""Doors of staff and crews: plans, and the tasks in them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from fleet.rebalancing import queries, services
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask, TaskQuerySet
from fleet.rebalancing.states import TaskState
from fleet.rebalancing.wire import (
    AddRequest,
    CompleteRequest,
    DropRequest,
    LockRequest,
    PlaceRequest,
    PlanOut,
    PlanRequest,
    TaskOut,
)
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.models import Organisation, User
from mobility.accounts.permissions import HasRole, signed_in
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.api import CursorPages, ScopedViewSet, query_choice
from mobility.core.errors import Conflict, Forbidden
from mobility.core.problems import problem_response

STAFF = tuple(sorted(FLEET_STAFF))


class TaskDropped(Conflict):
    """The claim found the world changed; `extra["task"]` is the task as it now stands."""

    code = "task_dropped"
    message: ClassVar[str | Promise] = _("This task is no longer possible: %(why)s.")


class NotYourFleet(Forbidden):
    code = "not_your_fleet"
    message = _("You do not run this fleet.")


class WorkPages(CursorPages):
    """The newest plan first, its tasks in driving order."""

    ordering: Any = ("-plan_id", "van", "sequence")
    page_size = 100


class PlanViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET, POST /api/v1/fleet/plans, GET …/{id}, POST …/{id}/publish|close|revise|tasks"""

    queryset = RebalancingPlan.objects.all()
    serializer_class = PlanOut

    def get_permissions(self) -> list[Any]:
        """Operators write; crews read."""
        reads = self.request.method in SAFE_METHODS
        return [(HasRole(*STAFF) if reads else HasRole(Role.FLEET_OPERATOR))()]

    def get_queryset(self) -> QuerySet[Any]:
        """Visible plans with their progress."""
        plans: Any = super().get_queryset()
        return queries.plans_with_progress(plans)

    @extend_schema(request=PlanRequest, responses={201: PlanOut})
    def create(self, request: Request) -> Response:
        """Ask for a plan; it comes in state `computing` and becomes a `draft` within the seconds."""
        wish = PlanRequest(data=request.data)
        wish.is_valid(raise_exception=True)
        plan = services.request_plan(
            organisation_id=_own_fleet(
                signed_in(request), slug=wish.validated_data.get("organisation")
            ),
            seconds=wish.validated_data["seconds"],
            parameters=wish.validated_data.get("parameters"),
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return self._answer(plan, code=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=PlanOut)
    def publish(self, request: Request, public_id: str) -> Response:
        """Give a draft to the crews; the plan they followed so far is closed."""
        plan = self._own()
        services.publish_plan(plan_id=plan.pk, at=clock.now(), by=signed_in(request).principal)
        return self._answer(plan)

    @extend_schema(request=None, responses=PlanOut)
    def close(self, request: Request, public_id: str) -> Response:
        """End a plan; what nobody claimed is dropped."""
        plan = self._own()
        services.close_plan(plan_id=plan.pk, at=clock.now(), by=signed_in(request).principal)
        return self._answer(plan)

    @extend_schema(request=None, responses={202: PlanOut})
    def revise(self, request: Request, public_id: str) -> Response:
        """Route the rest anew around what is done, in hand, locked or demanded; within seconds
        `version` has grown."""
        plan = self._own()
        services.request_revision(plan_id=plan.pk, at=clock.now(), by=signed_in(request).principal)
        return self._answer(plan, code=status.HTTP_202_ACCEPTED)

    @extend_schema(request=AddRequest, responses={201: TaskOut})
    def add(self, request: Request, public_id: str) -> Response:
        """Demand a task; revise the plan to give it its place."""
        plan, wish = self._own(), AddRequest(data=request.data)
        wish.is_valid(raise_exception=True)
        task = services.add_task(
            plan_id=plan.pk,
            vehicle_code=wish.validated_data["vehicle"],
            kind=wish.validated_data["kind"],
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(TaskOut(task).data, status=status.HTTP_201_CREATED)

    def _own(self) -> RebalancingPlan:
        """A visible plan that this person may also change."""
        plan: RebalancingPlan = self.get_object()
        if not _runs(signed_in(self.request), organisation_id=plan.organisation_id):
            raise NotYourFleet
        return plan

    def _answer(self, plan: RebalancingPlan, *, code: int = status.HTTP_200_OK) -> Response:
        fresh = self.get_queryset().get(pk=plan.pk)
        return Response(PlanOut(fresh).data, status=code)


class TaskViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/fleet/tasks[/{id}], POST …/{id}/claim|complete|drop|lock|place"""

    permission_classes = (HasRole(*STAFF),)
    queryset = RebalancingTask.objects.all()
    serializer_class = TaskOut
    pagination_class = WorkPages

    def get_queryset(self) -> QuerySet[Any]:
        """Visible tasks; without a filter those that are left to do."""
        tasks: Any = super().get_queryset()
        if self.action != "list":
            return queries.tasks_with_place(tasks)
        return queries.tasks_with_place(self._wanted(tasks))

    def get_serializer_context(self) -> dict[str, Any]:
        """With the names of the hubs by cell, read once."""
        return {**super().get_serializer_context(), "places": queries.hub_names()}

    @extend_schema(
        parameters=[
            OpenApiParameter("plan", str, description="Id of a plan: all its tasks."),
            OpenApiParameter("state", str, enum=TaskState.values),
            OpenApiParameter("mine", bool, description="Only those I have claimed."),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Tasks in driving order of the newest plan first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=None, responses=TaskOut)
    def claim(self, request: Request, public_id: str) -> Response:
        """Take a task; if the world has moved on it is dropped, and the answer says why."""
        task = services.claim_task(
            task_id=self.get_object().pk,
            assignee_id=signed_in(request).pk,
            at=clock.now(),
            by=signed_in(request).principal,
        )
        if task.state == TaskState.DROPPED:
            shown = self.get_serializer(task).data
            return problem_response(TaskDropped(why=queries.drop_text(task), extra={"task": shown}))
        return Response(self.get_serializer(task).data)

    @extend_schema(request=CompleteRequest, responses=TaskOut)
    def complete(self, request: Request, public_id: str) -> Response:
        """Say that a claimed task is done."""
        body = CompleteRequest(data=request.data)
        body.is_valid(raise_exception=True)
        task = services.complete_task(
            task_id=self.get_object().pk,
            vehicle_codes=body.validated_data.get("vehicles"),
            battery_serials=body.validated_data.get("batteries", ()),
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(self.get_serializer(task).data)

    @extend_schema(request=DropRequest, responses=TaskOut)
    def drop(self, request: Request, public_id: str) -> Response:
        """Give a task up, with the reason."""
        body = DropRequest(data=request.data)
        body.is_valid(raise_exception=True)
        task = self.get_object()
        dropped = services.drop_task(
            task_id=task.pk,
            reason=body.validated_data["reason"],
            of_any_crew=_runs(signed_in(request), organisation_id=task.plan.organisation_id),
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(self.get_serializer(dropped).data)

    @extend_schema(request=LockRequest, responses=TaskOut)
    def lock(self, request: Request, public_id: str) -> Response:
        """Keep a task as and where it is when the plan is revised, or let it go again."""
        found, body = self._decided(), LockRequest(data=request.data)
        body.is_valid(raise_exception=True)
        task = services.lock_task(
            task_id=found.pk,
            locked=body.validated_data["locked"],
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(self.get_serializer(task).data)

    @extend_schema(request=PlaceRequest, responses=TaskOut)
    def place(self, request: Request, public_id: str) -> Response:
        """Put a task onto a van, before another of its tasks or last; it is locked there."""
        task, body = self._decided(), PlaceRequest(data=request.data)
        body.is_valid(raise_exception=True)
        before = body.validated_data.get("before")
        others = self.get_queryset().filter(plan=task.plan_id)
        moved = services.place_task(
            task_id=task.pk,
            van=body.validated_data["van"],
            before_id=get_object_or_404(others, public_id=before).pk if before else None,
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(self.get_serializer(moved).data)

    def _decided(self) -> RebalancingTask:
        """A visible task that this person may decide about."""
        task: RebalancingTask = self.get_object()
        if not _runs(signed_in(self.request), organisation_id=task.plan.organisation_id):
            raise NotYourFleet
        return task

    def _wanted(self, tasks: TaskQuerySet) -> TaskQuerySet:
        query = self.request.query_params
        state = query_choice(self.request, "state", TaskState.values)
        if "plan" in query:
            tasks = tasks.filter(plan__public_id=_uuid(query["plan"]))
        elif state is None:
            tasks = tasks.workable()
        if state is not None:
            tasks = tasks.filter(state=state)
        if query.get("mine") in ("1", "true"):
            tasks = tasks.filter(assignee=self.request.user.pk)
        return tasks


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ValidationError({"plan": [_("This is not an id.")]}) from error


def _own_fleet(user: User, *, slug: str | None) -> int:
    """The organisation to plan for: the one named, or the only one this person runs."""
    own = Organisation.objects.filter(pk__in=user.organisations_as(Role.FLEET_OPERATOR))
    if user.is_superuser:
        own = Organisation.objects.all()
    chosen = list(own.filter(slug=slug) if slug else own[:2])
    if len(chosen) > 1:
        raise ValidationError({"organisation": [_("Say for which of your fleets.")]})
    if not chosen:
        raise NotYourFleet
    return chosen[0].pk


def _runs(user: User, *, organisation_id: int) -> bool:
    return user.is_superuser or organisation_id in user.organisations_as(Role.FLEET_OPERATOR)
