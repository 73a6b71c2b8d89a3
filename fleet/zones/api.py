"""The door of zones: the public map of rules."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from fleet.zones import queries
from mobility.core import clock
from mobility.core.api import ReadView


class ZonesView(ReadView):
    """GET /api/v1/zones"""

    permission_classes = [AllowAny]

    @extend_schema(
        parameters=[OpenApiParameter("city", str, description="Slug of a city.")],
        responses={(200, "application/geo+json"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> Response:
        """Service areas, bays, slow, no-ride and no-parking zones valid now, as GeoJSON."""
        features = queries.zone_features(
            at=clock.now(),
            city_slug=request.query_params.get("city"),
        )
        response = Response(features, content_type="application/geo+json")
        response["Cache-Control"] = "public, max-age=60"
        return response
