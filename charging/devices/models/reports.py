"""Reports that come in numbered parts."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from charging.devices.models.scope import OfStation
from charging.devices.states import REPORT_MOVES, ReportKind, ReportState
from mobility.core.models import PublicModel


class ReportQuerySet(OfStation["Report"]):
    """Reports by operator and by whether all is here."""

    def waiting(self) -> ReportQuerySet:
        """Asked for, and not all of it came."""
        return self.filter(state__in=[ReportState.ASKED, ReportState.RECEIVING])


class Report(PublicModel):
    """Something a station tells in parts. Parts are put in order by their number.

    `missing` are the numbers that never came, known once the part after them did.
    """

    moves: ClassVar = {"state": REPORT_MOVES}

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="reports",
        verbose_name=_("station"),
    )
    command = models.OneToOneField(
        "charging.StationCommand",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="report",
        verbose_name=_("command"),
    )
    # The number we gave the request; the station's parts carry it.
    number = models.BigIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=12, choices=ReportKind)
    state = models.CharField(
        _("state"), max_length=12, choices=ReportState, default=ReportState.ASKED
    )
    parts_count = models.PositiveIntegerField(_("parts"), default=0)
    size_bytes = models.PositiveIntegerField(_("size (bytes)"), default=0)
    # The number of the final part, once it came.
    last_no = models.IntegerField(_("number of the last part"), null=True, blank=True)
    missing = ArrayField(
        models.IntegerField(), verbose_name=_("missing parts"), default=list, blank=True
    )
    asked_at = models.DateTimeField(_("asked at"))
    heard_at = models.DateTimeField(_("last heard"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("station report")
        verbose_name_plural = _("station reports")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["station", "number"], name="report_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.number}"


class ReportPart(models.Model):
    """One numbered part of a report, as the station sent it."""

    report = models.ForeignKey(
        Report, on_delete=models.CASCADE, related_name="parts", verbose_name=_("report")
    )
    seq_no = models.IntegerField(_("number"))
    last = models.BooleanField(_("last part"), default=False)
    items = models.JSONField(_("content"), default=list)
    # Tells a repeated part of a list without numbers; empty where parts are numbered.
    digest = models.CharField(_("digest"), max_length=32, blank=True)
    at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("part of a report")
        verbose_name_plural = _("parts of a report")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report", "seq_no"], name="report_part_once"),
            models.UniqueConstraint(
                fields=["report", "digest"],
                condition=~models.Q(digest=""),
                name="report_part_told_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.report_id}#{self.seq_no}"
