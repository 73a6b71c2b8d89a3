"""Streams of periodic values that 2.1 stations opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from charging.stations.models.stations import ChargingStation
from charging.stations.scoping import operated_by

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


class EventStreamQuerySet(models.QuerySet["EventStream"]):
    """Streams by owner."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(operated_by(user, site="station__site"))


class EventStream(models.Model):
    """A monitored variable whose values a station sends by itself; the newest value is kept."""

    station = models.ForeignKey(
        ChargingStation,
        on_delete=models.CASCADE,
        related_name="streams",
        verbose_name=_("station"),
    )
    number = models.PositiveIntegerField(_("number"))
    monitor = models.PositiveIntegerField(_("variable monitor"))
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    values_received = models.PositiveBigIntegerField(_("values received"), default=0)
    last_value = models.CharField(_("last value"), max_length=500, blank=True)
    last_at = models.DateTimeField(_("last value at"), null=True, blank=True)

    objects = EventStreamQuerySet.as_manager()

    class Meta:
        verbose_name = _("event stream")
        verbose_name_plural = _("event streams")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["station", "number"], name="event_stream_once"),
        ]

    def __str__(self) -> str:
        return f"{self.station.identity} {self.number}"
