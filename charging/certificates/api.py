"""Doors of operators: certificates of their stations, passwords, profiles, security events."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from charging.certificates import queries, services
from charging.certificates.models import StationCertificate
from charging.certificates.wire import CertificateOut, ProfileIn, SecurityOut
from charging.sessions.api import own_station
from charging.stations.api import OPERATORS
from charging.stations.services import rotate_password
from charging.stations.wire import CommandOut
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet, WriteView


class CertificateViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/charging/certificates[/{id}], POST …/{id}/revoke"""

    queryset = StationCertificate.objects.select_related("station")
    serializer_class = CertificateOut
    permission_classes = [OPERATORS]

    @extend_schema(request=None, responses=CertificateOut)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, public_id: UUID) -> Response:
        """Let a certificate open nothing any more; a connection it has opened is closed."""
        certificate = self.get_object()
        if not isinstance(certificate, StationCertificate):
            raise Http404
        done = services.revoke_certificate(
            certificate_id=certificate.pk,
            at=clock.now(),
            by=cast("User", request.user).principal,
        )
        return Response(CertificateOut(done).data)


class RevocationsView(ReadView):
    """GET /api/v1/charging/authority/revoked.crl"""

    permission_classes = [AllowAny]
    authentication_classes = ()

    @extend_schema(
        operation_id="charging_revocations",
        responses={(200, "application/pkix-crl"): OpenApiTypes.BINARY},
        auth=[],
    )
    def get(self, request: Request) -> HttpResponse:
        """Which certificates our authority has revoked (RFC 5280, DER, signed), for whoever believes it."""
        newest = queries.newest_revocations()
        if newest is None:
            raise Http404
        reply = HttpResponse(bytes(newest.der), content_type="application/pkix-crl")
        reply["Cache-Control"] = "public, max-age=3600"
        return reply


class StationSecurityView(ReadView):
    """GET /api/v1/charging/stations/{id}/security"""

    permission_classes = [OPERATORS]

    @extend_schema(responses=SecurityOut)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Profile, requests for certificates, certificates held, security events."""
        station = own_station(cast("User", request.user), public_id)
        return Response(SecurityOut(queries.security_of(station=station)).data)


class StationPasswordView(WriteView):
    """POST /api/v1/charging/stations/{id}/password"""

    permission_classes = [OPERATORS]

    @extend_schema(request=None, responses={202: CommandOut})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Give a running station a new password over its own connection; nobody sees it."""
        user = cast("User", request.user)
        station = own_station(user, public_id)
        command = rotate_password(station_id=station.pk, at=clock.now(), by=user.principal)
        return Response(CommandOut(command).data, status=status.HTTP_202_ACCEPTED)


class StationProfileView(WriteView):
    """POST /api/v1/charging/stations/{id}/security-profile"""

    permission_classes = [OPERATORS]

    @extend_schema(request=ProfileIn, responses=SecurityOut)
    def post(self, request: Request, public_id: UUID) -> Response:
        """Let a station rise to a higher security profile; it is told to, and rises when it proves it."""
        wish = ProfileIn(data=request.data)
        wish.is_valid(raise_exception=True)
        user = cast("User", request.user)
        station = services.raise_security_profile(
            station_id=own_station(user, public_id).pk,
            profile=wish.validated_data["profile"],
            at=clock.now(),
            by=user.principal,
        )
        return Response(SecurityOut(queries.security_of(station=station)).data)
