"""Doors of operators: the codes at their connectors, and sessions that nobody paid."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.recharges import services
from bookings.recharges.models import ConnectorCode, VehicleCharge
from bookings.recharges.queries import unbilled_sessions
from bookings.recharges.stickers import Sticker, render_stickers
from bookings.recharges.wire.cards import (
    CodeIn,
    CodeOut,
    StickersQuery,
    UnbilledOut,
    VehicleChargeOut,
)
from charging.sessions.models import ChargingSession
from charging.stations.api import OPERATORS
from charging.stations.models import Connector
from charging.stations.scoping import operated_by
from mobility.accounts.permissions import HasRole, signed_in
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet

# A sheet of eight a second is what a process may spend on paper.
MOST_STICKERS = 400


class CodesViewSet(ScopedViewSet):
    """Codes at one's own connectors."""

    queryset = ConnectorCode.objects.current().select_related("connector__evse__station")
    serializer_class = CodeOut
    permission_classes = [OPERATORS]

    @extend_schema(responses=CodeOut(many=True))
    def list(self, request: Request) -> Response:
        """The current code of every connector, for printing."""
        page: Any = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=CodeIn, responses={201: CodeOut})
    def replace(self, request: Request, public_id: UUID) -> Response:
        """A new code for a connector; the old one leads there for a week, or ends at once."""
        form = CodeIn(data=request.data)
        form.is_valid(raise_exception=True)
        person, at = signed_in(request), clock.now()
        own = Connector.objects.filter(operated_by(person, site="evse__station__site"))
        connector = get_object_or_404(own.select_related("evse__station"), public_id=public_id)
        code = services.replace_code(
            connector=connector,
            old_until=at if form.validated_data["at_once"] else None,
            at=at,
            by=person.principal,
        )
        return Response(self.get_serializer(code).data, status=status.HTTP_201_CREATED)


class StickersView(ReadView):
    """GET /api/v1/charging/stickers.pdf"""

    permission_classes = [OPERATORS]

    @extend_schema(
        parameters=[StickersQuery],
        responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, "A PDF file.")},
    )
    def get(self, request: Request) -> HttpResponse:
        """Stickers with QR codes for all connectors of one's own, or of one station, eight on a sheet."""
        asked = StickersQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = ConnectorCode.objects.current().visible_to(signed_in(request))
        station = asked.validated_data.get("station")
        if station is not None:
            # A station that was commissioned this minute has no codes yet; beat comes too late.
            services.issue_missing_codes(at=clock.now(), by=signed_in(request).principal)
            wanted = wanted.filter(connector__evse__station__public_id=station)
        codes = wanted.select_related("connector__evse__station").order_by(
            "connector__evse__station__identity", "connector__evse__number"
        )
        paper = render_stickers(
            [
                Sticker(
                    place=f"{code.connector.evse.station.identity} · {code.connector.evse.number}",
                    code=code.code,
                    url=request.build_absolute_uri(f"/charge/{code.code}/"),
                )
                for code in codes[:MOST_STICKERS]
            ]
        )
        return HttpResponse(paper, content_type="application/pdf")


class UnbilledViewSet(ScopedViewSet):
    """Settled sessions with a price and nobody who pays it."""

    queryset = ChargingSession.objects.all()
    serializer_class = UnbilledOut
    permission_classes = [OPERATORS]

    @extend_schema(responses=UnbilledOut(many=True))
    def list(self, request: Request) -> Response:
        """Charges by unknown cards, or after a start that was called off; newest first."""
        page: Any = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(UnbilledOut(page, many=True).data)

    def get_queryset(self) -> QuerySet[Any]:
        """At one's own chargers."""
        return unbilled_sessions(user=signed_in(self.request))


class VehicleChargeViewSet(mixins.ListModelMixin, ScopedViewSet):
    """GET /api/v1/charging/vehicle-charges"""

    queryset = VehicleCharge.objects.select_related("organisation", "operator")
    serializer_class = VehicleChargeOut
    permission_classes = [HasRole(Role.FLEET_OPERATOR, Role.CHARGE_POINT_OPERATOR)]

    def list(self, request: Request) -> Response:
        """What vehicles' own tokens charged, for both sides of the bill, newest first."""
        return super().list(request)
