"""Admin pages of energy: loads of sites, demands, profiles, limits of others."""

from __future__ import annotations

from django.contrib import admin

from charging.energy.models import ChargingLimit, ChargingProfile, EnergyDemand, SiteLoad
from charging.stations.admin import OPERATORS
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin


@admin.register(SiteLoad)
class SiteLoadAdmin(ReadOnly, ScopedAdmin[SiteLoad]):
    """What sites may draw and how it is shared out; set over the API."""

    viewers = OPERATORS
    list_display = ("site", "managed", "limit_a", "planned_at")
    list_filter = ("managed",)
    list_select_related = ("site",)


@admin.register(EnergyDemand)
class EnergyDemandAdmin(ReadOnly, ScopedAdmin[EnergyDemand]):
    """Energy wanted by a time."""

    viewers = OPERATORS
    list_display = ("ready_by", "connector", "energy_wh", "delivered_wh", "priority", "state")
    list_filter = ("state",)
    list_select_related = ("connector__evse__station",)
    ordering = ("-id",)


@admin.register(ChargingProfile)
class ChargingProfileAdmin(ReadOnly, ScopedAdmin[ChargingProfile]):
    """Charging profiles of ours on stations."""

    viewers = OPERATORS
    list_display = ("connector", "purpose", "state", "limit_da", "confirmed_da", "valid_to")
    list_filter = ("purpose", "state")
    list_select_related = ("connector__evse__station",)
    ordering = ("-id",)


@admin.register(ChargingLimit)
class ChargingLimitAdmin(ReadOnly, ScopedAdmin[ChargingLimit]):
    """Limits that others put on stations."""

    viewers = OPERATORS
    list_display = ("since", "station", "evse", "source", "limit_da", "cleared_at")
    list_filter = ("source", "grid_critical")
    list_select_related = ("station",)
    ordering = ("-id",)
