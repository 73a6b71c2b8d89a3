"""Doors of the live map's script: saved views, deeds for many vehicles, the forecast by district."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from fleet.vehicles.services import BULK_CAP
from mobility.accounts.permissions import HasRole, signed_in
from mobility.accounts.states import STAFF_ROLES
from mobility.core import clock, ids
from mobility.core.api import KEY_HEADER, ReadView, WriteView
from mobility.core.errors import Conflict
from mobility.desk.context import FLEET
from mobility.desk.livemap import bulk, demand
from mobility.desk.livemap.bulk import Deed
from mobility.desk.models import SavedView

MOST_VIEWS = 30
LAYERS = ("battery", "zones", "demand", "sites")
LOOKS = ("rentable", "busy", "blocked", "silent", "away")
KINDS = ("scooter", "bicycle", "car")


class TooManyViews(Conflict):
    """So many that nobody finds one again."""

    code = "too_many_views"
    message = _("You keep %(most)s views already. Delete one first.")


class FiltersSerializer(serializers.Serializer[Any]):
    """What is asked for on the map, and which layers lie on it."""

    kind = serializers.ChoiceField(choices=KINDS, required=False, allow_blank=True)
    look = serializers.ChoiceField(choices=LOOKS, required=False, allow_blank=True)
    code = serializers.CharField(max_length=16, required=False, allow_blank=True)
    silent_min = serializers.IntegerField(min_value=1, max_value=10_080, required=False)
    battery_below = serializers.IntegerField(min_value=1, max_value=100, required=False)
    block = serializers.CharField(max_length=20, required=False, allow_blank=True)
    layers = serializers.ListField(
        child=serializers.ChoiceField(choices=LAYERS), required=False, max_length=len(LAYERS)
    )


class SavedViewSerializer(serializers.ModelSerializer[SavedView]):
    """A named way to look at the map."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    name = serializers.CharField(max_length=60)
    filters = FiltersSerializer()

    class Meta:
        model = SavedView
        fields = ("id", "name", "filters")


class SavedViewsSerializer(serializers.Serializer[Any]):
    """All of one's own."""

    results = SavedViewSerializer(many=True)


class BulkSerializer(serializers.Serializer[Any]):
    """A deed, and the vehicles by their codes."""

    deed = serializers.ChoiceField(choices=[one.value for one in Deed])
    vehicles = serializers.ListField(
        child=serializers.CharField(max_length=16), min_length=1, max_length=BULK_CAP
    )
    reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class BulkLineSerializer(serializers.Serializer[Any]):
    """One vehicle: whether it goes, and why not or what to know."""

    code = serializers.CharField()
    ok = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True)
    words = serializers.CharField(allow_blank=True)


class BulkReportSerializer(serializers.Serializer[Any]):
    """How many would take or took it, how many refuse, and each vehicle."""

    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    vehicles = BulkLineSerializer(many=True)


class DistrictDemandSerializer(serializers.Serializer[Any]):
    """Trips expected to begin in a district, by kind of vehicle."""

    code = serializers.CharField()
    name = serializers.CharField()
    trips = serializers.DictField(child=serializers.FloatField())


class ForecastSerializer(serializers.Serializer[Any]):
    """The newest forecast; without a plan there are no districts and no hours."""

    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True)
    districts = DistrictDemandSerializer(many=True)


class SavedViewsView(WriteView):
    """GET, POST /api/v1/desk/views"""

    def get_permissions(self) -> list[BasePermission]:
        """Staff; everybody has their own."""
        return [HasRole(*sorted(STAFF_ROLES))()]

    @extend_schema(responses=SavedViewsSerializer)
    def get(self, request: Request) -> Response:
        """One's own ways to look at the live map."""
        views = SavedView.objects.visible_to(signed_in(request))
        return Response({"results": SavedViewSerializer(views, many=True).data})

    @extend_schema(request=SavedViewSerializer, responses={201: SavedViewSerializer})
    def post(self, request: Request) -> Response:
        """Keep a way to look under a name; one that is there is replaced."""
        wish = SavedViewSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        user, name = signed_in(request), wish.validated_data["name"]
        others = SavedView.objects.visible_to(user).exclude(name=name)
        if others.count() >= MOST_VIEWS:
            raise TooManyViews(most=MOST_VIEWS)
        view, _created = SavedView.objects.update_or_create(
            user=user,
            name=name,
            defaults={"filters": wish.validated_data["filters"]},
            create_defaults={
                "filters": wish.validated_data["filters"],
                "created_at": clock.now(),
            },
        )
        return Response(SavedViewSerializer(view).data, status=status.HTTP_201_CREATED)


class SavedViewView(WriteView):
    """DELETE /api/v1/desk/views/{id}"""

    def get_permissions(self) -> list[BasePermission]:
        """Staff; everybody has their own."""
        return [HasRole(*sorted(STAFF_ROLES))()]

    @extend_schema(responses={204: None})
    def delete(self, request: Request, public_id: str) -> Response:
        """Forget one of one's own ways to look."""
        own = SavedView.objects.visible_to(signed_in(request))
        get_object_or_404(own, public_id=public_id).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class BulkPreviewView(WriteView):
    """POST /api/v1/fleet/bulk/preview"""

    def get_permissions(self) -> list[BasePermission]:
        """Operators and crews."""
        return [HasRole(*FLEET)()]

    @extend_schema(request=BulkSerializer, responses=BulkReportSerializer)
    def post(self, request: Request) -> Response:
        """What a deed would do to each of up to 1,000 vehicles; changes nothing."""
        wish = BulkSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        lines = bulk.preview(
            user=signed_in(request),
            deed=Deed(wish.validated_data["deed"]),
            codes=wish.validated_data["vehicles"],
        )
        return Response(_report(lines))


class BulkView(WriteView):
    """POST /api/v1/fleet/bulk"""

    def get_permissions(self) -> list[BasePermission]:
        """Operators and crews."""
        return [HasRole(*FLEET)()]

    @extend_schema(request=BulkSerializer, responses=BulkReportSerializer)
    def post(self, request: Request) -> Response:
        """Do it to up to 1,000 vehicles; one that refuses does not stop the others."""
        wish = BulkSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        user = signed_in(request)
        given = request.headers.get(KEY_HEADER) or str(ids.uuid7())
        lines = bulk.carry_out(
            user=user,
            deed=Deed(wish.validated_data["deed"]),
            codes=wish.validated_data["vehicles"],
            reason=wish.validated_data["reason"],
            key=f"bulk:{ids.hash_secret(f'{user.principal} {given}')}",
            at=clock.now(),
        )
        return Response(_report(lines))


class ForecastView(ReadView):
    """GET /api/v1/fleet/forecast"""

    def get_permissions(self) -> list[BasePermission]:
        """Operators and crews."""
        return [HasRole(*FLEET)()]

    @extend_schema(responses=ForecastSerializer)
    def get(self, request: Request) -> Response:
        """Trips that the newest plan expects, by district, most first."""
        found = demand.forecast(user=signed_in(request))
        if found is None:
            return Response({"start": None, "end": None, "districts": []})
        return Response(ForecastSerializer(found).data)


def _report(lines: list[bulk.Line]) -> dict[str, Any]:
    body = {
        "done": sum(line.ok for line in lines),
        "refused": sum(not line.ok for line in lines),
        "vehicles": lines,
    }
    return dict(BulkReportSerializer(body).data)
