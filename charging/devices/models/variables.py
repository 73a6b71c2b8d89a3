"""The device model: what a station says of its parts, what it watches, what it saw."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from charging.devices.models.scope import OfStation
from mobility.core.models import PublicModel


class VariableQuerySet(OfStation["DeviceVariable"]):
    """Variables by operator."""


class DeviceVariable(models.Model):
    """The last value a station gave of one variable, and when.

    The configuration keys of OCPP 1.6 are variables without a component. EVSE and connector 0
    mean the station as a whole.
    """

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="variables",
        verbose_name=_("station"),
    )
    component = models.CharField(_("component"), max_length=50, blank=True)
    component_instance = models.CharField(_("instance of it"), max_length=50, blank=True)
    evse = models.PositiveSmallIntegerField(_("EVSE"), default=0)
    connector = models.PositiveSmallIntegerField(_("connector"), default=0)
    name = models.CharField(_("variable"), max_length=50)
    instance = models.CharField(_("instance"), max_length=50, blank=True)
    attribute = models.CharField(_("attribute"), max_length=6, default="Actual")
    value = models.TextField(_("value"), null=True, blank=True)  # noqa: DJ001 - no value is not an empty one
    mutability = models.CharField(_("mutability"), max_length=9, blank=True)
    characteristics = models.JSONField(_("characteristics"), default=dict, blank=True)
    # What the station said instead of a value: UnknownVariable, Rejected, …
    problem = models.CharField(_("problem"), max_length=30, blank=True)
    at = models.DateTimeField(_("as of"))

    objects = VariableQuerySet.as_manager()

    class Meta:
        verbose_name = _("device variable")
        verbose_name_plural = _("device variables")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "station",
                    "component",
                    "component_instance",
                    "evse",
                    "connector",
                    "name",
                    "instance",
                    "attribute",
                ],
                name="device_variable_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.component}.{self.name}" if self.component else self.name


class MonitorQuerySet(OfStation["VariableMonitor"]):
    """Monitors by operator."""


class VariableMonitor(models.Model):
    """A limit that a station watches; its number is the station's own."""

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="monitors",
        verbose_name=_("station"),
    )
    number = models.BigIntegerField(_("number"))
    component = models.JSONField(_("component"), default=dict)
    variable = models.JSONField(_("variable"), default=dict)
    kind = models.CharField(_("kind"), max_length=30)
    value = models.FloatField(_("value"))
    severity = models.PositiveSmallIntegerField(_("severity"))
    only_in_transaction = models.BooleanField(_("only while charging"), default=False)
    preset = models.CharField(_("set by"), max_length=30, blank=True)
    cleared_at = models.DateTimeField(_("cleared at"), null=True, blank=True)
    at = models.DateTimeField(_("as of"))

    objects = MonitorQuerySet.as_manager()

    class Meta:
        verbose_name = _("variable monitor")
        verbose_name_plural = _("variable monitors")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["station", "number"], name="monitor_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.number}"


class DeviceEventQuerySet(OfStation["DeviceEvent"]):
    """Events by operator."""


class DeviceEvent(PublicModel):
    """Something a station noticed about itself and told us; a repeat is the same row."""

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="device_events",
        verbose_name=_("station"),
    )
    number = models.BigIntegerField(_("number"))
    at = models.DateTimeField(_("at"))
    trigger = models.CharField(_("trigger"), max_length=10)
    component = models.JSONField(_("component"), default=dict)
    variable = models.JSONField(_("variable"), default=dict)
    actual_value = models.TextField(_("value"), blank=True)
    cleared = models.BooleanField(_("over again"), default=False)
    severity = models.PositiveSmallIntegerField(_("severity"), null=True, blank=True)
    monitor_number = models.BigIntegerField(_("monitor"), null=True, blank=True)
    cause = models.BigIntegerField(_("caused by event"), null=True, blank=True)
    notification = models.CharField(_("kind"), max_length=30, blank=True)
    transaction_ref = models.CharField(_("transaction"), max_length=64, blank=True)
    tech_code = models.CharField(_("technical code"), max_length=50, blank=True)
    tech_info = models.CharField(_("technical information"), max_length=500, blank=True)
    received_at = models.DateTimeField(_("received at"))

    objects = DeviceEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("device event")
        verbose_name_plural = _("device events")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["station", "number", "at"], name="device_event_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["station", "-id"], name="device_event_latest")]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.number} {self.at:%Y-%m-%d %H:%M:%S}"
