"""Doors of operators: their sessions, and commands that may begin or end one."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from charging.sessions.models import ChargingSession, SessionQuerySet
from charging.sessions.services import ask_station
from charging.sessions.states import SessionState
from charging.sessions.wire import SessionOut
from charging.stations.api import OPERATORS
from charging.stations.models import ChargingStation
from charging.stations.wire import CommandIn, CommandOut
from mobility.accounts.models import User
from mobility.core import clock, ids
from mobility.core.api import KEY_HEADER, ScopedViewSet, WriteView, query_choice


class SessionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/charging/sessions[/{id}]"""

    queryset = ChargingSession.objects.select_related("station", "connector")
    serializer_class = SessionOut
    permission_classes = [OPERATORS]

    def get_queryset(self) -> QuerySet[ChargingSession]:
        """One's own; with `state` those in it, or under way."""
        mine = cast("SessionQuerySet", super().get_queryset())
        wanted = query_choice(self.request, "state", [*SessionState.values, "open"])
        if wanted is None:
            return mine
        return mine.open() if wanted == "open" else mine.filter(state=wanted)

    @extend_schema(
        parameters=[OpenApiParameter("state", description="One state, or `open` for under way.")],
    )
    def list(self, request: Request) -> Response:
        """Sessions at one's own stations, newest first."""
        return super().list(request)


class StationCommandsView(WriteView):
    """POST /api/v1/charging/stations/{id}/commands"""

    permission_classes = [OPERATORS]

    @extend_schema(request=CommandIn, responses={201: CommandOut})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Ask a station of one's own to do something; follow the command to see whether it did."""
        wish = CommandIn(data=request.data)
        wish.is_valid(raise_exception=True)
        user = cast("User", request.user)
        station = own_station(user, public_id)
        command = ask_station(
            station=station,
            wish=wish.validated_data,
            idempotency_key=_key(request, user),
            at=clock.now(),
            by=user.principal,
        )
        return Response(CommandOut(command).data, status=status.HTTP_201_CREATED)


def own_station(user: User, public_id: UUID) -> ChargingStation:
    """The station, if this person may command it: seeing a station is not operating it."""
    visible = ChargingStation.objects.visible_to(user)
    station: ChargingStation = get_object_or_404(visible, public_id=public_id)
    if not ChargingStation.objects.operated_by(user).filter(pk=station.pk).exists():
        raise PermissionDenied
    return station


def _key(request: Request, user: User) -> str:
    return f"{user.principal}:{request.headers.get(KEY_HEADER) or ids.uuid7()}"[:128]
