"""Admin pages of zones: sets and what is in them; an operator edits its own, the officer the city's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.gis.db.models import MultiPolygonField
from django.contrib.gis.geos import GEOSGeometry
from django.utils.translation import gettext_lazy as _

from fleet.vehicles.scoping import FLEET_STAFF
from fleet.zones.models import Zone
from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.accounts.states import Role

if TYPE_CHECKING:
    from django.http import HttpRequest

EDITORS = frozenset({Role.FLEET_OPERATOR, Role.CITY_OFFICER})


class GeoJsonArea(forms.Textarea):
    """A shape as GeoJSON text: what every map tool exports, and what needs no script of a stranger."""

    def format_value(self, value: Any) -> str:
        """The shape as text; text that was refused stays as it was typed."""
        return value.geojson if isinstance(value, GEOSGeometry) else value or ""


@admin.register(Zone)
class ZoneAdmin(ScopedAdmin[Zone]):
    """Zones."""

    viewers = FLEET_STAFF
    editors = EDITORS
    list_display = ("code", "name", "kind", "zone_set", "position")
    list_filter = ("kind", "zone_set__state")
    list_select_related = ("zone_set",)
    search_fields = ("code", "name")
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        MultiPolygonField: {
            "widget": GeoJsonArea,
            "help_text": _("GeoJSON MultiPolygon in WGS 84, longitude first."),
        },
    }

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may draw zones draws those of the own organisation, not all that are in sight."""
        may_draw = super().has_change_permission(request, obj)
        if not may_draw or obj is None:
            return may_draw
        person: Any = request.user
        return Zone.objects.run_by(person, *EDITORS).filter(pk=obj.pk).exists()
