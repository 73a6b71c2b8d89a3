"""Points as stored, and reports that were put aside."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from fleet.telematics.states import QuarantineReason
from fleet.vehicles.scoping import FleetScoped


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
    tilted = models.SmallIntegerField()

    class Meta:
        managed = False
        db_table = "fleet_point"

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.at:%Y-%m-%d %H:%M:%S}"


class QuarantinedPointQuerySet(FleetScoped["QuarantinedPoint"]):
    """Reports put aside, of an operator's vehicles and of devices that sat in none."""

    staff_paths: ClassVar = ("vehicle__organisation", "device__organisation")


class QuarantinedPoint(models.Model):
    """A report that cannot be true, or not be placed, kept with its reason for staff to look at.

    `impossible_speed` alone is only a note: that point is stored like every other, and neither
    moves the map nor starts an alarm.
    """

    device = models.ForeignKey(
        "fleet.Device",
        on_delete=models.PROTECT,
        related_name="quarantined_points",
        verbose_name=_("device"),
        null=True,
    )
    vehicle = models.ForeignKey(
        "fleet.Vehicle",
        on_delete=models.PROTECT,
        related_name="quarantined_points",
        verbose_name=_("vehicle"),
        null=True,
    )
    reason = models.CharField(_("reason"), max_length=24, choices=QuarantineReason.choices)
    # As the device said it; a wrong clock may name a moment that no timestamp can hold.
    at_us = models.BigIntegerField(_("device time (µs since 1970)"))
    received_at = models.DateTimeField(_("received"))
    lon_e7 = models.IntegerField()
    lat_e7 = models.IntegerField()

    objects = QuarantinedPointQuerySet.as_manager()

    class Meta:
        verbose_name = _("quarantined point")
        verbose_name_plural = _("quarantined points")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("device", "at_us", "reason"),
                name="fleet_quarantined_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.device_id} {self.reason}"
