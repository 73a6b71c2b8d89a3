"""Doors of the fleet's staff: see the alarms of their vehicles, and see to them."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from fleet.telematics.alarm_wire import AlarmAssignIn, AlarmOut, AlarmQuery
from fleet.telematics.models import Alarm
from fleet.telematics.services import alarms
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.permissions import HasRole, signed_in
from mobility.core import clock
from mobility.core.api import ScopedViewSet


class AlarmViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/fleet/alarms[/{id}], POST …/{id}/assign|acknowledge|close"""

    queryset = Alarm.objects.select_related("vehicle", "assigned_to")
    serializer_class = AlarmOut
    permission_classes = (HasRole(*FLEET_STAFF),)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By what `AlarmQuery` knows."""
        if self.action != "list":
            return queryset
        query = AlarmQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        asked = dict(query.validated_data)
        if "vehicle" in asked:
            queryset = queryset.filter(vehicle__code=asked.pop("vehicle"))
        if "state" not in asked:
            queryset = cast("Any", queryset).active()
        return queryset.filter(**asked)

    @extend_schema(parameters=[AlarmQuery], responses=AlarmOut(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Alarms of the vehicles one works for, newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=None, responses=AlarmOut)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, public_id: str) -> Response:
        """Take care of it: others see that somebody does."""
        person = signed_in(request)
        alarms.acknowledge_alarm(
            alarm_id=self.get_object().pk, user_id=person.pk, at=clock.now(), by=person.principal
        )
        return Response(AlarmOut(self.get_object()).data)

    @extend_schema(request=AlarmAssignIn, responses=AlarmOut)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, public_id: str) -> Response:
        """Give it to somebody of the operator's staff."""
        wish = AlarmAssignIn(data=request.data)
        wish.is_valid(raise_exception=True)
        alarms.assign_alarm(
            alarm_id=self.get_object().pk,
            email=wish.validated_data["email"],
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(AlarmOut(self.get_object()).data)

    @extend_schema(request=None, responses=AlarmOut)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, public_id: str) -> Response:
        """Say that it is over; if its cause goes on, a new one begins."""
        by = signed_in(request).principal
        alarms.close_alarm(alarm_id=self.get_object().pk, at=clock.now(), by=by)
        return Response(AlarmOut(self.get_object()).data)
