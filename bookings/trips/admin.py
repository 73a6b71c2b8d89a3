"""Admin pages of trips."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bookings.trips import services
from bookings.trips.models import Trip
from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.money import format_money


@admin.register(Trip)
class TripAdmin(ScopedAdmin[Trip]):
    """Trips; to see, and to end for a rider who cannot."""

    viewers = frozenset({Role.FLEET_OPERATOR})
    list_display = (
        "requested_at",
        "vehicle",
        "state",
        "started_at",
        "ended_at",
        "price",
        "flags",
        "user",
    )
    list_filter = ("state",)
    list_select_related = ("vehicle", "user")
    search_fields = ("vehicle__code", "user__email", "public_id")
    date_hierarchy = "requested_at"
    actions = ("end_now",)

    @admin.display(description=_("price"), ordering="price_cents")
    def price(self, trip: Trip) -> str:
        """The final price."""
        return "–" if trip.price_cents is None else format_money(trip.price_cents)

    @admin.action(description=_("End the chosen trips now"), permissions=["view"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[Trip]) -> None:
        """The meters stand now; the locks are tried all the same."""
        user: Any = request.user
        for trip in Trip.objects.with_story().filter(pk__in=queryset):
            try:
                services.force_end(trip=trip, reason="admin", at=clock.now(), by=user.principal)
            except DomainError as problem:
                self.message_user(request, f"{trip}: {problem.detail}", messages.ERROR)
