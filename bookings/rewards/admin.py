"""Admin pages of rewards: what may be spent, what a day came to, who was promised what."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bookings.rewards import services
from bookings.rewards.models import RewardBudget, RewardClaim, RewardDay
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.money import format_money

OPERATORS = frozenset({Role.FLEET_OPERATOR})


@admin.register(RewardBudget)
class RewardBudgetAdmin(ScopedAdmin[RewardBudget]):
    """What an operator may spend a day; today's limit follows at once, never below what is gone."""

    viewers = OPERATORS
    editors = OPERATORS
    list_display = ("organisation", "day_cents", "per_person_day", "claim_minutes")
    list_select_related = ("organisation",)

    def save_model(self, request: HttpRequest, obj: RewardBudget, form: Any, change: Any) -> None:
        """Save, and let it hold from now on."""
        super().save_model(request, obj, form, change)
        services.set_todays_budget(budget=obj, at=clock.now())


@admin.register(RewardDay)
class RewardDayAdmin(ReadOnly, ScopedAdmin[RewardDay]):
    """Days: the budget beside what was spent, and what it brought beside what a van would cost."""

    viewers = OPERATORS
    list_display = (
        "on",
        "organisation",
        "budget_cents",
        "promised_cents",
        "spent_cents",
        "offers",
        "granted",
        "trips",
        "saved",
    )
    list_select_related = ("organisation",)
    date_hierarchy = "on"
    exclude = ("score",)
    readonly_fields = ("offers", "granted", "trips", "saved", "value")

    @admin.display(description=_("offers made"))
    def offers(self, day: RewardDay) -> str:
        """How many, with how many places."""
        score = day.score
        return "–" if score is None else f"{score['offers']} ({score['places']})"

    @admin.display(description=_("accepted, granted"))
    def granted(self, day: RewardDay) -> str:
        """How many of the accepted ones were earned."""
        score = day.score
        return "–" if score is None else f"{score['accepted']}, {score['granted']}"

    @admin.display(description=_("trips expected, ridden off after"))
    def trips(self, day: RewardDay) -> str:
        """What was expected, and how many of the vehicles were ridden off: at most so many more."""
        score = day.score
        return "–" if score is None else f"{score['trips_expected']}, {score['rides_after']}"

    @admin.display(description=_("value"))
    def value(self, day: RewardDay) -> str:
        """What the granted ones were worth by the plan's values."""
        return "–" if day.score is None else format_money(day.score["value_cents"])

    @admin.display(description=_("cheaper than vans by"))
    def saved(self, day: RewardDay) -> str:
        """What vans would have cost, less what was given."""
        return "–" if day.score is None else format_money(day.score["saved_cents"])


@admin.register(RewardClaim)
class RewardClaimAdmin(ReadOnly, ScopedAdmin[RewardClaim]):
    """Promised rewards."""

    viewers = OPERATORS
    list_display = (
        "promised_at",
        "user",
        "state",
        "reward_cents",
        "granted_cents",
        "offer",
        "release_reason",
    )
    list_filter = ("state", "release_reason")
    list_select_related = ("user", "offer")
    search_fields = ("user__email",)
    date_hierarchy = "promised_at"
