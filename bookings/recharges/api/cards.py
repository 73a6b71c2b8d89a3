"""Doors of a person's charging cards and of connectors kept for them."""

from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.recharges import services
from bookings.recharges.models import KeptConnector
from bookings.recharges.wire.cards import CardIn, CardOut, HoldIn, KeptOut
from charging.sessions.models import Token
from charging.sessions.queries import tokens_of
from charging.sessions.states import TokenKind
from mobility.accounts.permissions import signed_in
from mobility.core import clock
from mobility.core.api import ScopedViewSet, WriteView
from mobility.core.errors import NotFound


class CardViewSet(ScopedViewSet):
    """RFID cards that charge in one's own name; nobody else's business, operators included."""

    queryset = Token.objects.all()
    serializer_class = CardOut

    @extend_schema(responses=CardOut(many=True))
    def list(self, request: Request) -> Response:
        """The person's own cards."""
        return Response({"results": CardOut(self.get_queryset(), many=True).data})

    @extend_schema(request=CardIn, responses={201: CardOut})
    def create(self, request: Request) -> Response:
        """Register a card; what is charged with it is paid like a charge bought in the app."""
        form = CardIn(data=request.data)
        form.is_valid(raise_exception=True)
        card = services.add_card(user=signed_in(request), **form.validated_data, at=clock.now())
        return Response(CardOut(card).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, public_id: str) -> Response:
        """Give a card back; it charges no more."""
        services.remove_card(token=self._card(), at=clock.now(), by=signed_in(request).principal)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=CardOut)
    def block(self, request: Request, public_id: str) -> Response:
        """Block a card that was lost."""
        card = services.block_card(
            token=self._card(), at=clock.now(), by=signed_in(request).principal
        )
        return Response(CardOut(card).data)

    @extend_schema(request=None, responses=CardOut)
    def unblock(self, request: Request, public_id: str) -> Response:
        """Unblock a card that was found."""
        card = services.unblock_card(token=self._card(), user=signed_in(request), at=clock.now())
        return Response(CardOut(card).data)

    def get_queryset(self) -> Any:
        """Only cards in hand: the app's own token is no card."""
        mine = tokens_of(owner_ref=signed_in(self.request).principal)
        return mine.filter(kind=TokenKind.RFID)

    def _card(self) -> Token:
        return cast("Token", self.get_object())


class KeptViewSet(ScopedViewSet):
    """Connectors that are kept for the person behind the request."""

    queryset = KeptConnector.objects.select_related(
        "connector__evse__station__site", "hold", "user"
    )
    serializer_class = KeptOut

    @extend_schema(responses=KeptOut(many=True))
    def list(self, request: Request) -> Response:
        """The person's own, newest first."""
        mine = cast("QuerySet[KeptConnector]", self.get_queryset())
        page: Any = self.paginate_queryset(mine.filter(user=signed_in(request)))
        return self.get_paginated_response(KeptOut(page, many=True).data)

    @extend_schema(responses=KeptOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One of them."""
        return Response(KeptOut(self.get_object()).data)

    @extend_schema(request=None, responses=KeptOut)
    def release(self, request: Request, public_id: str) -> Response:
        """Give a kept connector free."""
        kept: KeptConnector = self.get_object()
        person = signed_in(request)
        if kept.user_id != person.pk:
            raise NotFound
        services.release_kept(kept=kept, at=clock.now(), by=person.principal)
        return Response(KeptOut(kept).data)


class KeepView(WriteView):
    """POST and DELETE /api/v1/connectors/{id}/hold"""

    @extend_schema(request=HoldIn, responses={201: KeptOut})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Reserve a connector for some minutes, free of charge, while one is on the way."""
        form = HoldIn(data=request.data)
        form.is_valid(raise_exception=True)
        kept = services.keep_connector(
            user=signed_in(request),
            connector_id=public_id,
            minutes=form.validated_data["minutes"],
            at=clock.now(),
        )
        return Response(KeptOut(kept).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, public_id: UUID) -> Response:
        """Give the connector free, if it is kept for this person."""
        person = signed_in(request)
        kept = get_object_or_404(
            KeptConnector.objects.select_related("connector__evse").order_by("-id"),
            user=person,
            connector__public_id=public_id,
            state="held",
        )
        services.release_kept(kept=kept, at=clock.now(), by=person.principal)
        return Response(status=status.HTTP_204_NO_CONTENT)
