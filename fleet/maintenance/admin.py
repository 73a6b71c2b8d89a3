"""Admin pages of maintenance: faults, work orders with their costs, service rules, checklists."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from fleet.maintenance import export, services
from fleet.maintenance.models import (
    ChecklistAnswer,
    ChecklistItem,
    ChecklistTemplate,
    FaultReport,
    MaintenanceRule,
    WorkOrder,
    WorkOrderPart,
)
from fleet.maintenance.queries import orders_with_story
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, ScopedInline, act_on_each
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.money import format_money

OPERATORS = frozenset({Role.FLEET_OPERATOR})


class AnswerInline(ReadOnly, ScopedInline):
    """What was found during an order."""

    model = ChecklistAnswer
    viewers = FLEET_STAFF
    fields = ("item", "verdict", "note", "at", "by")


class FaultInline(ReadOnly, ScopedInline):
    """The reports that an order answers."""

    model = FaultReport
    viewers = FLEET_STAFF
    fields = ("case_number", "category", "severity", "text", "state", "at")
    readonly_fields = fields
    show_change_link = True


class PartInline(ScopedInline):
    """The parts of an order, corrected here until the books are closed."""

    model = WorkOrderPart
    viewers = FLEET_STAFF
    editors = OPERATORS
    deletable = True


@admin.register(FaultReport)
class FaultReportAdmin(ReadOnly, ScopedAdmin[FaultReport]):
    """What is said to be wrong."""

    viewers = FLEET_STAFF
    list_display = ("case_number", "vehicle", "category", "severity", "source", "state", "at")
    list_filter = ("state", "severity", "category", "source")
    list_select_related = ("vehicle",)
    search_fields = ("case_number", "vehicle__code")
    actions = ("accept", "dismiss")

    @admin.action(description=_("Accept into a work order"))
    def accept(self, request: HttpRequest, faults: QuerySet[FaultReport]) -> None:
        """Make work of the chosen reports."""
        act_on_each(
            request, faults, lambda row, **who: services.accept_fault(fault_id=row.pk, **who)
        )

    @admin.action(description=_("Dismiss"))
    def dismiss(self, request: HttpRequest, faults: QuerySet[FaultReport]) -> None:
        """Nothing is wrong."""
        act_on_each(
            request, faults, lambda row, **who: services.dismiss_fault(fault_id=row.pk, **who)
        )


class DueFilter(admin.SimpleListFilter):
    """Orders whose time has come."""

    title = _("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        """Now, or not asked."""
        return [("now", _("due or urgent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those that are due."""
        orders: Any = queryset
        due: QuerySet[Any] = orders.due(at=clock.now())
        return due if self.value() == "now" else queryset


@admin.register(WorkOrder)
class WorkOrderAdmin(ScopedAdmin[WorkOrder]):
    """Work on vehicles; operators correct what was written down, states move by the crew pages."""

    viewers = FLEET_STAFF
    editors = OPERATORS
    addable = False
    list_display = (
        "vehicle", "heading", "priority", "state", "assigned_to", "due_at",
        "labour_minutes", "parts_cost", "total_cost", "away",
    )  # fmt: skip
    list_filter = (DueFilter, "state", "priority", "reason", "place")
    list_select_related = ("vehicle", "rule", "assigned_to")
    search_fields = ("vehicle__code", "title")
    fields = (
        "vehicle", "reason", "rule", "title", "priority", "state", "due_at", "assigned_to", "place",
        "hub", "checklist", "opened_at", "started_at", "finished_at", "away", "odometer_m",
        "labour_minutes", "cost_cents", "currency", "parts_cost", "total_cost", "notes",
    )  # fmt: skip
    _typed = frozenset(
        {"title", "priority", "due_at", "hub", "labour_minutes", "cost_cents", "notes"}
    )
    inlines: ClassVar = [FaultInline, PartInline, AnswerInline]
    actions = ("cancel", "export_csv")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With costs, in the same query."""
        orders: Any = super().get_queryset(request)
        costed: QuerySet[Any] = orders.with_cost()
        return costed

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Everything that is not written down afterwards."""
        return [name for name in self.fields if name not in self._typed]

    @admin.display(description=_("work"))
    def heading(self, order: WorkOrder) -> str:
        """What the work is called."""
        return order.heading

    @admin.display(description=_("parts"), ordering="parts_cents")
    def parts_cost(self, order: WorkOrder) -> str:
        """What the parts cost."""
        return format_money(order.parts_cents, order.currency)

    @admin.display(description=_("total cost"), ordering="total_cents")
    def total_cost(self, order: WorkOrder) -> str:
        """Parts and all else."""
        return format_money(order.total_cents, order.currency)

    @admin.display(description=_("away (hours)"))
    def away(self, order: WorkOrder) -> str:
        """How long the vehicle was away because of it."""
        return f"{order.downtime(at=clock.now()).total_seconds() / 3600:.1f}"

    @admin.action(description=_("Cancel"), permissions=["change"])
    def cancel(self, request: HttpRequest, orders: QuerySet[WorkOrder]) -> None:
        """Give the chosen orders up."""
        act_on_each(
            request, orders, lambda row, **who: services.cancel_order(order_id=row.pk, **who)
        )

    @admin.action(description=_("Export as CSV"))
    def export_csv(self, request: HttpRequest, orders: QuerySet[WorkOrder]) -> HttpResponse:
        """The chosen orders with parts, cost and time away."""
        chosen = WorkOrder.objects.filter(pk__in=orders.values("pk"))
        return export.as_csv(orders_with_story(chosen), at=clock.now())


@admin.register(MaintenanceRule)
class MaintenanceRuleAdmin(ScopedAdmin[MaintenanceRule]):
    """When service is due."""

    viewers = FLEET_STAFF
    editors = OPERATORS
    list_display = (
        "__str__", "vehicle_type", "kind", "every_km", "every_days", "every_rides", "lead_pct",
        "checklist", "active", "organisation",
    )  # fmt: skip
    list_filter = ("active", "kind", "organisation")
    list_select_related = ("vehicle_type", "checklist", "organisation")


class ItemInline(ScopedInline):
    """The items of a checklist."""

    model = ChecklistItem
    viewers = FLEET_STAFF
    editors = OPERATORS
    fields = ("position", "text", "required", "category", "retired")


@admin.register(ChecklistTemplate)
class ChecklistTemplateAdmin(ScopedAdmin[ChecklistTemplate]):
    """What has to be looked at."""

    viewers = FLEET_STAFF
    editors = OPERATORS
    list_display = ("__str__", "gate_kind", "organisation")
    list_select_related = ("organisation",)
    inlines: ClassVar = [ItemInline]
