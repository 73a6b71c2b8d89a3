"""Devices, and which vehicle they speak for during which time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.utils.translation import gettext_lazy as _

from fleet.vehicles.scoping import FleetScoped

if TYPE_CHECKING:
    import datetime


class DeviceQuerySet(FleetScoped["Device"]):
    """Devices of an operator; the city has no business with them."""

    staff_paths: ClassVar = ("organisation",)
    city_path = ""


class Device(models.Model):
    """The unit that speaks for a vehicle. Units are swapped; the vehicle's history stays."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="devices",
        verbose_name=_("organisation"),
    )
    serial = models.CharField(_("serial"), max_length=40, unique=True)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ("serial",)

    def __str__(self) -> str:
        return self.serial


class DeviceAssignmentQuerySet(FleetScoped["DeviceAssignment"]):
    """Assignments by time."""

    staff_paths: ClassVar = ("device__organisation",)
    city_path = ""

    def valid_at(self, at: datetime.datetime) -> DeviceAssignmentQuerySet:
        return self.filter(during__contains=at)


class DeviceAssignment(models.Model):
    """Which device sits in which vehicle, during which time."""

    device = models.ForeignKey(
        Device,
        on_delete=models.PROTECT,
        related_name="assignments",
        verbose_name=_("device"),
    )
    vehicle = models.ForeignKey(
        "fleet.Vehicle",
        on_delete=models.PROTECT,
        related_name="assignments",
        verbose_name=_("vehicle"),
    )
    during = DateTimeRangeField(_("during"))

    objects = DeviceAssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("device assignment")
        verbose_name_plural = _("device assignments")
        ordering = ("-id",)
        constraints = (
            ExclusionConstraint(
                name="fleet_device_in_one_vehicle",
                expressions=(
                    ("device", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.device_id} in {self.vehicle_id}"
