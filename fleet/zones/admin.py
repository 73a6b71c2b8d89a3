"""Admin pages of zones: an operator draws its own, the city's officer the city's."""

from __future__ import annotations

from django.contrib import admin

from fleet.vehicles.scoping import FLEET_STAFF
from fleet.zones.models import Zone
from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.accounts.states import Role


@admin.register(Zone)
class ZoneAdmin(ScopedAdmin[Zone]):
    """Zones; their shapes come from `manage.py load_city` or GeoJSON text."""

    viewers = FLEET_STAFF
    editors = frozenset({Role.FLEET_OPERATOR, Role.CITY_OFFICER})
    list_display = ("code", "name", "kind", "organisation", "city", "during", "max_speed_kmh")
    list_filter = ("kind", "city", "organisation")
    list_select_related = ("organisation", "city")
    search_fields = ("code", "name")
