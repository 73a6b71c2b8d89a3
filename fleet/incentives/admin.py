"""Admin pages of offers to riders: how they are priced, and which there are."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from fleet.incentives.models import IncentiveOffer, IncentivePolicy
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin
from mobility.accounts.states import Role
from mobility.core.money import format_money

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
        "reward",
        "value",
        "van",
        "places",
        "promised",
        "kept",
        "state",
    )
    list_filter = ("state", "direction", "need", "vehicle_kind")
    list_select_related = ("vehicle", "hub")
    date_hierarchy = "made_at"

    @admin.display(description=_("reward"), ordering="reward_cents")
    def reward(self, offer: IncentiveOffer) -> str:
        """What the rider is given."""
        return format_money(offer.reward_cents)

    @admin.display(description=_("value"), ordering="value_cents")
    def value(self, offer: IncentiveOffer) -> str:
        """What the fleet gains on average."""
        return format_money(offer.value_cents)

    @admin.display(description=_("a van would cost"), ordering="van_cents")
    def van(self, offer: IncentiveOffer) -> str:
        """What it would cost by van."""
        return format_money(offer.van_cents)
