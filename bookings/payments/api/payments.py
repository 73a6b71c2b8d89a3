"""Doors of payments and refunds."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.payments import services
from bookings.payments.models import Payment, Refund
from bookings.payments.models.scoping import MONEY_READERS
from bookings.payments.states import RefundState
from bookings.payments.wire import (
    DecisionSerializer,
    PaymentSerializer,
    PaySerializer,
    RefundRequestSerializer,
    RefundSerializer,
    payment_body,
    refund_body,
)
from mobility.accounts.models import User
from mobility.accounts.permissions import HasRole
from mobility.core import clock
from mobility.core.api import ScopedViewSet, query_choice, spans_transactions
from mobility.core.errors import NotFound


class PaymentViewSet(ScopedViewSet):
    """Payments of the person behind the request."""

    queryset = Payment.objects.select_related("method")
    serializer_class = PaymentSerializer

    @extend_schema(responses=PaymentSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The person's own payments, newest first."""
        mine = Payment.objects.filter(payer=cast("User", request.user)).select_related("method")
        page: Any = self.paginate_queryset(mine)
        return self.get_paginated_response([payment_body(row) for row in page])

    @extend_schema(responses=PaymentSerializer)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One payment; what its payer has to do at the bank is theirs alone."""
        payment: Payment = self.get_object()
        body = payment_body(payment)
        mine = payment.payer_id == cast("User", request.user).pk
        return Response(body if mine else {**body, "action": None})

    @extend_schema(request=PaySerializer, responses=PaymentSerializer)
    def pay(self, request: Request, public_id: str) -> Response:
        """Pay what is due with the default card, or another one; look again in a few seconds."""
        form = PaySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        payment, user = self._own(), cast("User", request.user)
        method_id = services.own_method(
            user_id=user.pk, public_id=form.validated_data.get("method")
        )
        paid = services.pay_debt(
            payment_id=payment.pk, at=clock.now(), by=user.principal, method_id=method_id
        )
        return Response(payment_body(paid))

    @extend_schema(request=None, responses=PaymentSerializer)
    @spans_transactions
    def confirm(self, request: Request, public_id: str) -> Response:
        """Go on after the bank has asked the person; what it was for goes on at its own door."""
        payment, user = self._own(), cast("User", request.user)
        confirmed = services.confirm_payment(
            payment_id=payment.pk, at=clock.now(), by=user.principal
        )
        return Response(payment_body(confirmed))

    def _own(self) -> Payment:
        payment: Payment = self.get_object()
        if payment.payer_id != cast("User", self.request.user).pk:
            raise NotFound
        return payment


class RefundViewSet(ScopedViewSet):
    """Refunds of a payment, by the staff of the organisation that took the money."""

    queryset = Payment.objects.all()
    permission_classes = [HasRole(*MONEY_READERS)]

    @extend_schema(request=RefundRequestSerializer, responses={201: RefundSerializer})
    def create(self, request: Request, public_id: str) -> Response:
        """Give back a part of a payment, or all of it.

        Above the organisation's limit it is `proposed` until a second person has approved it.
        """
        form = RefundRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        payment: Payment = self.get_object()
        refund = services.request_refund(
            payment_id=payment.pk, **form.validated_data, at=clock.now(), by=user.principal
        )
        return Response(refund_body(refund), status=status.HTTP_201_CREATED)

    def get_queryset(self) -> Any:
        """Only payments to the staff's own organisation: nobody refunds their own ride."""
        user = cast("User", self.request.user)
        payments = cast("Any", super().get_queryset())
        if user.is_superuser:
            return payments
        theirs = user.organisations_as(*MONEY_READERS)
        return payments.filter(organisation__in=theirs).exclude(payer=user)


class RefundQueueViewSet(ScopedViewSet):
    """The refunds of the staff's organisations, and the second person's word on them."""

    queryset = Refund.objects.select_related("payment")
    serializer_class = RefundSerializer
    permission_classes = [HasRole(*MONEY_READERS)]

    @extend_schema(
        parameters=[OpenApiParameter("state", enum=RefundState.values)],
        responses=RefundSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """Refunds, newest first; `state=proposed` are those that wait for a second person."""
        rows, wanted = self.get_queryset(), query_choice(request, "state", RefundState.values)
        page: Any = self.paginate_queryset(rows.filter(state=wanted) if wanted else rows)
        return self.get_paginated_response([refund_body(row) for row in page])

    @extend_schema(request=None, responses=RefundSerializer)
    def approve(self, request: Request, public_id: str) -> Response:
        """Let a refund go out that somebody else has asked for."""
        user = cast("User", request.user)
        refund = services.approve_refund(
            refund_id=self.get_object().pk, at=clock.now(), by=user.principal
        )
        return Response(refund_body(refund))

    @extend_schema(request=DecisionSerializer, responses=RefundSerializer)
    def reject(self, request: Request, public_id: str) -> Response:
        """Refuse a refund that somebody else has asked for."""
        form = DecisionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        refund = services.reject_refund(
            refund_id=self.get_object().pk,
            reason=form.validated_data["reason"],
            at=clock.now(),
            by=user.principal,
        )
        return Response(refund_body(refund))

    def get_queryset(self) -> Any:
        """Only refunds of the staff's own organisations, and none of their own payments."""
        user = cast("User", self.request.user)
        refunds = cast("Any", super().get_queryset())
        if user.is_superuser:
            return refunds
        theirs = user.organisations_as(*MONEY_READERS)
        return refunds.filter(payment__organisation__in=theirs).exclude(payment__payer=user)
