"""Staff driving vehicles, and vehicles that are not where they should be."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import states
from fleet.vehicles.models.hold import VehicleHold
from fleet.vehicles.models.vehicle import Vehicle
from fleet.vehicles.scoping import FleetScoped
from mobility.core.models import PublicModel


class ServiceTripQuerySet(FleetScoped["ServiceTrip"]):
    """Service trips by whether they are over."""

    def running(self) -> ServiceTripQuerySet:
        return self.filter(ended_at=None)


class ServiceTrip(PublicModel):
    """One drive of a member of staff with a vehicle, for a reason."""

    vehicle = models.ForeignKey(
        Vehicle,
        on_delete=models.PROTECT,
        related_name="service_trips",
        verbose_name=_("vehicle"),
    )
    hold = models.OneToOneField(
        VehicleHold,
        on_delete=models.PROTECT,
        related_name="service_trip",
        verbose_name=_("hold"),
    )
    reason = models.CharField(_("reason"), max_length=16, choices=states.ServiceReason.choices)
    # The ticket or work order it belongs to, in the words of whoever keeps those.
    ticket_ref = models.CharField(_("ticket"), max_length=80, blank=True)
    notes = models.CharField(_("notes"), max_length=500, blank=True)
    started_at = models.DateTimeField(_("started"))
    started_by = models.CharField(_("started by"), max_length=100)
    from_lon = models.FloatField(_("from longitude"), null=True)
    from_lat = models.FloatField(_("from latitude"), null=True)
    from_odometer_m = models.IntegerField(_("odometer at the start (m)"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=100, blank=True)
    to_lon = models.FloatField(_("to longitude"), null=True)
    to_lat = models.FloatField(_("to latitude"), null=True)
    to_odometer_m = models.IntegerField(_("odometer at the end (m)"), null=True)

    objects = ServiceTripQuerySet.as_manager()

    class Meta:
        verbose_name = _("service trip")
        verbose_name_plural = _("service trips")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("vehicle",),
                condition=Q(ended_at=None),
                name="fleet_one_service_trip_per_vehicle",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="fleet_service_trip_ends_after_it_began",
            ),
        )
        indexes = (models.Index(fields=("vehicle", "started_at"), name="fleet_service_vehicle_at"),)

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.reason}"

    @property
    def distance_m(self) -> int | None:
        """What the odometer counted, in metres; None while it is not known."""
        if self.from_odometer_m is None or self.to_odometer_m is None:
            return None
        return max(self.to_odometer_m - self.from_odometer_m, 0)


class VehicleCaseQuerySet(FleetScoped["VehicleCase"]):
    """Cases by whether they are closed."""

    def open(self) -> VehicleCaseQuerySet:
        return self.filter(closed_at=None)


class VehicleCase(PublicModel):
    """A vehicle that is missing, stolen or impounded: what is known, and how it ended."""

    vehicle = models.ForeignKey(
        Vehicle,
        on_delete=models.PROTECT,
        related_name="cases",
        verbose_name=_("vehicle"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=states.CaseKind.choices)
    reference = models.CharField(
        _("reference"),
        max_length=80,
        blank=True,
        help_text=_("Number of the police report or of the depot's receipt."),
    )
    notes = models.TextField(_("notes"), max_length=2000, blank=True)
    opened_at = models.DateTimeField(_("opened"))
    opened_by = models.CharField(_("opened by"), max_length=100)
    lon = models.FloatField(_("last longitude"), null=True)
    lat = models.FloatField(_("last latitude"), null=True)
    seen_at = models.DateTimeField(_("last heard"), null=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=100, blank=True)
    outcome = models.CharField(
        _("outcome"),
        max_length=16,
        choices=states.CaseOutcome.choices,
        blank=True,
    )

    objects = VehicleCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("vehicle",),
                condition=Q(closed_at=None),
                name="fleet_one_open_case_per_vehicle",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="")
                | Q(closed_at__isnull=False) & ~Q(outcome=""),
                name="fleet_closed_case_has_outcome",
            ),
        )
        indexes = (models.Index(fields=("vehicle", "opened_at"), name="fleet_case_vehicle_at"),)

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.kind}"
