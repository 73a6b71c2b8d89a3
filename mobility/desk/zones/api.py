"""Door of the zone editor: what a draft runs into."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from fleet.zones.models import ZoneSet
from mobility.accounts.permissions import HasRole, signed_in
from mobility.core import clock
from mobility.core.api import ReadView
from mobility.desk.zones.conflicts import bodies, conflicts
from mobility.desk.zones.roles import VIEWERS


class ZoneConflictSerializer(serializers.Serializer[Any]):
    """One thing that publishing would change or break, and where."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=["warning", "info"])
    zone = serializers.CharField(allow_blank=True)
    lon = serializers.FloatField(allow_null=True)
    lat = serializers.FloatField(allow_null=True)
    message = serializers.CharField()


class ZoneConflictsSerializer(serializers.Serializer[Any]):
    """All of them, those that need a second look first."""

    conflicts = ZoneConflictSerializer(many=True)


class ZoneConflictsView(ReadView):
    """GET /api/v1/fleet/zone-sets/{id}/conflicts"""

    def get_permissions(self) -> list[BasePermission]:
        """Whoever may look at sets."""
        return [HasRole(*VIEWERS)()]

    @extend_schema(responses=ZoneConflictsSerializer)
    def get(self, request: Request, public_id: str) -> Response:
        """What the zones would change now: against what is published, hubs, and rides under way."""
        sets = ZoneSet.objects.visible_to(signed_in(request)).select_related("city", "organisation")
        zone_set = get_object_or_404(sets, public_id=public_id)
        return Response({"conflicts": bodies(conflicts(zone_set=zone_set, at=clock.now()))})
