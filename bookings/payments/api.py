"""Doors of money: cards on file, open payments, refunds by staff."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.payments import services
from bookings.payments.models import Payment, PaymentMethod
from bookings.payments.wire import (
    AddMethodSerializer,
    PaymentMethodSerializer,
    PaymentSerializer,
    RefundRequestSerializer,
    RefundSerializer,
    method_body,
    payment_body,
)
from mobility.accounts.models import User
from mobility.accounts.permissions import HasRole
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.api import ScopedViewSet
from mobility.core.errors import NotFound


class PaymentMethodViewSet(ScopedViewSet):
    """The person's own cards on file."""

    queryset = PaymentMethod.objects.usable()
    serializer_class = PaymentMethodSerializer

    @extend_schema(responses=PaymentMethodSerializer(many=True))
    def list(self, request: Request) -> Response:
        """Cards on file, the default one first."""
        mine = PaymentMethod.objects.filter(user=cast("User", request.user)).usable()
        return Response({"results": [method_body(method) for method in mine]})

    @extend_schema(request=AddMethodSerializer, responses={201: PaymentMethodSerializer})
    def create(self, request: Request) -> Response:
        """Put a card on file; it becomes the default one."""
        form = AddMethodSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        method = services.add_payment_method(
            user_id=user.pk, token=form.validated_data["token"], at=clock.now(), by=user.principal
        )
        return Response(method_body(method), status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, public_id: str) -> Response:
        """Take a card off the file."""
        user = cast("User", request.user)
        method = self.get_object()
        services.remove_payment_method(method_id=method.pk, at=clock.now(), by=user.principal)
        return Response(status=status.HTTP_204_NO_CONTENT)


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
        """One payment."""
        return Response(payment_body(self.get_object()))

    @extend_schema(request=None, responses=PaymentSerializer)
    def pay(self, request: Request, public_id: str) -> Response:
        """Pay what is due with the card that is the default one now; look again in a few seconds."""
        user = cast("User", request.user)
        payment: Payment = self.get_object()
        if payment.payer_id != user.pk:
            raise NotFound
        paid = services.pay_debt(payment_id=payment.pk, at=clock.now(), by=user.principal)
        return Response(payment_body(paid))


class RefundViewSet(ScopedViewSet):
    """Refunds, by the staff of the organisation that took the money."""

    queryset = Payment.objects.all()
    permission_classes = [HasRole(Role.FLEET_OPERATOR, Role.CHARGE_POINT_OPERATOR)]

    @extend_schema(request=RefundRequestSerializer, responses={201: RefundSerializer})
    def create(self, request: Request, public_id: str) -> Response:
        """Give back a part of a payment, or all of it."""
        form = RefundRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        payment: Payment = self.get_object()
        refund = services.request_refund(
            payment_id=payment.pk, **form.validated_data, at=clock.now(), by=user.principal
        )
        body = {
            "id": refund.public_id,
            "state": refund.state,
            "cents": refund.cents,
            "reason": refund.reason,
        }
        return Response(body, status=status.HTTP_201_CREATED)

    def get_queryset(self) -> Any:
        """Only payments to the staff's own organisation: nobody refunds their own ride."""
        user = cast("User", self.request.user)
        payments = cast("Any", super().get_queryset())
        if user.is_superuser:
            return payments
        theirs = user.organisations_as(Role.FLEET_OPERATOR, Role.CHARGE_POINT_OPERATOR)
        return payments.filter(organisation__in=theirs).exclude(payer=user)
