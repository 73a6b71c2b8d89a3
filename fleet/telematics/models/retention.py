"""Points of closed days, what became of them later, and the books of every removal."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fleet.telematics.states import RetentionKind


class PointChunk(models.Model):
    """Points of one vehicle from one hour on, packed (see `chunks.py`).

    The table is made by hand in the migration (a partition for each month, dropped whole). `hour`
    counts hours since 1970; the box and the seconds are for finding without unpacking.
    """

    pk = models.CompositePrimaryKey("vehicle_id", "hour")
    vehicle_id = models.BigIntegerField()
    hour = models.IntegerField()
    count = models.IntegerField()
    west_e7 = models.IntegerField()
    south_e7 = models.IntegerField()
    east_e7 = models.IntegerField()
    north_e7 = models.IntegerField()
    first_s = models.IntegerField()
    last_s = models.IntegerField()
    payload = models.BinaryField()

    class Meta:
        managed = False
        db_table = "fleet_pointchunk"

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.hour}"


class CellCount(models.Model):
    """What one kind of vehicle did in one cell during a quarter of an hour; nobody's way is in it.

    Kept when the points are gone. `cell` is an H3 cell of resolution 8.
    """

    at = models.DateTimeField(_("from"))
    kind = models.CharField(_("kind"), max_length=16)
    cell = models.BigIntegerField(_("cell"))
    points = models.IntegerField(_("points"))
    vehicle_s = models.IntegerField(_("vehicle seconds"))
    starts = models.IntegerField(_("trips started"))
    ends = models.IntegerField(_("trips ended"))
    distance_m = models.IntegerField(_("distance of the trips started (m)"))

    class Meta:
        verbose_name = _("cell count")
        verbose_name_plural = _("cell counts")
        constraints = (
            models.UniqueConstraint(fields=("at", "kind", "cell"), name="fleet_cellcount_once"),
        )

    def __str__(self) -> str:
        return f"{self.cell:x} {self.kind} {self.at:%Y-%m-%d %H:%M}"


class RetentionRun(models.Model):
    """One thing that was removed or packed away: what it was, and the counts that allowed it."""

    kind = models.CharField(_("kind"), max_length=16, choices=RetentionKind.choices)
    # The day, month or moment it was about: "2026-05-04", "2026-05", "2026-05-04T12:00:00+00:00".
    subject = models.CharField(_("subject"), max_length=40)
    at = models.DateTimeField(_("at"))
    counted = models.BigIntegerField(_("counted"))
    verified = models.BigIntegerField(_("verified"))
    removed = models.BigIntegerField(_("removed"))
    bytes_before = models.BigIntegerField(_("bytes before"), default=0)
    bytes_after = models.BigIntegerField(_("bytes after"), default=0)

    class Meta:
        verbose_name = _("retention run")
        verbose_name_plural = _("retention runs")
        ordering = ("-id",)
        indexes = (models.Index(fields=("kind", "subject"), name="fleet_retention_subject"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(removed__lte=F("verified")) & Q(verified__lte=F("counted")),
                name="fleet_retention_verified_first",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
