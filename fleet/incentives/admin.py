"""Admin pages of offers to riders: how they are priced, and which there are."""

from __future__ import annotations

from django.contrib import admin

from fleet.incentives.models import IncentiveOffer, IncentivePolicy
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin
from mobility.accounts.states import Role

OPERATORS = frozenset({Role.FLEET_OPERATOR})


@admin.register(IncentivePolicy)
class IncentivePolicyAdmin(ScopedAdmin[IncentivePolicy]):
    """How an operator prices offers; what was offered keeps its price."""

    viewers = OPERATORS
    editors = OPERATORS
    list_display = ("organisation", "enabled", "share_pct", "least_cents", "most_cents")
    list_select_related = ("organisation",)


@admin.register(IncentiveOffer)
class IncentiveOfferAdmin(ReadOnly, ScopedAdmin[IncentiveOffer]):
    """Offers, made by the hour from the same values as the plan."""

    viewers = OPERATORS
    list_display = (
        "made_at",
        "direction",
        "need",
        "vehicle_kind",
        "vehicle",
        "hub",
        "reward_cents",
        "value_cents",
        "van_cents",
        "places",
        "promised",
        "kept",
        "state",
    )
    list_filter = ("state", "direction", "need", "vehicle_kind")
    list_select_related = ("vehicle", "hub")
    date_hierarchy = "made_at"
