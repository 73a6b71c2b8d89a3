"""Meter readings: what a meter said at one instant."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.sessions.models.sessions import ChargingSession
from charging.sessions.states import Doubt


class MeterReading(models.Model):
    """What a meter said at one instant; `raw` is the element as sent, signed values included.

    The fingerprint of (connector, instant, content) makes a repeated reading one row.
    """

    id = models.BigAutoField(primary_key=True)
    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("station"),
    )
    connector = models.ForeignKey(
        "charging.Connector",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("connector"),
    )
    session = models.ForeignKey(
        ChargingSession,
        on_delete=models.SET_NULL,
        null=True,
        related_name="readings",
        db_index=False,
        verbose_name=_("session"),
    )
    at = models.DateTimeField(_("at"))
    fingerprint = models.UUIDField(_("fingerprint"))
    context = models.CharField(_("context"), max_length=24, blank=True)
    register_wh = models.BigIntegerField(_("register (Wh)"), null=True)
    power_w = models.IntegerField(_("power (W)"), null=True)
    soc_pct = models.SmallIntegerField(_("vehicle battery (%)"), null=True)
    interval_wh = models.BigIntegerField(_("energy of the interval (Wh)"), null=True)
    current_ma = models.IntegerField(_("current, all phases (mA)"), null=True)
    phases = models.JSONField(_("by phase"), default=dict)
    suspect = models.BooleanField(_("suspect"), default=False)
    doubt = models.CharField(_("doubt"), max_length=10, choices=Doubt, blank=True)
    raw = models.JSONField(_("as sent"), default=dict)

    class Meta:
        verbose_name = _("meter reading")
        verbose_name_plural = _("meter readings")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "fingerprint"],
                name="reading_fingerprint",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["session", "at"],
                name="reading_of_session",
                condition=Q(session__isnull=False),
            ),
            models.Index(
                fields=["connector", "at"],
                name="reading_unattached",
                condition=Q(session__isnull=True),
            ),
            BrinIndex(fields=["at"], name="reading_at_brin"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.register_wh}"
