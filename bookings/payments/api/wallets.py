"""Doors of a person's credit."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.payments import services
from bookings.payments.models import LedgerEntry
from bookings.payments.queries import wallet_movements, wallets_of
from bookings.payments.wire import (
    MovementSerializer,
    PaymentSerializer,
    TopUpSerializer,
    WalletSerializer,
    movement_body,
    payment_body,
    wallet_body,
)
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet, spans_transactions


class WalletsSerializer(serializers.Serializer[Any]):
    """A person's credit, by organisation."""

    results = WalletSerializer(many=True)


class WalletsView(ReadView):
    """GET /api/v1/wallets"""

    @extend_schema(responses=WalletsSerializer)
    def get(self, request: Request) -> Response:
        """The person's credit at each organisation; what is set aside cannot be spent twice."""
        wallets = wallets_of(user_id=cast("User", request.user).pk)
        return Response({"results": [wallet_body(account, held) for account, held in wallets]})


class WalletViewSet(ScopedViewSet):
    """The credit of the person behind the request at the organisation in the address."""

    queryset = LedgerEntry.objects.all()
    serializer_class = MovementSerializer

    @extend_schema(responses=MovementSerializer(many=True))
    def movements(self, request: Request, public_id: str) -> Response:
        """Every movement of the credit, newest first."""
        rows = wallet_movements(
            user_id=cast("User", request.user).pk, organisation_id=self._organisation().pk
        )
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response([movement_body(entry) for entry in page])

    @extend_schema(request=TopUpSerializer, responses={202: PaymentSerializer})
    @spans_transactions
    def top_up(self, request: Request, public_id: str) -> Response:
        """Buy credit with a card; it is there when the payment is `captured`, in a few seconds."""
        form = TopUpSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user, asked = cast("User", request.user), form.validated_data
        payment = services.top_up(
            user_id=user.pk,
            organisation_id=self._organisation().pk,
            cents=asked["cents"],
            method_id=services.own_method(user_id=user.pk, public_id=asked.get("method")),
            at=clock.now(),
            by=user.principal,
        )
        return Response(payment_body(payment), status=status.HTTP_202_ACCEPTED)

    def _organisation(self) -> Organisation:
        return get_object_or_404(Organisation.objects.all(), public_id=self.kwargs["public_id"])
