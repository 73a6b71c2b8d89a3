"""Swappable batteries, and where each of them is or was."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import states
from fleet.vehicles.models.vehicle import Vehicle
from fleet.vehicles.scoping import FleetScoped
from mobility.core.models import PublicModel


class BatteryQuerySet(FleetScoped["Battery"]):
    """Batteries of an operator."""

    staff_paths: ClassVar = ("organisation",)


class Battery(PublicModel):
    """One battery that can be taken out and put into another vehicle."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="batteries",
        verbose_name=_("organisation"),
    )
    serial = models.CharField(_("serial number"), max_length=40)
    capacity_wh = models.PositiveIntegerField(_("capacity (Wh)"))
    cycles = models.PositiveIntegerField(_("cycles"), default=0)
    health_pct = models.PositiveSmallIntegerField(
        _("health (%)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(100)],
    )
    state = models.CharField(
        _("state"),
        max_length=16,
        choices=states.BatteryState.choices,
        default=states.BatteryState.STORAGE,
    )

    moves: ClassVar = {"state": states.BATTERY_MOVES}
    objects = BatteryQuerySet.as_manager()

    class Meta:
        verbose_name = _("battery")
        verbose_name_plural = _("batteries")
        ordering = ("serial",)
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "serial"),
                name="fleet_battery_serial_once",
                violation_error_message=_("There is a battery with this serial number."),
            ),
        )

    def __str__(self) -> str:
        return self.serial


class BatteryPlacementQuerySet(FleetScoped["BatteryPlacement"]):
    """Placements by whether they still hold."""

    staff_paths: ClassVar = ("battery__organisation",)

    def current(self) -> BatteryPlacementQuerySet:
        return self.filter(during__upper_inf=True)


class BatteryPlacement(models.Model):
    """Where a battery is from when until when: a slot of a vehicle, a hub, or on its way."""

    battery = models.ForeignKey(
        Battery,
        on_delete=models.PROTECT,
        related_name="placements",
        verbose_name=_("battery"),
    )
    vehicle = models.ForeignKey(
        Vehicle,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="battery_placements",
        verbose_name=_("vehicle"),
    )
    slot = models.PositiveSmallIntegerField(_("slot"), default=1)
    hub = models.ForeignKey(
        "mobility.Hub",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="battery_placements",
        verbose_name=_("hub"),
    )
    during = DateTimeRangeField(_("during"))
    placed_by = models.CharField(_("placed by"), max_length=100)

    objects = BatteryPlacementQuerySet.as_manager()

    class Meta:
        verbose_name = _("battery placement")
        verbose_name_plural = _("battery placements")
        ordering = ("-id",)
        constraints = (
            ExclusionConstraint(
                name="fleet_battery_in_one_place",
                expressions=(
                    ("battery", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ),
            ),
            ExclusionConstraint(
                name="fleet_one_battery_per_slot",
                expressions=(
                    ("vehicle", RangeOperators.EQUAL),
                    ("slot", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ),
                condition=Q(vehicle__isnull=False),
            ),
            models.CheckConstraint(
                condition=Q(vehicle=None) | Q(hub=None),
                name="fleet_battery_here_or_there",
            ),
        )

    def __str__(self) -> str:
        return f"{self.battery_id} {self.vehicle_id or self.hub_id or '–'}"


class BatterySwap(PublicModel):
    """One exchange of the battery in a slot; the key makes a repeated report the same one."""

    vehicle = models.ForeignKey(
        Vehicle,
        on_delete=models.PROTECT,
        related_name="battery_swaps",
        verbose_name=_("vehicle"),
    )
    slot = models.PositiveSmallIntegerField(_("slot"))
    removed = models.ForeignKey(
        Battery,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("battery taken out"),
    )
    inserted = models.ForeignKey(
        Battery,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("battery put in"),
    )
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=100)
    idempotency_key = models.CharField(max_length=120)

    objects = FleetScoped["BatterySwap"].as_manager()

    class Meta:
        verbose_name = _("battery swap")
        verbose_name_plural = _("battery swaps")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("vehicle", "idempotency_key"),
                name="fleet_swap_key_once",
            ),
        )
        indexes = (models.Index(fields=("vehicle", "at"), name="fleet_swap_vehicle_at"),)

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.removed_id} → {self.inserted_id}"
