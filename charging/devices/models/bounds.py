"""What did not fit: facts that a station told beyond what is kept of any station."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from charging.devices.models.scope import OfStation
from charging.devices.states import Kept


class OverflowQuerySet(OfStation["Overflow"]):
    """Overflows by operator."""


class Overflow(models.Model):
    """How often something of a station was not kept, because the station has told too much of it."""

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="overflows",
        verbose_name=_("station"),
    )
    kind = models.CharField(_("what"), max_length=20, choices=Kept)
    times = models.PositiveBigIntegerField(_("times"), default=0)
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))

    objects = OverflowQuerySet.as_manager()

    class Meta:
        verbose_name = _("overflow")
        verbose_name_plural = _("overflows")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["station", "kind"], name="overflow_once"),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}: {self.kind} × {self.times}"
