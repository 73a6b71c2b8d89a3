"""Doors of cards on file and of credit as a way to pay."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.payments import services
from bookings.payments.models import PaymentMethod
from bookings.payments.wire import AddMethodSerializer, PaymentMethodSerializer, method_body
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import ScopedViewSet, spans_transactions


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
    @spans_transactions
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

    @extend_schema(request=None, responses=PaymentMethodSerializer)
    def choose(self, request: Request, public_id: str) -> Response:
        """Pay with this one from now on, unless something else is named."""
        user = cast("User", request.user)
        method = services.choose_default(
            method_id=self.get_object().pk, at=clock.now(), by=user.principal
        )
        return Response(method_body(method))
