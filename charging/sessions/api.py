"""Doors of operators: their sessions, and commands that may begin or end one."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from charging.sessions.models import ChargingSession, SessionQuerySet, Token
from charging.sessions.rules import normal_uid
from charging.sessions.services import (
    NoSuchPlace,
    TokenTaken,
    ask_station,
    bind_token,
    block_token,
    ensure_token,
    unblock_token,
)
from charging.sessions.states import SessionState
from charging.sessions.wire import PlacesIn, SessionOut, TokenIn, TokenOut
from charging.stations.api import OPERATORS, command_key, own_operator
from charging.stations.models import ChargingStation, Evse, Site
from charging.stations.scoping import operated_by
from charging.stations.wire import CommandIn, CommandOut
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import ScopedViewSet, WriteView, query_choice


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


class TokenViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/charging/tokens[/{id}]"""

    queryset = Token.objects.all()
    serializer_class = TokenOut
    permission_classes = [OPERATORS]

    @extend_schema(request=TokenIn, responses={201: TokenOut})
    def create(self, request: Request) -> Response:
        """Issue a card, or bring one's own up to date."""
        asked = TokenIn(data=request.data)
        asked.is_valid(raise_exception=True)
        details = dict(asked.validated_data)
        user = cast("User", request.user)
        issuer = own_operator(user, slug=details.pop("organisation", None))
        known = Token.objects.filter(uid=normal_uid(details["uid"])).first()
        if known is not None and known.organisation_id != issuer.pk:
            raise TokenTaken
        token = ensure_token(
            **details, organisation_id=issuer.pk, at=clock.now(), by=user.principal
        )
        return Response(TokenOut(token).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=TokenOut)
    @action(detail=True, methods=["post"])
    def block(self, request: Request, public_id: UUID) -> Response:
        """Let the card charge no more."""
        token = cast("Token", self.get_object())
        by = cast("User", request.user).principal
        return Response(TokenOut(block_token(uid=token.uid, at=clock.now(), by=by)).data)

    @extend_schema(request=None, responses=TokenOut)
    @action(detail=True, methods=["post"])
    def unblock(self, request: Request, public_id: UUID) -> Response:
        """Let the card charge again."""
        token = cast("Token", self.get_object())
        by = cast("User", request.user).principal
        return Response(TokenOut(unblock_token(uid=token.uid, at=clock.now(), by=by)).data)

    @extend_schema(request=PlacesIn, responses=TokenOut)
    @action(detail=True, methods=["post"])
    def places(self, request: Request, public_id: UUID) -> Response:
        """Let the card charge at these sites and EVSEs of one's own only; without any, everywhere."""
        token = cast("Token", self.get_object())
        asked = PlacesIn(data=request.data)
        asked.is_valid(raise_exception=True)
        user = cast("User", request.user)
        bound = bind_token(
            uid=token.uid,
            site_ids=_site_ids(user, asked.validated_data["sites"]),
            evse_ids=_evse_ids(user, asked.validated_data["evses"]),
            at=clock.now(),
            by=user.principal,
        )
        return Response(TokenOut(bound).data)


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
            idempotency_key=command_key(request, user),
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


def _site_ids(user: User, public_ids: list[UUID]) -> list[int]:
    own = Site.objects.filter(operated_by(user), public_id__in=public_ids)
    found = list(own.values_list("pk", flat=True))
    if len(found) != len(set(public_ids)):
        raise NoSuchPlace
    return found


def _evse_ids(user: User, places: list[str]) -> list[int]:
    found = []
    for place in places:
        identity, _slash, number = place.rpartition("/")
        own = Evse.objects.filter(operated_by(user, site="station__site"))
        evse = own.filter(station__identity=identity, number=int(number[:9])).first() if (
            number.isascii() and number.isdigit()
        ) else None  # fmt: skip
        if evse is None:
            raise NoSuchPlace
        found.append(evse.pk)
    return found
