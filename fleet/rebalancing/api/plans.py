"""Doors of plans: ask for one, publish it, demand tasks, give its vans to crews, see how it goes."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import mixins, status
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from fleet.rebalancing import queries, services
from fleet.rebalancing.api.staff import STAFF, NotYourFleet, own_fleet, runs
from fleet.rebalancing.models import RebalancingPlan
from fleet.rebalancing.wire import (
    AddRequest,
    AssignRequest,
    DecisionOut,
    PlanFiguresOut,
    PlanOut,
    PlanRequest,
    TaskOut,
    VansOut,
    tour_body,
)
from mobility.accounts.models import User
from mobility.accounts.permissions import HasRole, signed_in
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.api import ScopedViewSet


class PlanViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET, POST /api/v1/fleet/plans, GET …/{id}, POST …/{id}/publish|close|revise|tasks"""

    queryset = RebalancingPlan.objects.all()
    serializer_class = PlanOut

    def get_permissions(self) -> list[Any]:
        """Operators write; crews read, and take a van for themselves."""
        reads = self.request.method in SAFE_METHODS or self.action == "assign"
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
            organisation_id=own_fleet(
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

    @extend_schema(responses=VansOut)
    def vans(self, request: Request, public_id: str) -> Response:
        """Every van: who drives it, what to load, what is left; and batteries and people to choose."""
        plan = self.get_object()
        return Response(self._vans(plan))

    @extend_schema(request=AssignRequest, responses=VansOut)
    def assign(self, request: Request, public_id: str) -> Response:
        """Give a van to a crew, or to nobody. A crew may take one that nobody has, and give it back."""
        plan, wish = self.get_object(), AssignRequest(data=request.data)
        wish.is_valid(raise_exception=True)
        person, chosen = signed_in(request), wish.validated_data["crew"]
        decides = runs(person, organisation_id=plan.organisation_id)
        if not decides and chosen not in (person.public_id, None):
            raise NotYourFleet
        crew = None
        if chosen is not None:
            people = {one.public_id: one for one in queries.crews_of(plan)}
            crew = people.get(chosen) or get_object_or_404(User.objects.none())
        services.assign_van(
            plan_id=plan.pk,
            van=wish.validated_data["van"],
            crew_id=crew.pk if crew else None,
            asked_by=None if decides else person.pk,
            at=clock.now(),
            by=person.principal,
        )
        return Response(self._vans(plan))

    @extend_schema(responses=PlanFiguresOut)
    def figures(self, request: Request, public_id: str) -> Response:
        """How the day goes: done and left, worth, time and ways."""
        return Response(queries.figures_of(self.get_object()))

    @extend_schema(
        responses=inline_serializer("PlanDecisions", {"results": DecisionOut(many=True)})
    )
    def decisions(self, request: Request, public_id: str) -> Response:
        """Who decided what about this plan, the newest first."""
        found = queries.decisions_of(self.get_object())
        names = queries.names_of(one.by for one in found)
        return Response({"results": DecisionOut(found, many=True, context={"names": names}).data})

    def _vans(self, plan: RebalancingPlan) -> dict[str, Any]:
        decides = runs(signed_in(self.request), organisation_id=plan.organisation_id)
        return {
            "vans": [tour_body(tour) for tour in queries.tours_of(plan)],
            "packs": [vars(pack) for pack in queries.packs_for(plan)],
            "crews": [
                {"id": str(one.public_id), "name": one.name or one.email}
                for one in (queries.crews_of(plan) if decides else [])
            ],
        }

    def _own(self) -> RebalancingPlan:
        """A visible plan that this person may also change."""
        plan: RebalancingPlan = self.get_object()
        if not runs(signed_in(self.request), organisation_id=plan.organisation_id):
            raise NotYourFleet
        return plan

    def _answer(self, plan: RebalancingPlan, *, code: int = status.HTTP_200_OK) -> Response:
        fresh = self.get_queryset().get(pk=plan.pk)
        return Response(PlanOut(fresh).data, status=code)
