"""The way of each trip, as far as the stored points tell it."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles.scoping import FleetScoped
from mobility.core import geo


class TripTrack(models.Model):
    """Where a trip went and how far, computed from stored points and never from live sums.

    `stale` means that points arrived after the last computation; `settled_at` is when it was first
    computed late enough that no straggler was on its way any more.
    """

    trip_ref = models.CharField(_("trip"), max_length=80, unique=True)
    vehicle = models.ForeignKey(
        "fleet.Vehicle",
        on_delete=models.PROTECT,
        related_name="tracks",
        verbose_name=_("vehicle"),
    )
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    distance_m = models.PositiveIntegerField(_("distance (m)"))
    points = models.PositiveIntegerField(_("points"))
    # Simplified to 5 m: what stays when the points are gone.
    line = models.LineStringField(_("line"), srid=geo.WGS84, null=True, spatial_index=False)
    version = models.PositiveIntegerField(_("version"), default=1)
    computed_at = models.DateTimeField(_("computed"))
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    stale = models.BooleanField(_("points arrived later"), default=False)
    unlinked_at = models.DateTimeField(_("link to the trip cut"), null=True, blank=True)

    objects = FleetScoped["TripTrack"].as_manager()

    class Meta:
        verbose_name = _("trip track")
        verbose_name_plural = _("trip tracks")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("vehicle", "ended_at"), name="fleet_track_vehicle_end"),
            models.Index(fields=("ended_at",), name="fleet_track_end"),
            # The sweep looks only at the few that wait.
            models.Index(
                fields=("id",),
                condition=Q(stale=True) | Q(settled_at=None),
                name="fleet_track_waiting",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_at__gte=F("started_at")),
                name="fleet_track_ends_after_it_began",
            ),
        )

    def __str__(self) -> str:
        return self.trip_ref
