"""Door of the live maps: a short signed token for the stream."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from mobility.core import clock
from mobility.core.api import ReadView
from mobility.core.errors import Forbidden
from mobility.live import audience, queries
from mobility.live.audience import Audience


class NotStaff(Forbidden):
    """The staff's map is for people with a role."""

    code = "not_staff"
    message = _("The staff map is for people who work here. Please log in with your staff account.")


class AudienceSerializer(serializers.Serializer[Any]):
    """Which map is asked for."""

    audience = serializers.ChoiceField(choices=["public", "staff"], default="public")


class LiveTokenSerializer(serializers.Serializer[Any]):
    """Where the stream is, and until when a new connection may use this address."""

    url = serializers.URLField()
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()


class LiveTokenView(ReadView):
    """GET /api/v1/live-token"""

    permission_classes = [AllowAny]

    @extend_schema(
        parameters=[OpenApiParameter("audience", enum=["public", "staff"], default="public")],
        responses=LiveTokenSerializer,
    )
    def get(self, request: Request) -> Response:
        """A token for the live map: `public` for everybody, `staff` for people with a role."""
        form = AudienceSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        at = clock.now()
        token = audience.sign(_audience(request, form.validated_data["audience"]), at=at)
        body = {
            "url": f"{settings.LIVE_URL}/live/map?{urlencode({'token': token})}",
            "token": token,
            "expires_at": at + audience.LIFETIME,
        }
        return Response(body, headers={"Cache-Control": "no-store"})


def _audience(request: Request, wanted: str) -> Audience:
    if wanted == "public":
        return Audience.public()
    if not (request.user.is_authenticated and request.user.is_staff):
        raise NotStaff
    return queries.audience_of(request.user)
