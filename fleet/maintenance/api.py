"""Doors of maintenance: staff and crews see faults and work on them; reporters see their own."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from fleet.maintenance import queries, services
from fleet.maintenance.models import FaultReport, WorkOrder
from fleet.maintenance.states import OPEN_ORDERS, FaultSource
from fleet.maintenance.wire import (
    AssignIn,
    ChecklistIn,
    CostOut,
    CostQuery,
    CrewFaultIn,
    FaultOut,
    FaultQuery,
    FinishIn,
    OwnFaultOut,
    ReasonIn,
    StartIn,
    WorkOrderIn,
    WorkOrderOut,
    WorkOrderQuery,
    WorkOrderWithListOut,
)
from fleet.vehicles.models import Vehicle
from fleet.vehicles.scoping import FLEET_STAFF
from fleet.vehicles.services import VehicleNotFound
from mobility.accounts.models import User
from mobility.accounts.permissions import HasRole, signed_in
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.api import CursorPages, ReadView, ScopedViewSet

STAFF = tuple(sorted(FLEET_STAFF))


class OwnFaultsViewSet(ScopedViewSet):
    """GET /api/v1/faults"""

    queryset = FaultReport.objects.all()
    serializer_class = OwnFaultOut

    def get_queryset(self) -> QuerySet[Any]:
        """The person's own reports, whoever runs the vehicle."""
        mine = FaultReport.objects.told_by(signed_in(self.request).principal)
        return mine.select_related("vehicle")

    @extend_schema(responses=OwnFaultOut(many=True))
    def list(self, request: Request) -> Response:
        """What I have reported and what became of it, newest first."""
        page: Any = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(OwnFaultOut(page, many=True).data)


class FaultViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET, POST /api/v1/fleet/faults, GET …/{id}, POST …/{id}/accept|dismiss"""

    permission_classes = (HasRole(*STAFF),)
    queryset = FaultReport.objects.all()
    serializer_class = FaultOut

    def get_queryset(self) -> QuerySet[Any]:
        """Visible reports with vehicle and order."""
        return queries.faults_with_story(cast("Any", super().get_queryset()))

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By what `FaultQuery` knows."""
        if self.action != "list":
            return queryset
        query = FaultQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return queryset.filter(**_paths(query.validated_data))

    @extend_schema(parameters=[FaultQuery], responses=FaultOut(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Reports on the vehicles this person works with, newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=CrewFaultIn, responses={201: FaultOut})
    def create(self, request: Request) -> Response:
        """Report what a crew found; what is dangerous takes the vehicle off the street."""
        told = CrewFaultIn(data=request.data)
        told.is_valid(raise_exception=True)
        person = signed_in(request)
        fault = services.report_fault(
            vehicle_id=own_vehicle(person, ref=told.validated_data["vehicle"]).pk,
            source=FaultSource.CREW,
            category=told.validated_data["category"],
            text=told.validated_data["text"],
            place=told.place(),
            at=clock.now(),
            by=person.principal,
        )
        return self._answer(fault, code=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=FaultOut)
    def accept(self, request: Request, public_id: str) -> Response:
        """Make it work: the report joins or opens the order for its category."""
        fault = services.accept_fault(
            fault_id=self.get_object().pk, at=clock.now(), by=signed_in(request).principal
        )
        return self._answer(fault)

    @extend_schema(request=ReasonIn, responses=FaultOut)
    def dismiss(self, request: Request, public_id: str) -> Response:
        """Nothing is wrong, or not any more."""
        wish = ReasonIn(data=request.data)
        wish.is_valid(raise_exception=True)
        fault = services.dismiss_fault(
            fault_id=self.get_object().pk,
            reason=wish.validated_data["reason"],
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return self._answer(fault)

    def _answer(self, fault: FaultReport, *, code: int = status.HTTP_200_OK) -> Response:
        return Response(FaultOut(self.get_queryset().get(pk=fault.pk)).data, status=code)


class WorkPages(CursorPages):
    """What is most urgent first, then what is due first."""

    ordering: Any = ("priority", "-id")


class WorkOrderViewSet(mixins.ListModelMixin, ScopedViewSet):
    """GET, POST /api/v1/fleet/work-orders, GET …/{id}, POST …/{id}/assign|start|checklist|finish|cancel"""

    permission_classes = (HasRole(*STAFF),)
    queryset = WorkOrder.objects.all()
    serializer_class = WorkOrderOut
    pagination_class = WorkPages

    def get_queryset(self) -> QuerySet[Any]:
        """Visible orders with all that they show."""
        return queries.orders_with_story(cast("Any", super().get_queryset()))

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By what `WorkOrderQuery` knows."""
        if self.action != "list":
            return queryset
        query = WorkOrderQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        asked = dict(query.validated_data)
        if asked.pop("mine"):
            queryset = queryset.filter(assigned_to=self.request.user.pk)
        if "state" not in asked:
            queryset = queryset.filter(state__in=OPEN_ORDERS)
        return queryset.filter(**_paths(asked))

    def get_serializer_context(self) -> dict[str, Any]:
        """With the moment until which time away is counted."""
        return {**super().get_serializer_context(), "at": clock.now()}

    @extend_schema(parameters=[WorkOrderQuery], responses=WorkOrderOut(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Work on the vehicles this person works with, the urgent first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=WorkOrderWithListOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One order with its checklist."""
        return self._answer(self.get_object())

    @extend_schema(request=WorkOrderIn, responses={201: WorkOrderWithListOut})
    def create(self, request: Request) -> Response:
        """Ask for work; a second wish for the same reason answers with the order that waits."""
        wish = WorkOrderIn(data=request.data)
        wish.is_valid(raise_exception=True)
        asked, person = dict(wish.validated_data), signed_in(request)
        order = services.open_order(
            vehicle_id=own_vehicle(person, ref=asked.pop("vehicle")).pk,
            **asked,
            at=clock.now(),
            by=person.principal,
        )
        return self._answer(order, code=status.HTTP_201_CREATED)

    @extend_schema(request=AssignIn, responses=WorkOrderWithListOut)
    def assign(self, request: Request, public_id: str) -> Response:
        """Give the work to somebody, or take it oneself."""
        wish = AssignIn(data=request.data)
        wish.is_valid(raise_exception=True)
        person = signed_in(request)
        named = wish.validated_data.get("to", person.public_id)
        order = services.assign_order(
            order_id=self.get_object().pk,
            assignee=_colleague(named),
            at=clock.now(),
            by=person.principal,
        )
        return self._answer(order)

    @extend_schema(request=StartIn, responses=WorkOrderWithListOut)
    def start(self, request: Request, public_id: str) -> Response:
        """Begin: the vehicle is taken, 409 `vehicle_taken` while a rider has it."""
        wish = StartIn(data=request.data)
        wish.is_valid(raise_exception=True)
        person = signed_in(request)
        order = services.start_order(
            order_id=self.get_object().pk,
            worker=person,
            place=wish.validated_data["place"],
            at=clock.now(),
            by=person.principal,
        )
        return self._answer(order)

    @extend_schema(request=ChecklistIn, responses=WorkOrderWithListOut)
    def checklist(self, request: Request, public_id: str) -> Response:
        """Write down what was found; what is not in order becomes a fault of this order."""
        told = ChecklistIn(data=request.data)
        told.is_valid(raise_exception=True)
        answers = [
            services.Answer(item_id=one["item"], verdict=one["verdict"], note=one["note"])
            for one in told.validated_data["answers"]
        ]
        order = services.answer_checklist(
            order_id=self.get_object().pk,
            answers=answers,
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return self._answer(order)

    @extend_schema(request=FinishIn, responses=WorkOrderWithListOut)
    def finish(self, request: Request, public_id: str) -> Response:
        """Done: 409 `checklist_not_passed` names everything that is missing or not in order."""
        told = FinishIn(data=request.data)
        told.is_valid(raise_exception=True)
        report = dict(told.validated_data)
        order = services.finish_order(
            order_id=self.get_object().pk,
            parts=[services.Part(**part) for part in report.pop("parts")],
            **report,
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return self._answer(order)

    @extend_schema(request=ReasonIn, responses=WorkOrderWithListOut)
    def cancel(self, request: Request, public_id: str) -> Response:
        """Give the work up; its reports are open again."""
        wish = ReasonIn(data=request.data)
        wish.is_valid(raise_exception=True)
        order = services.cancel_order(
            order_id=self.get_object().pk,
            reason=wish.validated_data["reason"],
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return self._answer(order)

    def _answer(self, order: WorkOrder, *, code: int = status.HTTP_200_OK) -> Response:
        fresh = self.get_queryset().get(pk=order.pk)
        shown = WorkOrderWithListOut(fresh, context=self.get_serializer_context())
        return Response(shown.data, status=code)


class CostsView(ReadView):
    """GET /api/v1/fleet/maintenance-costs"""

    permission_classes = (HasRole(Role.FLEET_OPERATOR),)

    @extend_schema(
        parameters=[CostQuery],
        responses=inline_serializer("MaintenanceCosts", {"results": CostOut(many=True)}),
    )
    def get(self, request: Request) -> Response:
        """Cost, labour and time away of one's own fleet in a period, the dearest first."""
        query = CostQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        lines = queries.costs(
            organisation_ids=signed_in(request).organisations_as(Role.FLEET_OPERATOR),
            **query.validated_data,
        )
        return Response({"results": CostOut(lines, many=True).data})


def own_vehicle(person: User, *, ref: str) -> Vehicle:
    """A vehicle of the fleet this person works for, by code or id; raises `VehicleNotFound`."""
    try:
        match = Q(public_id=uuid.UUID(ref))
    except ValueError:
        match = Q(code=ref.strip().upper())
    vehicle = Vehicle.objects.run_by(person, *FLEET_STAFF).filter(match).first()
    if vehicle is None:
        raise VehicleNotFound
    return vehicle


def _colleague(public_id: uuid.UUID) -> User:
    person = User.objects.filter(public_id=public_id, is_active=True).first()
    if person is None:
        raise services.NotOnThisFleet
    return person


def _paths(asked: dict[str, Any]) -> dict[str, Any]:
    """Filters as the ORM spells them."""
    renamed = {"vehicle": "vehicle__code__iexact"}
    return {renamed.get(name, name): value for name, value in asked.items()}
