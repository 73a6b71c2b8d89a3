"""Admin pages of swappable batteries; where one is, is said by those who move it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import services
from fleet.vehicles.admin.scope import OPERATORS, deed
from fleet.vehicles.admin.sheets import employers
from fleet.vehicles.models import Battery, BatteryPlacement, BatterySwap
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, ScopedInline
from mobility.core.errors import DomainError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class PlacesInline(ReadOnly, ScopedInline):
    """Where a battery was, the newest first."""

    model = BatteryPlacement
    viewers = FLEET_STAFF
    fields = ("vehicle", "slot", "hub", "during", "placed_by")


@admin.register(Battery)
class BatteryAdmin(ScopedAdmin[Battery]):
    """Batteries that can be swapped."""

    viewers = FLEET_STAFF
    editors = OPERATORS
    list_display = ("serial", "state", "capacity_wh", "cycles", "health_pct", "organisation")
    list_filter = ("state",)
    list_select_related = ("organisation",)
    search_fields = ("serial",)
    readonly_fields = ("public_id", "state", "cycles")
    inlines: ClassVar = [PlacesInline]
    actions = ("retire", "store", "charge")

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """A battery belongs to an operator that one works for."""
        if db_field.name == "organisation" and request is not None:
            kwargs["queryset"] = employers(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.action(description=_("Retire"), permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Battery]) -> None:
        """Out of use for good."""
        self._each(request, queryset, services.retire_battery)

    @admin.action(description=_("Take out into storage"), permissions=["change"])
    def store(self, request: HttpRequest, queryset: QuerySet[Battery]) -> None:
        """Out of its vehicle or off its charger."""
        self._each(request, queryset, services.place_battery)

    @admin.action(description=_("Put on a charger"), permissions=["change"])
    def charge(self, request: HttpRequest, queryset: QuerySet[Battery]) -> None:
        """Charging, outside any vehicle."""
        self._each(request, queryset, services.place_battery, charging=True)

    def _each(
        self, request: HttpRequest, batteries: QuerySet[Battery], do: Any, **how: Any
    ) -> None:
        """Each on its own; one that cannot does not stop the others."""
        for battery in batteries:
            try:
                do(battery_id=battery.pk, **how, **deed(request))
            except DomainError as refusal:
                self.message_user(request, f"{battery}: {refusal.detail}", messages.WARNING)


@admin.register(BatterySwap)
class BatterySwapAdmin(ReadOnly, ScopedAdmin[BatterySwap]):
    """Exchanges of batteries."""

    viewers = FLEET_STAFF
    list_display = ("vehicle", "slot", "removed", "inserted", "at", "by")
    list_select_related = ("vehicle", "removed", "inserted")
    search_fields = ("vehicle__code", "inserted__serial", "removed__serial")
    date_hierarchy = "at"
