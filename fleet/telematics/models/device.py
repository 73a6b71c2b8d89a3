"""Devices, and which vehicle they speak for during which time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.telematics.states import Protocol
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
    protocol = models.CharField(
        _("protocol"),
        max_length=16,
        choices=Protocol.choices,
        default=Protocol.HTTP,
    )
    # Which of the adapter's profiles says what its readings and commands mean.
    model = models.CharField(_("model"), max_length=40, blank=True)
    imei = models.CharField(_("IMEI"), max_length=15, null=True, blank=True, unique=True)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    # As the MQTT broker's password file wants it.
    broker_hash = models.CharField(max_length=160, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ("serial",)
        constraints = (
            models.CheckConstraint(
                condition=~Q(protocol=Protocol.TELTONIKA) | Q(imei__isnull=False),
                name="fleet_device_teltonika_has_imei",
            ),
        )

    def __str__(self) -> str:
        return self.serial


class IntegrationQuerySet(FleetScoped["Integration"]):
    """Integrations of an operator."""

    staff_paths: ClassVar = ("organisation",)
    city_path = ""


class Integration(models.Model):
    """An operator's own backend that speaks for its vehicles, and for no other operator's."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="integrations",
        verbose_name=_("organisation"),
    )
    name = models.CharField(_("name"), max_length=80)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = IntegrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("integration")
        verbose_name_plural = _("integrations")
        ordering = ("organisation", "name")

    def __str__(self) -> str:
        return self.name


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
