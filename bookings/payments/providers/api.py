"""Doors between people and their provider, and the one where providers tell us what happened."""

import dataclasses
from typing import Any, ClassVar, cast

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings.payments.providers.ingest import keep_webhook
from bookings.payments.services.methods import begin_card_setup
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import WriteView, spans_transactions
from mobility.core.errors import DomainError, Invalid

MOST_BYTES = 262_144


class WebhookTooLarge(DomainError):
    """No event is that long."""

    code = "webhook_too_large"
    status: ClassVar[int] = 413
    message = _("This message is too long.")


class StrangeReturn(Invalid):
    """The provider would send the person to somebody else's page."""

    code = "strange_return_address"
    message = _("The provider can send people back to our own pages only.")


class CardSetupRequestSerializer(serializers.Serializer[Any]):
    """Where the person wants to be afterwards."""

    return_url = serializers.URLField(
        max_length=300,
        allow_blank=True,
        default="",
        help_text="A page of ours; empty for apps, which get a secret instead of a page.",
    )


class CardSetupSerializer(serializers.Serializer[Any]):
    """How to put a card on file; `reference` is the token to hand in afterwards."""

    provider = serializers.CharField()
    reference = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True)
    client_secret = serializers.CharField(allow_blank=True)
    publishable_key = serializers.CharField(allow_blank=True)


class CardSetupView(WriteView):
    """The first half of putting a card on file, at the provider; the second is POST payment-methods."""

    @extend_schema(request=CardSetupRequestSerializer, responses={201: CardSetupSerializer})
    @spans_transactions
    def post(self, request: Request) -> Response:
        """Begin; all empty means that only the provider's demonstration tokens are taken."""
        form = CardSetupRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        back = form.validated_data["return_url"]
        if back and not back.startswith(f"{settings.PUBLIC_URL}/"):
            raise StrangeReturn
        user = cast("User", request.user)
        setup = begin_card_setup(user_id=user.pk, return_url=back, at=clock.now())
        body = {"provider": settings.PAYMENT_PROVIDER, **dataclasses.asdict(setup)}
        return Response(body, status=status.HTTP_201_CREATED)


class WebhookView(APIView):
    """A provider comes without log-in; its signature over the body is the permission."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="payment_webhooks_create",
        request=OpenApiTypes.OBJECT,
        responses={204: None},
    )
    def post(self, request: Request, provider: str) -> Response:
        """Keep one event; told again, it is kept once. Every genuine delivery is answered 204."""
        # The length is checked before a byte is read.
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            raise WebhookTooLarge
        body = request._request.body
        keep_webhook(provider=provider, headers=request.headers, body=body, at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
