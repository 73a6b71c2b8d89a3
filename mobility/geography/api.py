"""Doors of geography: public facts as GeoJSON."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from mobility.core.api import ReadView
from mobility.geography import queries


class _FeaturesView(ReadView):
    permission_classes = (AllowAny,)

    def answer(self, features: dict[str, Any]) -> Response:
        response = Response(features, content_type="application/geo+json")
        response["Cache-Control"] = "public, max-age=300"
        return response


class DistrictsView(_FeaturesView):
    """GET /api/v1/districts"""

    @extend_schema(responses={(200, "application/geo+json"): OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """The city's districts as a GeoJSON FeatureCollection."""
        return self.answer(queries.district_features())


class HubsView(_FeaturesView):
    """GET /api/v1/hubs"""

    @extend_schema(responses={(200, "application/geo+json"): OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Mobility areas and bike stations as a GeoJSON FeatureCollection."""
        return self.answer(queries.hub_features())
