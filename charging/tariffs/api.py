"""Public doors of charging: where one can charge, and what it costs. No sign-in needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from charging.stations import queries as stations
from charging.stations.models import Site
from charging.tariffs.queries import versions_for_connectors
from charging.tariffs.wire import NearQuery, SiteOut, connectors_of, site_data
from mobility.core import clock
from mobility.core.api import ReadView


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


def _shown(sites: Sequence[Site]) -> list[dict[str, Any]]:
    at = clock.now()
    ids = [connector.pk for connector in connectors_of(sites)]
    versions = versions_for_connectors(connector_ids=ids, at=at)
    held = stations.held_connectors(connector_ids=ids, at=at)
    shown = [site_data(site, versions=versions, held=held, at=at) for site in sites]
    return [dict(row) for row in SiteOut(shown, many=True).data]
