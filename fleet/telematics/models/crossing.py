"""Where a vehicle stands among the zones, the borders it crossed, and the limits it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.telematics import states
from fleet.vehicles.scoping import FleetScoped

if TYPE_CHECKING:
    import datetime


class VehiclePresence(models.Model):
    """What the drain must remember of a vehicle from one batch to the next.

    Written only by the drain, and only when something in it changes; a vehicle that stands still
    costs no write.
    """

    vehicle = models.OneToOneField(
        "fleet.Vehicle",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="presence",
        verbose_name=_("vehicle"),
    )
    at = models.DateTimeField(_("at"))
    # The newest stored point. Later than the latest state where that point was not believed.
    stored_until = models.DateTimeField(null=True)
    # The version of the zones by which the next two were judged; 0 before the first time.
    zones_version = models.BigIntegerField(default=0)
    zones = ArrayField(models.BigIntegerField(), default=list)
    # Zones about which the last point said something else; the next one decides.
    wavering = ArrayField(models.BigIntegerField(), default=list)
    # Outside every service area; None while nobody has looked.
    outside = models.BooleanField(null=True)
    anchor_lon_e7 = models.IntegerField(null=True)
    anchor_lat_e7 = models.IntegerField(null=True)
    # Of the last three fixes, which were away from the anchor: bit 0 is the newest.
    away = models.SmallIntegerField(default=0)
    # Since when it stands where it was moved to.
    rest_lon_e7 = models.IntegerField(null=True)
    rest_lat_e7 = models.IntegerField(null=True)
    rest_since = models.DateTimeField(null=True)
    tilts = models.SmallIntegerField(default=0)
    fast_since = models.DateTimeField(null=True)
    slow_since = models.DateTimeField(null=True)
    # The last fix that was too far away to be believed; a second one that agrees is.
    doubt_at = models.DateTimeField(null=True)
    doubt_lon_e7 = models.IntegerField(null=True)
    doubt_lat_e7 = models.IntegerField(null=True)

    objects = FleetScoped["VehiclePresence"].as_manager()

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presences")

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.at:%Y-%m-%d %H:%M:%S}"


class ZoneCrossing(models.Model):
    """A vehicle met the border of a zone. Never altered; the same crossing stands here once.

    Without foreign keys in the database: rows come in batches of thousands, from ids just read.
    """

    vehicle = models.ForeignKey(
        "fleet.Vehicle",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="crossings",
        verbose_name=_("vehicle"),
    )
    zone = models.ForeignKey(
        "fleet.Zone",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="crossings",
        verbose_name=_("zone"),
    )
    zones_version = models.BigIntegerField()
    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("kind"), max_length=8, choices=states.CrossingKind.choices)
    lon_e7 = models.IntegerField()
    lat_e7 = models.IntegerField()
    speed_cms = models.SmallIntegerField(_("speed (cm/s)"))
    on_trip = models.BooleanField(_("on a trip"))

    objects = FleetScoped["ZoneCrossing"].as_manager()

    class Meta:
        verbose_name = _("zone crossing")
        verbose_name_plural = _("zone crossings")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("vehicle", "at", "zone", "kind"),
                name="fleet_crossing_once",
            ),
        )
        indexes = (models.Index(fields=("zone", "at"), name="fleet_crossing_zone_at"),)

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.kind} {self.zone_id}"


class SpeedLimitOrderQuerySet(FleetScoped["SpeedLimitOrder"]):
    """Orders by whether they are in force."""

    def in_force(self) -> SpeedLimitOrderQuerySet:
        return self.filter(released_at=None)

    def during(
        self, *, start: datetime.datetime, end: datetime.datetime
    ) -> SpeedLimitOrderQuerySet:
        """Those in force at any moment of a span."""
        return self.filter(Q(released_at=None) | Q(released_at__gt=start), ordered_at__lt=end)


class SpeedLimitOrder(models.Model):
    """The proof that a vehicle on a trip was told a zone's speed limit, and that it obeyed."""

    vehicle = models.ForeignKey(
        "fleet.Vehicle",
        on_delete=models.PROTECT,
        related_name="speed_orders",
        verbose_name=_("vehicle"),
    )
    zone = models.ForeignKey(
        "fleet.Zone",
        on_delete=models.PROTECT,
        related_name="speed_orders",
        verbose_name=_("zone"),
    )
    zones_version = models.BigIntegerField(_("version of the zones"))
    limit_kmh = models.PositiveSmallIntegerField(_("speed limit (km/h)"))
    ordered_at = models.DateTimeField(_("ordered"))
    command = models.ForeignKey(
        "fleet.VehicleCommand",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("command"),
        null=True,
    )
    # How the command ended (`unsupported`: this type knows none), and since when it is kept.
    outcome = models.CharField(_("outcome"), max_length=16, blank=True)
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)
    released_at = models.DateTimeField(_("released"), null=True, blank=True)

    objects = SpeedLimitOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("speed limit order")
        verbose_name_plural = _("speed limit orders")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("vehicle",),
                condition=Q(released_at=None),
                name="fleet_one_speed_order",
            ),
        )
        indexes = (models.Index(fields=("vehicle", "ordered_at"), name="fleet_speed_vehicle_at"),)

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.limit_kmh} km/h"
