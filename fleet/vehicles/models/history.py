"""What a vehicle last said, and the history of its states."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from fleet.vehicles.models.vehicle import Vehicle
from fleet.vehicles.scoping import FleetScoped
from mobility.core.models import PublicModel


class LatestState(models.Model):
    """What the vehicle last said of itself. Only the drain of the telemetry log writes it.

    Integer coordinates and no spatial index on purpose: the row changes with every report, and
    an index on a changing column would cost every update a new index entry.
    """

    vehicle = models.OneToOneField(
        Vehicle,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="latest",
        verbose_name=_("vehicle"),
    )
    at = models.DateTimeField(_("at"))
    received_at = models.DateTimeField(_("received"))
    lon_e7 = models.IntegerField()
    lat_e7 = models.IntegerField()
    accuracy_dm = models.SmallIntegerField(_("accuracy (dm)"), null=True)
    speed_cms = models.SmallIntegerField(_("speed (cm/s)"), null=True)
    heading = models.SmallIntegerField(_("heading (degrees)"), null=True)
    battery_pct = models.SmallIntegerField(_("battery (%)"), null=True)
    odometer_m = models.IntegerField(_("odometer (m)"), null=True)
    locked = models.BooleanField(_("locked"), null=True)

    objects = FleetScoped["LatestState"].as_manager()

    class Meta:
        verbose_name = _("latest state")
        verbose_name_plural = _("latest states")

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def lon(self) -> float:
        return self.lon_e7 / 1e7

    @property
    def lat(self) -> float:
        return self.lat_e7 / 1e7


class VehicleEvent(PublicModel):
    """One change of a vehicle's state, never altered: THE history, for plans, feeds and staff."""

    vehicle = models.ForeignKey(
        Vehicle,
        on_delete=models.PROTECT,
        related_name="events",
        verbose_name=_("vehicle"),
    )
    at = models.DateTimeField(_("at"))
    mds_state = models.CharField(_("state"), max_length=20)
    mds_events = ArrayField(models.CharField(max_length=32), verbose_name=_("events"))
    life_state = models.CharField(_("life"), max_length=16)
    rental_state = models.CharField(_("rental"), max_length=16)
    link_state = models.CharField(_("link"), max_length=16)
    blocks = ArrayField(models.CharField(max_length=24), verbose_name=_("blocks"), default=list)
    outside = models.BooleanField(_("outside the city"), default=False)
    lon = models.FloatField(_("longitude"), null=True)
    lat = models.FloatField(_("latitude"), null=True)
    battery_pct = models.SmallIntegerField(_("battery (%)"), null=True)
    trip_ref = models.CharField(_("trip"), max_length=80, blank=True)
    by = models.CharField(_("by"), max_length=100)

    objects = FleetScoped["VehicleEvent"].as_manager()

    class Meta:
        verbose_name = _("vehicle event")
        verbose_name_plural = _("vehicle events")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("vehicle", "at"), name="fleet_event_vehicle_at"),
            models.Index(fields=("at",), name="fleet_event_at"),
        )

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.mds_state} {self.at:%Y-%m-%d %H:%M:%S}"
