"""Doors of recharges: buy, watch, stop, receipt."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.payments.models import PaymentMethod
from bookings.payments.queries import receipt_of
from bookings.payments.wire import ReceiptSerializer, receipt_body
from bookings.recharges import services
from bookings.recharges.models import Recharge
from bookings.recharges.states import ACTIVE, RechargeState
from bookings.recharges.wire.recharges import BuySerializer, RechargeSerializer, recharge_body
from mobility.accounts.models import User
from mobility.accounts.permissions import signed_in
from mobility.core import clock
from mobility.core.api import ScopedViewSet, query_choice, spans_transactions
from mobility.core.errors import NotFound


class RechargeViewSet(ScopedViewSet):
    """Charges bought by the person behind the request."""

    queryset = Recharge.objects.all()
    serializer_class = RechargeSerializer

    @extend_schema(request=BuySerializer, responses={201: RechargeSerializer})
    @spans_transactions
    def create(self, request: Request) -> Response:
        """Buy a charge at a connector; plug in when the charger asks for it."""
        form = BuySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        at, user, wish = clock.now(), signed_in(request), form.validated_data
        recharge = services.start_recharge(
            user=user,
            connector_id=wish["connector"],
            limit_cents=wish.get("limit_cents"),
            method_id=_method(user, wish.get("payment_method")),
            at=at,
        )
        return Response(recharge_body(recharge, at=at), status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[
            OpenApiParameter("state", description="One state, or `active` for charges under way.")
        ],
        responses=RechargeSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """The person's own charges, newest first."""
        at = clock.now()
        mine = Recharge.objects.with_story().filter(user=cast("User", request.user))
        wanted = query_choice(request, "state", {"active", *RechargeState.values})
        if wanted:
            mine = mine.filter(state__in=ACTIVE if wanted == "active" else [wanted])
        page: Any = self.paginate_queryset(mine)
        return self.get_paginated_response([recharge_body(row, at=at) for row in page])

    @extend_schema(responses=RechargeSerializer)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One charge, with its energy and cost so far."""
        return Response(recharge_body(self.get_object(), at=clock.now()))

    @extend_schema(request=None, responses=RechargeSerializer)
    def stop(self, request: Request, public_id: str) -> Response:
        """Ask the charger to stop; from now on nothing more is charged if it refuses."""
        at, recharge = clock.now(), self._own()
        services.stop_recharge(recharge=recharge, at=at, by=recharge.user.principal)
        return Response(recharge_body(recharge, at=at))

    @extend_schema(operation_id="recharges_continue", request=None, responses=RechargeSerializer)
    @spans_transactions
    def go_on(self, request: Request, public_id: str) -> Response:
        """Go on with a start, after the bank's question was answered."""
        at, recharge = clock.now(), self._own()
        services.continue_start(recharge=recharge, at=at)
        return Response(recharge_body(recharge, at=at))

    @extend_schema(responses=ReceiptSerializer)
    def receipt(self, request: Request, public_id: str) -> Response:
        """The receipt, as soon as the price is final."""
        recharge: Recharge = self.get_object()
        return Response(receipt_body(receipt_of(payment=recharge.payment)))

    def get_queryset(self) -> Any:
        """Visible ones, with their story."""
        return cast("Any", super().get_queryset()).with_story()

    def _own(self) -> Recharge:
        """Operators see charges at their chargers; to act on one is its buyer's."""
        recharge: Recharge = self.get_object()
        if recharge.user_id != signed_in(self.request).pk:
            raise NotFound
        return recharge


def _method(user: User, public_id: UUID | None) -> int | None:
    """The card on file that this person named, if any."""
    if public_id is None:
        return None
    pk = (
        PaymentMethod.objects.filter(user=user, public_id=public_id)
        .usable()
        .values_list("pk", flat=True)
        .first()
    )
    if pk is None:
        raise NotFound
    return int(pk)
