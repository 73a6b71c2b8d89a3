"""Doors of charging's prices: what it costs, for everybody; an operator's tariffs, for it alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from charging.stations import queries as stations
from charging.stations.api import OPERATORS, own_operator
from charging.stations.models import Site
from charging.tariffs import services
from charging.tariffs.models import Tariff
from charging.tariffs.queries import versions_for_connectors
from charging.tariffs.wire import (
    NearQuery,
    NumberIn,
    SiteOut,
    TariffIn,
    TariffOut,
    VersionIn,
    VersionOut,
    connectors_of,
    site_data,
)
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet


class StationsView(ReadView):
    """GET /api/v1/stations"""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="stations_near",
        parameters=[NearQuery],
        responses=inline_serializer("SitesNear", {"results": SiteOut(many=True)}),
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """Charging places around a point, nearest first, with status and price."""
        near = NearQuery(data=request.query_params)
        near.is_valid(raise_exception=True)
        return Response({"results": _shown(list(stations.sites_near(**near.validated_data)))})


class StationView(ReadView):
    """GET /api/v1/stations/{id}"""

    permission_classes = [AllowAny]

    @extend_schema(responses=SiteOut, auth=[])
    def get(self, request: Request, public_id: UUID) -> Response:
        """One charging place, by its own id or by that of a station there."""
        by_either = Q(public_id=public_id) | Q(stations__public_id=public_id)
        site = stations.public_sites().filter(by_either).first()
        if site is None:
            raise Http404
        return Response(_shown([site])[0])


class TariffViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/charging/tariffs[/{id}]"""

    queryset = Tariff.objects.prefetch_related("versions")
    serializer_class = TariffOut
    permission_classes = [OPERATORS]

    @extend_schema(request=TariffIn, responses={201: TariffOut})
    def create(self, request: Request) -> Response:
        """Name a tariff; what it says is in its versions."""
        asked = TariffIn(data=request.data)
        asked.is_valid(raise_exception=True)
        details = dict(asked.validated_data)
        user = cast("User", request.user)
        operator = own_operator(user, slug=details.pop("organisation", None))
        tariff = services.open_tariff(
            organisation_id=operator.pk, at=clock.now(), by=user.principal, **details
        )
        return Response(TariffOut(tariff).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=VersionIn, responses={201: VersionOut})
    @action(detail=True, methods=["post"])
    def versions(self, request: Request, public_id: UUID) -> Response:
        """Draft a version; nothing is priced by it before it is published."""
        tariff = cast("Tariff", self.get_object())
        asked = VersionIn(data=request.data)
        asked.is_valid(raise_exception=True)
        version = services.draft_version(
            tariff_id=tariff.pk,
            at=clock.now(),
            by=cast("User", request.user).principal,
            **asked.validated_data,
        )
        return Response(VersionOut(version).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=NumberIn, responses=VersionOut)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, public_id: UUID) -> Response:
        """Make a draft the price from its date on; it never changes again."""
        tariff = cast("Tariff", self.get_object())
        asked = NumberIn(data=request.data)
        asked.is_valid(raise_exception=True)
        draft = get_object_or_404(tariff.versions, number=asked.validated_data["number"])
        version = services.publish_version(
            version_id=draft.pk, at=clock.now(), by=cast("User", request.user).principal
        )
        return Response(VersionOut(version).data)


def _shown(sites: Sequence[Site]) -> list[dict[str, Any]]:
    at = clock.now()
    ids = [connector.pk for connector in connectors_of(sites)]
    versions = versions_for_connectors(connector_ids=ids, at=at)
    held = stations.held_connectors(connector_ids=ids, at=at)
    shown = [site_data(site, versions=versions, held=held, at=at) for site in sites]
    return [dict(row) for row in SiteOut(shown, many=True).data]
