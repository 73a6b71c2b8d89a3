"""Work on a vehicle: why, by whom, with which parts, at which cost, and how long it was away."""

from __future__ import annotations

import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_lazy as _

from fleet.maintenance import states
from fleet.maintenance.models.checklist import ChecklistTemplate
from fleet.maintenance.models.rule import MaintenanceRule
from fleet.vehicles.scoping import FleetScoped
from mobility.core.models import PublicModel
from mobility.core.money import EUR

_OPEN = Q(state__in=("open", "assigned", "in_progress"))


class WorkOrderQuerySet(FleetScoped["WorkOrder"]):
    """Orders by what is left to do, and with what they cost."""

    def open(self) -> WorkOrderQuerySet:
        return self.filter(state__in=states.OPEN_ORDERS)

    def due(self, *, at: datetime.datetime) -> WorkOrderQuerySet:
        """Open ones whose time has come, and all that are urgent."""
        return self.open().filter(Q(due_at__lte=at) | Q(priority=states.Priority.URGENT))

    def with_cost(self) -> WorkOrderQuerySet:
        """With `parts_cents` and `total_cents`, in the same query."""
        parts = (
            WorkOrderPart.objects.filter(order=OuterRef("pk"))
            .order_by()
            .values("order")
            .annotate(cents=Sum(Cast("quantity", models.BigIntegerField()) * F("unit_cost_cents")))
        )
        cents = Coalesce(Subquery(parts.values("cents")), Value(0))
        figures = {"parts_cents": cents, "total_cents": F("cost_cents") + cents}
        return self.annotate(**figures)


class WorkOrder(PublicModel):
    """One piece of work on one vehicle."""

    vehicle = models.ForeignKey(
        "fleet.Vehicle",
        on_delete=models.PROTECT,
        related_name="work_orders",
        verbose_name=_("vehicle"),
    )
    reason = models.CharField(_("reason"), max_length=16, choices=states.OrderReason.choices)
    rule = models.ForeignKey(
        MaintenanceRule,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name=_("maintenance rule"),
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    priority = models.PositiveSmallIntegerField(
        _("priority"), choices=states.Priority.choices, default=states.Priority.NORMAL
    )
    state = models.CharField(
        _("state"),
        max_length=16,
        choices=states.OrderState.choices,
        default=states.OrderState.OPEN,
    )
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("assigned to"),
    )
    checklist = models.ForeignKey(
        ChecklistTemplate,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("checklist"),
    )
    place = models.CharField(
        _("place"), max_length=16, choices=states.Place.choices, default=states.Place.STREET
    )
    hub = models.ForeignKey(
        "mobility.Hub",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("hub"),
    )
    lon = models.FloatField(_("longitude"), null=True, blank=True)
    lat = models.FloatField(_("latitude"), null=True, blank=True)
    opened_at = models.DateTimeField(_("opened"))
    opened_by = models.CharField(_("opened by"), max_length=100)
    # From here the vehicle could not be rented because of this order; the downtime counts from it.
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    finished_by = models.CharField(_("finished by"), max_length=100, blank=True)
    # What the odometer said when the work was done: the baseline of the next service.
    odometer_m = models.IntegerField(_("odometer (m)"), null=True, blank=True)
    labour_minutes = models.PositiveIntegerField(_("labour (minutes)"), default=0)
    cost_cents = models.PositiveIntegerField(_("cost besides parts"), default=0)
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    notes = models.TextField(_("notes"), blank=True)

    moves: ClassVar = {"state": states.ORDER_MOVES}
    objects = WorkOrderQuerySet.as_manager()

    # Loaded by `with_cost()`.
    parts_cents: int
    total_cents: int

    class Meta:
        verbose_name = _("work order")
        verbose_name_plural = _("work orders")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("vehicle", "reason"),
                condition=_OPEN & Q(rule=None),
                name="fleet_one_open_order_per_reason",
            ),
            models.UniqueConstraint(
                fields=("vehicle", "rule"),
                condition=_OPEN & Q(rule__isnull=False),
                name="fleet_one_open_order_per_rule",
            ),
            models.CheckConstraint(
                condition=Q(state="open", assigned_to=None)
                | Q(state="assigned", assigned_to__isnull=False)
                | Q(state="in_progress", started_at__isnull=False)
                | Q(state__in=("done", "cancelled"), finished_at__isnull=False),
                name="fleet_order_state_has_its_facts",
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None)
                | Q(started_at=None)
                | Q(finished_at__gte=F("started_at")),
                name="fleet_order_ends_after_it_began",
            ),
        )
        indexes = (
            models.Index(
                fields=("priority", "due_at"), condition=_OPEN, name="fleet_order_open_first"
            ),
            models.Index(fields=("vehicle", "-finished_at"), name="fleet_order_vehicle_done"),
        )

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.reason}"

    @property
    def heading(self) -> str:
        """What the work is called, in the reader's language."""
        if self.title:
            return self.title
        return str(self.rule) if self.rule is not None else str(self.get_reason_display())

    def downtime(self, *, at: datetime.datetime) -> datetime.timedelta:
        """How long the vehicle was away because of this order, until `at` at most."""
        if self.withdrawn_at is None:
            return datetime.timedelta()
        return max((self.finished_at or at) - self.withdrawn_at, datetime.timedelta())


class WorkOrderPartQuerySet(FleetScoped["WorkOrderPart"]):
    """Parts, seen with their order."""

    staff_paths: ClassVar = ("order__vehicle__organisation",)


class WorkOrderPart(models.Model):
    """Parts used in one order."""

    order = models.ForeignKey(
        WorkOrder, on_delete=models.CASCADE, related_name="parts", verbose_name=_("work order")
    )
    name = models.CharField(_("part"), max_length=120)
    sku = models.CharField(_("article number"), max_length=60, blank=True)
    quantity = models.PositiveSmallIntegerField(_("quantity"), default=1)
    unit_cost_cents = models.PositiveIntegerField(_("cost of one"), default=0)

    objects = WorkOrderPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("part")
        verbose_name_plural = _("parts")
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(condition=Q(quantity__gt=0), name="fleet_part_is_some"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"
