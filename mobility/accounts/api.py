"""Doors of accounts: sign in for a token, see oneself."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle

from mobility.accounts import services
from mobility.accounts.permissions import signed_in
from mobility.core import clock
from mobility.core.api import ReadView, WriteView
from mobility.core.texts import pick


class SignInSerializer(serializers.Serializer[Any]):
    """E-mail address and password."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False)


class TokenSerializer(serializers.Serializer[Any]):
    """A token, shown this once."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)


class RoleSerializer(serializers.Serializer[Any]):
    """A role in an organisation."""

    organisation = serializers.CharField()
    organisation_name = serializers.CharField()
    role = serializers.CharField()


class MeSerializer(serializers.Serializer[Any]):
    """The person behind the request."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    language = serializers.CharField()
    roles = RoleSerializer(many=True)


class SignInView(WriteView):
    """POST /api/v1/auth/token"""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "sign-in"

    @extend_schema(request=SignInSerializer, responses={201: TokenSerializer})
    def post(self, request: Request) -> Response:
        """Sign in with e-mail and password; the answer carries a token for `Authorization: Bearer`."""
        form = SignInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        token, secret = services.sign_in(**form.validated_data, at=clock.now())
        return Response(
            {"token": secret, "expires_at": token.expires_at}, status=status.HTTP_201_CREATED
        )


class MeView(ReadView):
    """GET /api/v1/me"""

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """The person behind the request, with their roles."""
        user = signed_in(request)
        memberships = user.memberships.select_related("organisation").order_by(
            "organisation__slug", "role"
        )
        return Response(
            {
                "id": user.public_id,
                "email": user.email,
                "name": user.name,
                "language": user.language,
                "roles": [
                    {
                        "organisation": membership.organisation.slug,
                        "organisation_name": pick(membership.organisation.name),
                        "role": membership.role,
                    }
                    for membership in memberships
                ],
            }
        )
