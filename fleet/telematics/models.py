"""Devices and their vehicles, the points they report, and how far each log shard is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.telematics.states import QuarantineReason
from fleet.vehicles.models import LatestState
from fleet.vehicles.scoping import FleetScoped

if TYPE_CHECKING:
    import datetime

__all__ = [
    "Device",
    "DeviceAssignment",
    "IngestOffset",
    "LatestState",
    "Point",
    "QuarantinedPoint",
]


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


class Point(models.Model):
    """One report of a vehicle, as stored: partitioned by day, written only by COPY.

    The table is made by hand in the migration (day partitions). Columns are never NULL, because
    rows of one width are built for a whole batch at once; −1 means "not reported".
    """

    pk = models.CompositePrimaryKey("vehicle_id", "at")
    vehicle_id = models.BigIntegerField()
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    lon_e7 = models.IntegerField()
    lat_e7 = models.IntegerField()
    odometer_m = models.IntegerField()
    accuracy_dm = models.SmallIntegerField()
    speed_cms = models.SmallIntegerField()
    heading = models.SmallIntegerField()
    battery_pct = models.SmallIntegerField()
    locked = models.SmallIntegerField()

    class Meta:
        managed = False
        db_table = "fleet_point"

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.at:%Y-%m-%d %H:%M:%S}"


class QuarantinedPoint(models.Model):
    """A report that cannot be true, kept aside with its reason for staff to look at."""

    vehicle = models.ForeignKey(
        "fleet.Vehicle",
        on_delete=models.PROTECT,
        related_name="quarantined_points",
        verbose_name=_("vehicle"),
    )
    reason = models.CharField(_("reason"), max_length=24, choices=QuarantineReason.choices)
    # As the device said it; a wrong clock may name a moment that no timestamp can hold.
    at_us = models.BigIntegerField(_("device time (µs since 1970)"))
    received_at = models.DateTimeField(_("received"))
    lon_e7 = models.IntegerField()
    lat_e7 = models.IntegerField()

    objects = FleetScoped["QuarantinedPoint"].as_manager()

    class Meta:
        verbose_name = _("quarantined point")
        verbose_name_plural = _("quarantined points")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("vehicle", "at_us", "reason"),
                name="fleet_quarantined_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.reason}"


class IngestOffset(models.Model):
    """The last entry of a log shard that is stored; committed together with its points."""

    shard = models.PositiveSmallIntegerField(primary_key=True)
    last_id = models.CharField(max_length=40)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(last_id=""), name="fleet_offset_is_named"),
        )

    def __str__(self) -> str:
        return f"{self.shard}: {self.last_id}"
