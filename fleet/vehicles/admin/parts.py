"""What a vehicle's page and list are put together from: filters, and the rows below a vehicle."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import queries
from fleet.vehicles.admin.scope import OPERATORS, READERS
from fleet.vehicles.models import (
    BatteryPlacement,
    Vehicle,
    VehicleBlock,
    VehicleCommand,
    VehicleDocument,
)
from fleet.vehicles.states import BlockReason, CommandState, Equipment
from mobility.accounts.scoped_admin import ReadOnly, ScopedInline
from mobility.core import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class BlockFilter(admin.SimpleListFilter):
    """Vehicles by an active block."""

    title = _("blocked for")
    parameter_name = "block"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        """Every reason."""
        return list(BlockReason.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those blocked for the reason."""
        if self.value() is None:
            return queryset
        blocked = VehicleBlock.objects.active().filter(reason=self.value())
        return queryset.filter(Exists(blocked.filter(vehicle=OuterRef("pk"))))


class PapersFilter(admin.SimpleListFilter):
    """Vehicles that lack a paper which their type asks for, or will soon."""

    title = _("papers")
    parameter_name = "papers"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        """Today, within a week, within thirty days."""
        return [
            ("0", _("missing or on their last day")),
            ("7", _("missing or running out within 7 days")),
            ("30", _("missing or running out within 30 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those to which one of `queries.papers_due` belongs."""
        if self.value() not in {"0", "7", "30"}:
            return queryset
        ahead = datetime.timedelta(days=int(str(self.value())))
        today = clock.service_day(clock.now())
        own = Vehicle.objects.visible_to(request.user)
        due = queries.papers_due(vehicles=own, today=today, last=today + ahead)
        return queryset.filter(pk__in={paper.vehicle_id for paper in due})


class BlockInline(ReadOnly, ScopedInline):
    """A vehicle's blocks, the active ones first."""

    model = VehicleBlock
    viewers = READERS
    ordering = ("-until", "-since")
    fields = ("reason", "since", "until", "placed_by", "lifted_by")


class CommandInline(ReadOnly, ScopedInline):
    """What a vehicle was told lately."""

    model = VehicleCommand
    viewers = READERS
    fields = ("sequence", "kind", "state", "requested_by", "created_at", "finished_at")
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only what still waits: the whole ledger has its own page."""
        waiting = (CommandState.QUEUED, CommandState.SENT, CommandState.ACCEPTED)
        return super().get_queryset(request).filter(state__in=waiting)


class PlacementInline(ReadOnly, ScopedInline):
    """The batteries that are in the vehicle now."""

    model = BatteryPlacement
    viewers = READERS
    fields = ("battery", "slot", "during", "placed_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only what is inside."""
        inside: QuerySet[Any] = super().get_queryset(request).filter(during__upper_inf=True)
        return inside.select_related("battery")


class DocumentInline(ScopedInline):
    """A vehicle's papers."""

    model = VehicleDocument
    viewers = READERS
    editors = OPERATORS
    deletable = True
    ordering = ("kind", "-expires_on")
    fields = ("kind", "number", "valid_from", "expires_on")


class EquipmentFilter(admin.SimpleListFilter):
    """Vehicles by what they carry."""

    title = _("equipment")
    parameter_name = "equipment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        """Every piece."""
        return list(Equipment.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those that carry it."""
        return queryset.filter(equipment__contains=[self.value()]) if self.value() else queryset
