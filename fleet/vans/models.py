"""Depots, vans, hours in which nobody may work somewhere, and tables of travel times."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fleet.vans.states import TravelSource
from fleet.vehicles.scoping import FleetScoped
from fleet.vehicles.states import Kind
from mobility.core.models import PublicModel
from mobility.core.weekdays import WEEKDAYS


def _weekdays() -> ArrayField[list[int], list[int]]:
    """Days on which something holds."""
    return ArrayField(
        models.PositiveSmallIntegerField(choices=WEEKDAYS),
        verbose_name=_("weekdays"),
        default=list,
        blank=True,
        help_text=_("1 is Monday, 7 is Sunday; empty: every day."),
    )


class DepotQuerySet(FleetScoped["Depot"]):
    """Depots of an operator."""

    staff_paths = ("organisation",)


class Depot(PublicModel):
    """Where vans start and end; as a workshop also where they bring broken vehicles."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="depots",
        verbose_name=_("organisation"),
    )
    city = models.ForeignKey(
        "mobility.City", on_delete=models.PROTECT, related_name="depots", verbose_name=_("city")
    )
    name = models.CharField(_("name"), max_length=80)
    lon = models.FloatField(
        _("longitude"), validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    lat = models.FloatField(
        _("latitude"), validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    opens = models.TimeField(_("opens"), null=True, blank=True)
    closes = models.TimeField(
        _("closes"), null=True, blank=True, help_text=_("May lie after midnight.")
    )
    workshop = models.BooleanField(
        _("workshop"),
        default=False,
        help_text=_("Vans unload broken vehicles here, also on the way."),
    )

    objects = DepotQuerySet.as_manager()

    class Meta:
        verbose_name = _("depot")
        verbose_name_plural = _("depots")
        ordering = ("organisation", "city", "name")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "city", "name"), name="fleet_depot_name_once"
            ),
            models.CheckConstraint(
                condition=Q(opens=None, closes=None)
                | (Q(opens__isnull=False, closes__isnull=False) & ~Q(opens=F("closes"))),
                name="fleet_depot_hours_have_two_ends",
                violation_error_message=_("Hours need a beginning and another end."),
            ),
        )

    def __str__(self) -> str:
        return self.name


class VanQuerySet(FleetScoped["Van"]):
    """Vans of an operator."""

    staff_paths = ("organisation",)

    def driving(self, *, organisation_id: int, city_id: int) -> VanQuerySet:
        """Those that a plan reckons with, in their order."""
        return self.filter(organisation=organisation_id, city=city_id, active=True)


class Van(PublicModel):
    """A van with its crew: what it carries, when it drives, where it starts and ends."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="vans",
        verbose_name=_("organisation"),
    )
    city = models.ForeignKey(
        "mobility.City", on_delete=models.PROTECT, related_name="vans", verbose_name=_("city")
    )
    name = models.CharField(_("name"), max_length=80)
    active = models.BooleanField(_("drives"), default=True)
    # Each figure is the whole van full of that kind; mixtures share the room in proportion.
    scooters = models.PositiveSmallIntegerField(
        _("room for scooters"), default=12, validators=[MaxValueValidator(60)]
    )
    bicycles = models.PositiveSmallIntegerField(
        _("room for bicycles"),
        default=8,
        validators=[MaxValueValidator(60)],
        help_text=_("The van full of one kind; mixtures share the room in proportion."),
    )
    packs = models.PositiveSmallIntegerField(
        _("charged batteries"), default=20, validators=[MaxValueValidator(200)]
    )
    start = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        related_name="starting_vans",
        verbose_name=_("starts at"),
    )
    end = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="ending_vans",
        verbose_name=_("ends at"),
        help_text=_("Empty: where it starts."),
    )
    shift_start = models.TimeField(
        _("shift starts"),
        null=True,
        blank=True,
        help_text=_("Empty: when a plan is asked for."),
    )
    shift_minutes = models.PositiveSmallIntegerField(
        _("shift (minutes)"),
        default=240,
        validators=[MinValueValidator(30), MaxValueValidator(720)],
    )
    weekdays = _weekdays()

    objects = VanQuerySet.as_manager()

    class Meta:
        verbose_name = _("van")
        verbose_name_plural = _("vans")
        ordering = ("organisation", "city", "name")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "city", "name"), name="fleet_van_name_once"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def capacity(self) -> dict[str, int]:
        """Room by kind of vehicle."""
        return {Kind.SCOOTER.value: self.scooters, Kind.BICYCLE.value: self.bicycles}

    def clean(self) -> None:
        """A van's depots are its operator's, in its city."""
        for field, depot in (("start", self.start_id), ("end", self.end_id)):
            own = Depot.objects.filter(organisation=self.organisation_id, city=self.city_id)
            if depot is not None and not own.filter(pk=depot).exists():
                raise ValidationError({field: _("This depot is not of this operator and city.")})


class ClosedHoursQuerySet(FleetScoped["ClosedHours"]):
    """Closed hours as an operator keeps them."""

    staff_paths = ("organisation",)


class ClosedHours(PublicModel):
    """An area in which no crew may work at some hours: a pedestrian zone by day, a market."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="closed_hours",
        verbose_name=_("organisation"),
    )
    city = models.ForeignKey(
        "mobility.City",
        on_delete=models.PROTECT,
        related_name="closed_hours",
        verbose_name=_("city"),
    )
    name = models.CharField(_("name"), max_length=80)
    area = models.MultiPolygonField(_("area"), srid=4326)
    since = models.TimeField(_("from"))
    until = models.TimeField(_("until"), help_text=_("May lie after midnight."))
    weekdays = _weekdays()

    objects = ClosedHoursQuerySet.as_manager()

    class Meta:
        verbose_name = _("closed hours")
        verbose_name_plural = _("closed hours")
        ordering = ("organisation", "city", "name")
        constraints = (
            models.CheckConstraint(
                condition=~Q(since=F("until")),
                name="fleet_closed_hours_have_two_ends",
                violation_error_message=_("Hours need a beginning and another end."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.since:%H:%M}–{self.until:%H:%M}"


class TravelTableQuerySet(FleetScoped["TravelTable"]):
    """Tables of travel times."""

    staff_paths = ("organisation",)

    def imported(self, *, organisation_id: int, city_id: int) -> TravelTableQuerySet:
        """Those that the operator brought, the newest first."""
        return self.filter(
            organisation=organisation_id, city=city_id, source=TravelSource.IMPORTED, active=True
        ).order_by("-created_at", "-pk")


class TravelTable(PublicModel):
    """Minutes of driving between points, imported or asked once of a road service for a plan.

    A row is never changed: a plan keeps the table it was made with.
    """

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="travel_tables",
        verbose_name=_("organisation"),
    )
    city = models.ForeignKey(
        "mobility.City",
        on_delete=models.PROTECT,
        related_name="travel_tables",
        verbose_name=_("city"),
    )
    name = models.CharField(_("name"), max_length=80)
    source = models.CharField(
        _("source"), max_length=16, choices=TravelSource.choices, editable=False
    )
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), editable=False)
    created_by = models.CharField(_("created by"), max_length=100, editable=False)
    # [[lon, lat], …] and float32 minutes row by row, NaN where no way is known, deflated.
    points = models.JSONField(_("points"), default=list, editable=False)
    minutes = models.BinaryField(_("minutes"), editable=False)
    holes = models.PositiveIntegerField(_("pairs without a way"), default=0, editable=False)

    objects = TravelTableQuerySet.as_manager()

    class Meta:
        verbose_name = _("travel times")
        verbose_name_plural = _("travel times")
        ordering: ClassVar = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.name
