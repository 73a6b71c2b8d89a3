"""Admin pages of sites, commands and refused handshakes; the station's own page is in sessions."""

from __future__ import annotations

from typing import cast

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from charging.stations.forms import SiteForm
from charging.stations.models import Connector, RefusedHandshake, Site, StationCommand
from charging.stations.scoping import operates
from mobility.accounts.models import User
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin
from mobility.accounts.states import Role

OPERATORS = frozenset({Role.CHARGE_POINT_OPERATOR})
WATCHERS = frozenset({Role.CHARGE_POINT_OPERATOR, Role.CITY_OFFICER})


@admin.register(Site)
class SiteAdmin(ScopedAdmin[Site]):
    """Where an operator's stations stand."""

    viewers = WATCHERS
    editors = OPERATORS
    list_display = ("__str__", "organisation", "city", "address", "grid_limit_w")
    list_select_related = ("organisation", "city")
    search_fields = ("name", "address")
    form = SiteForm

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Its operator only: who also sees it as officer of the city has no hand in it."""
        if not super().has_change_permission(request, obj):
            return False
        if not isinstance(obj, Site):
            return True
        return operates(cast("User", request.user), organisation_id=obj.organisation_id)


@admin.register(Connector)
class ConnectorAdmin(ReadOnly, ScopedAdmin[Connector]):
    """Every plug and what its station says of it; forms look for one here by the station's identity."""

    viewers = WATCHERS
    list_display = ("__str__", "standard", "power_type", "max_power_w", "status", "status_at")
    list_filter = ("status", "standard", "power_type")
    search_fields = ("evse__station__identity",)
    ordering = ("evse__station__identity", "evse__number", "number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connector]:
        """With the station that their names begin with."""
        return super().get_queryset(request).select_related("evse__station")


@admin.register(StationCommand)
class StationCommandAdmin(ReadOnly, ScopedAdmin[StationCommand]):
    """What was asked of stations and what became of it."""

    viewers = OPERATORS
    list_display = ("queued_at", "station", "action", "state", "by", "finished_at")
    list_filter = ("state", "action")
    list_select_related = ("station",)
    search_fields = ("station__identity",)
    ordering = ("-id",)


@admin.register(RefusedHandshake)
class RefusedHandshakeAdmin(ReadOnly, ScopedAdmin[RefusedHandshake]):
    """Why a charger stays dark."""

    viewers = OPERATORS
    list_display = ("at", "identity", "reason", "detail", "remote", "path")
    list_filter = ("reason",)
    search_fields = ("identity",)
    ordering = ("-id",)
