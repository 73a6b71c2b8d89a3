"""Batteries that came into a station's locker, and those that were handed out (OCPP 2.1, block S)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from charging.devices.models.scope import OfStation
from charging.devices.states import SwapEvent
from mobility.core.models import PublicModel


class BatterySwapQuerySet(OfStation["BatterySwap"]):
    """Swaps by operator."""


class BatterySwap(PublicModel):
    """One half of a swap as its station told it; both halves carry the same number."""

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="battery_swaps",
        verbose_name=_("station"),
    )
    number = models.BigIntegerField(_("number"))
    event = models.CharField(_("event"), max_length=20, choices=SwapEvent)
    uid = models.CharField(_("card"), max_length=255)
    # Place, serial number, charge and health of each battery, as the station sent them.
    batteries = models.JSONField(_("batteries"), default=list)
    received_at = models.DateTimeField(_("received at"))

    objects = BatterySwapQuerySet.as_manager()

    class Meta:
        verbose_name = _("battery swap")
        verbose_name_plural = _("battery swaps")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "number", "event", "uid"], name="battery_swap_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.number} {self.event}"
