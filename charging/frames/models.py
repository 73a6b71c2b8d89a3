"""What went over the wire, and where stations are known to break the standard."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from charging.frames.states import Direction, Quirk
from charging.stations.models import ChargingStation
from charging.stations.scoping import operated_by
from mobility.accounts.states import Role

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


class StationFrameQuerySet(models.QuerySet["StationFrame"]):
    """Frames by owner."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(operated_by(user, site="station__site"))


class StationFrame(models.Model):
    """One OCPP frame as it went over the wire, secrets masked; kept for a few days.

    The table is made by hand in the migration: a partition for each day, written only by COPY.
    `id` counts in the order of writing.
    """

    id = models.BigAutoField(primary_key=True)
    station = models.ForeignKey(
        ChargingStation,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("station"),
    )
    at = models.DateTimeField(_("at"))
    direction = models.CharField(_("direction"), max_length=3, choices=Direction)
    epoch = models.BigIntegerField(_("connection number"))
    version = models.CharField(_("OCPP version"), max_length=12)
    kind = models.SmallIntegerField(_("message type"))
    message_id = models.CharField(_("message id"), max_length=64)
    action = models.CharField(_("action"), max_length=50)
    body = models.TextField(_("content"))
    size = models.IntegerField(_("size (bytes)"))

    objects = StationFrameQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "charging_stationframe"
        verbose_name = _("frame")
        verbose_name_plural = _("frames")

    def __str__(self) -> str:
        return f"{self.direction} {self.action} {self.message_id}"


class QuirkProfileQuerySet(models.QuerySet["QuirkProfile"]):
    """Profiles are about makes of hardware, not about anybody's stations."""

    def visible_to(self, user: Person) -> Self:
        """Whoever runs chargers reads them; only the house edits them."""
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        known = user.is_superuser or user.has_role(Role.CHARGE_POINT_OPERATOR)
        return self if known else self.none()


class QuirkProfile(models.Model):
    """What is forgiven to stations of one make. Everybody else is read strictly."""

    vendor = models.CharField(_("vendor"), max_length=50, help_text=_("* stands for anything."))
    model = models.CharField(_("model"), max_length=50, default="*")
    firmware = models.CharField(_("firmware"), max_length=50, default="*")
    quirks = ArrayField(
        models.CharField(max_length=30, choices=Quirk),
        verbose_name=_("forgiven"),
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    active = models.BooleanField(_("active"), default=True)

    objects = QuirkProfileQuerySet.as_manager()

    class Meta:
        verbose_name = _("leniency profile")
        verbose_name_plural = _("leniency profiles")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["vendor", "model", "firmware"],
                name="quirk_profile_per_make",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} {self.model} {self.firmware}"


class QuirkCountQuerySet(models.QuerySet["QuirkCount"]):
    """Counts by owner."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(operated_by(user, site="station__site"))


class QuirkCount(models.Model):
    """How often one station needed one kind of leniency."""

    station = models.ForeignKey(
        ChargingStation,
        on_delete=models.CASCADE,
        related_name="quirk_counts",
        verbose_name=_("station"),
    )
    quirk = models.CharField(_("forgiven"), max_length=30, choices=Quirk)
    times = models.PositiveBigIntegerField(_("times"), default=0)
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))
    example = models.CharField(_("example"), max_length=120, blank=True)

    objects = QuirkCountQuerySet.as_manager()

    class Meta:
        verbose_name = _("leniency used")
        verbose_name_plural = _("leniencies used")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["station", "quirk"], name="quirk_count_once"),
        ]

    def __str__(self) -> str:
        return f"{self.station.identity}: {self.quirk} × {self.times}"
