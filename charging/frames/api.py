"""Doors of operators: what their stations said, and what had to be forgiven."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from charging.frames import queries
from charging.frames.wire import FrameOut, QuirkOut
from charging.sessions.api import own_station
from charging.stations.api import OPERATORS
from mobility.accounts.models import User
from mobility.core.api import ReadView


class StationFramesView(ReadView):
    """GET /api/v1/charging/stations/{id}/frames"""

    permission_classes = [OPERATORS]

    @extend_schema(responses=FrameOut(many=True))
    def get(self, request: Request, public_id: UUID) -> Response:
        """The last 200 frames of a station of one's own, both ways, the newest first."""
        station = own_station(cast("User", request.user), public_id)
        return Response(FrameOut(queries.last_frames(station=station), many=True).data)


class StationQuirksView(ReadView):
    """GET /api/v1/charging/stations/{id}/quirks"""

    permission_classes = [OPERATORS]

    @extend_schema(responses=QuirkOut(many=True))
    def get(self, request: Request, public_id: UUID) -> Response:
        """Where a station of one's own breaks the standard, as far as its make is forgiven."""
        station = own_station(cast("User", request.user), public_id)
        return Response(QuirkOut(queries.quirks_of(station=station), many=True).data)
