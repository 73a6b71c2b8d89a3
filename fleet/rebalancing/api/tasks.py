"""Doors of crew tasks: claim, arrive, complete, give up; what is wrong; and staff's decisions."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import mixins, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from fleet.rebalancing import queries, services
from fleet.rebalancing.api.staff import STAFF, NotYourFleet, runs
from fleet.rebalancing.models import RebalancingTask, TaskQuerySet
from fleet.rebalancing.states import TaskState
from fleet.rebalancing.wire import (
    CompleteRequest,
    DropRequest,
    LockRequest,
    PlaceRequest,
    TaskOut,
    TaskPhotoIn,
    TaskPhotoOut,
    TaskProblemIn,
    TaskProblemOut,
    ToldIn,
)
from mobility.accounts.permissions import HasRole, signed_in
from mobility.core import clock
from mobility.core.api import CursorPages, ScopedViewSet, query_choice
from mobility.core.errors import Conflict
from mobility.core.files.api import UploadView, image_bytes
from mobility.core.problems import problem_response


class TaskDropped(Conflict):
    """The claim found the world changed; `extra["task"]` is the task as it now stands."""

    code = "task_dropped"
    message: ClassVar[str | Promise] = _("This task is no longer possible: %(why)s.")


class WorkPages(CursorPages):
    """The newest plan first, its tasks in driving order."""

    ordering: Any = ("-plan_id", "van", "sequence")
    page_size = 100


class TaskViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/fleet/tasks[/{id}], POST …/{id}/claim|arrive|complete|drop|problem|lock|place"""

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

    @extend_schema(request=ToldIn, responses=TaskOut)
    def claim(self, request: Request, public_id: str) -> Response:
        """Take a task; if the world has moved on it is dropped, and the answer says why."""
        task = services.claim_task(
            task_id=self.get_object().pk,
            assignee_id=signed_in(request).pk,
            told=_told(request),
            at=clock.now(),
            by=signed_in(request).principal,
        )
        if task.state == TaskState.DROPPED:
            shown = self.get_serializer(task).data
            return problem_response(TaskDropped(why=queries.drop_text(task), extra={"task": shown}))
        return Response(self.get_serializer(task).data)

    @extend_schema(request=ToldIn, responses=TaskOut)
    def arrive(self, request: Request, public_id: str) -> Response:
        """Say that the van stands where a claimed task is."""
        task = services.arrive_at_task(
            task_id=self.get_object().pk,
            told=_told(request),
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(self.get_serializer(task).data)

    @extend_schema(request=TaskProblemIn, responses={201: TaskProblemOut})
    def problem(self, request: Request, public_id: str) -> Response:
        """Report what is wrong with the vehicle of a task; with `give_up` the task ends as broken."""
        body = TaskProblemIn(data=request.data)
        body.is_valid(raise_exception=True)
        task = self.get_object()
        fault, left = services.report_problem(
            task_id=task.pk,
            category=body.validated_data["category"],
            text=body.validated_data["text"],
            vehicle_code=body.validated_data["vehicle"],
            give_up=body.validated_data["give_up"],
            of_any_crew=runs(signed_in(request), organisation_id=task.plan.organisation_id),
            at=clock.now(),
            by=signed_in(request).principal,
        )
        told = {"case_number": fault.case_number, "task": self.get_serializer(left).data}
        return Response(told, status=status.HTTP_201_CREATED)

    @extend_schema(request=CompleteRequest, responses=TaskOut)
    def complete(self, request: Request, public_id: str) -> Response:
        """Say that a claimed task is done."""
        body = CompleteRequest(data=request.data)
        body.is_valid(raise_exception=True)
        task = services.complete_task(
            task_id=self.get_object().pk,
            vehicle_codes=body.validated_data.get("vehicles"),
            battery_serials=body.validated_data.get("batteries", ()),
            told=_told(request),
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
            of_any_crew=runs(signed_in(request), organisation_id=task.plan.organisation_id),
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
        if not runs(signed_in(self.request), organisation_id=task.plan.organisation_id):
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


def _told(request: Request) -> services.Told:
    """When it was and how far they came, as the phone says."""
    body = ToldIn(data=request.data)
    body.is_valid(raise_exception=True)
    return services.Told(**body.validated_data)


class TaskPhotosView(UploadView):
    """GET, POST /api/v1/fleet/tasks/{id}/photos"""

    permission_classes = (HasRole(*STAFF),)

    @extend_schema(responses=inline_serializer("TaskPhotos", {"results": TaskPhotoOut(many=True)}))
    def get(self, request: Request, public_id: str) -> Response:
        """The crew's pictures of a task."""
        photos = self._task(request, public_id).photos.select_related("file")
        return Response({"results": [TaskPhotoOut(photo).data for photo in photos]})

    @extend_schema(request={"multipart/form-data": TaskPhotoIn}, responses={201: TaskPhotoOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Send a picture of how the place was left; three at most, up to a day after the end."""
        task = self._task(request, public_id)
        form = TaskPhotoIn(data=request.data)
        form.is_valid(raise_exception=True)
        photo = services.add_task_photo(
            task_id=task.pk,
            data=image_bytes(form.validated_data["photo"]),
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(TaskPhotoOut(photo).data, status=status.HTTP_201_CREATED)

    def _task(self, request: Request, public_id: str) -> RebalancingTask:
        tasks = RebalancingTask.objects.visible_to(signed_in(request))
        return get_object_or_404(tasks, public_id=public_id)
