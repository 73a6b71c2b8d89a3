"""Doors of fees: the person's, and the staff's."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.payments import services
from bookings.payments.models import Fee
from bookings.payments.models.scoping import MONEY_READERS
from bookings.payments.states import FeeState
from bookings.payments.wire import DecisionSerializer, DisputeSerializer, FeeSerializer, fee_body
from mobility.accounts.models import User
from mobility.accounts.permissions import HasRole
from mobility.core import clock
from mobility.core.api import ScopedViewSet, query_choice


class FeeViewSet(ScopedViewSet):
    """Fees of the person behind the request, once they were announced."""

    queryset = Fee.objects.select_related("kind", "payment")
    serializer_class = FeeSerializer

    @extend_schema(responses=FeeSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The person's own fees, newest first."""
        page: Any = self.paginate_queryset(self._own())
        return self.get_paginated_response([fee_body(fee) for fee in page])

    @extend_schema(responses=FeeSerializer)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One fee, with its reason, its evidence and until when it can be disputed."""
        return Response(fee_body(self.get_object()))

    @extend_schema(request=DisputeSerializer, responses=FeeSerializer)
    def dispute(self, request: Request, public_id: str) -> Response:
        """Say why the fee is wrong; it is not charged before staff have decided."""
        form = DisputeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        fee = services.dispute_fee(
            fee_id=self.get_object().public_id,
            text=form.validated_data["text"],
            at=clock.now(),
            by=user.principal,
        )
        return Response(fee_body(fee))

    def get_queryset(self) -> Any:
        """The person's own alone; staff have doors of their own."""
        return self._own()

    def _own(self) -> Any:
        rows = Fee.objects.select_related("kind", "payment")
        return rows.filter(user=cast("User", self.request.user)).exclude(state=FeeState.PROPOSED)


class StaffFeeViewSet(ScopedViewSet):
    """Fees of the staff's organisations, and what is decided about them."""

    queryset = Fee.objects.select_related("kind", "payment", "user")
    serializer_class = FeeSerializer
    permission_classes = [HasRole(*MONEY_READERS)]

    @extend_schema(
        parameters=[OpenApiParameter("state", enum=FeeState.values)],
        responses=FeeSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """Fees, newest first; `state` chooses one state."""
        rows, wanted = self.get_queryset(), query_choice(request, "state", FeeState.values)
        page: Any = self.paginate_queryset(rows.filter(state=wanted) if wanted else rows)
        return self.get_paginated_response([fee_body(fee) for fee in page])

    @extend_schema(request=None, responses=FeeSerializer)
    def announce(self, request: Request, public_id: str) -> Response:
        """Tell the person; the days to dispute it begin."""
        user = cast("User", request.user)
        fee = services.announce_fee(
            fee_id=self.get_object().public_id, at=clock.now(), by=user.principal
        )
        return Response(fee_body(fee))

    @extend_schema(request=DecisionSerializer, responses=FeeSerializer)
    def uphold(self, request: Request, public_id: str) -> Response:
        """Keep a disputed fee, with the reason for the person."""
        return self._decide(request, services.uphold_fee)

    @extend_schema(request=DecisionSerializer, responses=FeeSerializer)
    def waive(self, request: Request, public_id: str) -> Response:
        """Drop a fee; what was charged for it goes back."""
        return self._decide(request, services.waive_fee)

    def get_queryset(self) -> Any:
        """Only fees of the staff's own organisations, and none against themselves."""
        user = cast("User", self.request.user)
        fees = cast("Any", super().get_queryset())
        if user.is_superuser:
            return fees
        theirs = user.organisations_as(*MONEY_READERS)
        return fees.filter(organisation__in=theirs).exclude(user=user)

    def _decide(self, request: Request, deed: Any) -> Response:
        form = DecisionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        fee = deed(
            fee_id=self.get_object().public_id,
            decision=form.validated_data["reason"],
            at=clock.now(),
            by=user.principal,
        )
        return Response(fee_body(fee))
