"""The door where payment providers tell us what happened."""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings.payments.providers.ingest import keep_webhook
from mobility.core import clock
from mobility.core.errors import DomainError

MOST_BYTES = 262_144


class WebhookTooLarge(DomainError):
    """No event is that long."""

    code = "webhook_too_large"
    status: ClassVar[int] = 413
    message = _("This message is too long.")


class WebhookView(APIView):
    """A provider comes without log-in; its signature over the body is the permission."""

    authentication_classes: ClassVar = []
    permission_classes: ClassVar = [AllowAny]

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
