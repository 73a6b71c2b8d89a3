"""Admin pages of the rows around a vehicle."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import services
from fleet.vehicles.admin.scope import (
    OPERATORS,
    READERS,
    deed,
    editable,
)
from fleet.vehicles.models import (
    ServiceTrip,
    Vehicle,
    VehicleCase,
    VehicleCommand,
    VehicleDocument,
    VehicleEvent,
    VehicleHold,
    VehicleType,
)
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin
from mobility.core import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(VehicleType)
class VehicleTypeAdmin(ScopedAdmin[VehicleType]):
    """Models of vehicles: common to all operators, so that only the platform changes them.

    What one of them asked for in papers or took out of the commands would bind the others' fleets.
    """

    viewers = READERS
    list_display = (
        "code",
        "name",
        "kind",
        "form_factor",
        "max_range_m",
        "max_speed_kmh",
        "battery_wh",
        "swappable",
        "seats",
    )
    list_filter = ("kind", "form_factor")

    def save_model(self, request: Any, obj: VehicleType, form: Any, change: Any) -> None:
        """Papers that are asked for from now on are asked of every vehicle of the type."""
        super().save_model(request, obj, form, change)
        if "required_documents" in form.changed_data:
            ids = list(Vehicle.objects.filter(type=obj).values_list("pk", flat=True))
            services.refresh_document_blocks(at=clock.now(), vehicle_ids=ids)


@admin.register(VehicleCommand)
class VehicleCommandAdmin(ReadOnly, ScopedAdmin[VehicleCommand]):
    """The ledger of commands."""

    viewers = READERS
    list_display = (
        "vehicle",
        "sequence",
        "kind",
        "parameters",
        "state",
        "requested_by",
        "created_at",
    )
    list_filter = ("state", "kind")
    list_select_related = ("vehicle",)
    search_fields = ("vehicle__code",)


@admin.register(VehicleHold)
class VehicleHoldAdmin(ReadOnly, ScopedAdmin[VehicleHold]):
    """Who has or had which vehicle."""

    viewers = FLEET_STAFF
    list_display = ("vehicle", "purpose", "holder_ref", "during", "released_at")
    list_filter = ("purpose", ("released_at", admin.EmptyFieldListFilter))
    list_select_related = ("vehicle",)
    search_fields = ("vehicle__code", "holder_ref")


@admin.register(VehicleEvent)
class VehicleEventAdmin(ReadOnly, ScopedAdmin[VehicleEvent]):
    """The state history."""

    viewers = READERS
    list_display = ("vehicle", "at", "mds_state", "mds_events", "battery_pct", "by")
    list_filter = ("mds_state",)
    list_select_related = ("vehicle",)
    search_fields = ("vehicle__code",)
    date_hierarchy = "at"


@admin.register(ServiceTrip)
class ServiceTripAdmin(ReadOnly, ScopedAdmin[ServiceTrip]):
    """Drives of staff."""

    viewers = FLEET_STAFF
    list_display = (
        "vehicle",
        "reason",
        "ticket_ref",
        "started_at",
        "started_by",
        "ended_at",
        "distance_m",
    )
    list_filter = ("reason", ("ended_at", admin.EmptyFieldListFilter))
    list_select_related = ("vehicle",)
    search_fields = ("vehicle__code", "ticket_ref")
    actions = ("end",)

    @admin.action(description=_("End the drive"))
    def end(self, request: HttpRequest, queryset: QuerySet[ServiceTrip]) -> None:
        """Lock the vehicles and give them back; only those of the fleet one works for."""
        mine = queryset.filter(vehicle__in=editable(request))
        for trip_id in mine.values_list("pk", flat=True):
            services.end_service_trip(service_trip_id=trip_id, **deed(request))


@admin.register(VehicleCase)
class VehicleCaseAdmin(ScopedAdmin[VehicleCase]):
    """Vehicles that went astray; a case opens and closes with the vehicle's life."""

    viewers = FLEET_STAFF
    editors = OPERATORS
    addable = False
    list_display = ("vehicle", "kind", "reference", "opened_at", "seen_at", "closed_at", "outcome")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("vehicle",)
    search_fields = ("vehicle__code", "reference")
    readonly_fields = (
        "public_id",
        "vehicle",
        "kind",
        "opened_at",
        "opened_by",
        "lon",
        "lat",
        "seen_at",
        "closed_at",
        "closed_by",
        "outcome",
    )


class _DueFilter(admin.SimpleListFilter):
    """Papers by how soon they run out; those that another one follows do not."""

    title = _("runs out")
    parameter_name = "due"
    windows: ClassVar[dict[str, tuple[int | None, int]]] = {
        "over": (None, -1),
        "7": (0, 7),
        "30": (0, 30),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        """Over, within a week, within thirty days."""
        return [
            ("over", _("is over")),
            ("7", _("within 7 days")),
            ("30", _("within 30 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those whose last day lies in the window, the city's day of now counted as 0."""
        if self.value() not in self.windows:
            return queryset
        first, last = self.windows[str(self.value())]
        today = clock.service_day(clock.now())
        chosen = queryset.filter(~_renewed(today), expires_on__lte=_days_from(today, last))
        return chosen if first is None else chosen.filter(expires_on__gte=_days_from(today, first))


@admin.register(VehicleDocument)
class VehicleDocumentAdmin(ScopedAdmin[VehicleDocument]):
    """Papers of vehicles."""

    viewers = READERS
    editors = OPERATORS
    deletable = True
    list_display = ("vehicle", "kind", "number", "valid_from", "expires_on")
    list_filter = (_DueFilter, "kind")
    list_select_related = ("vehicle",)
    search_fields = ("vehicle__code", "number")
    autocomplete_fields = ("vehicle",)
    ordering = ("expires_on",)

    def save_model(self, request: Any, obj: VehicleDocument, form: Any, change: Any) -> None:
        """Its vehicle is blocked or freed at once."""
        super().save_model(request, obj, form, change)
        services.refresh_document_blocks(at=deed(request)["at"], vehicle_ids=[obj.vehicle_id])

    def delete_model(self, request: HttpRequest, obj: VehicleDocument) -> None:
        """Likewise when it is taken away."""
        super().delete_model(request, obj)
        services.refresh_document_blocks(at=deed(request)["at"], vehicle_ids=[obj.vehicle_id])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[VehicleDocument]) -> None:
        """Likewise when several are."""
        ids = list(queryset.values_list("vehicle", flat=True))
        super().delete_queryset(request, queryset)
        services.refresh_document_blocks(at=deed(request)["at"], vehicle_ids=ids)


def _renewed(today: datetime.date) -> Exists:
    """Whether a paper of the same kind lasts longer, and is good by now or from the next day on."""
    ends = OuterRef("expires_on")
    good = Q(valid_from__lte=today) | Q(valid_from__lte=ends + datetime.timedelta(days=1))
    longer = Q(expires_on=None) | Q(expires_on__gt=ends)
    others = VehicleDocument.objects.filter(vehicle=OuterRef("vehicle"), kind=OuterRef("kind"))
    return Exists(others.filter(good, longer))


def _days_from(day: datetime.date, days: int) -> datetime.date:
    return day.fromordinal(day.toordinal() + days)
