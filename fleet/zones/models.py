"""Zones: areas with a rule, for some kinds of vehicle, during a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles.scoping import FleetScoped
from fleet.vehicles.states import Kind
from fleet.zones.states import ZoneKind
from mobility.core.texts import LocalizedField

if TYPE_CHECKING:
    import datetime


class ZoneQuerySet(FleetScoped["Zone"]):
    """Zones by time and by the vehicles they bind."""

    staff_paths: ClassVar = ("organisation",)
    city_path = "city__organisation"

    def valid_at(self, at: datetime.datetime) -> ZoneQuerySet:
        return self.filter(during__contains=at)

    def for_kind(self, kind: str) -> ZoneQuerySet:
        """Zones that bind this kind of vehicle; an empty list binds all."""
        return self.filter(Q(vehicle_kinds=[]) | Q(vehicle_kinds__contains=[kind]))


class Zone(models.Model):
    """One rule on the map.

    The city's own zones bind every operator, an operator's zones its own vehicles. A change of
    a rule is a new row with a new time: what was valid at a past moment stays answerable.
    """

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="zones",
        verbose_name=_("organisation"),
    )
    city = models.ForeignKey(
        "mobility.City",
        on_delete=models.PROTECT,
        related_name="zones",
        verbose_name=_("city"),
    )
    code = models.CharField(_("code"), max_length=40)
    name = LocalizedField(_("name"))
    kind = models.CharField(_("kind"), max_length=16, choices=ZoneKind.choices)
    boundary = models.MultiPolygonField(_("boundary"), srid=4326)
    vehicle_kinds = ArrayField(
        models.CharField(max_length=16, choices=Kind.choices),
        verbose_name=_("vehicle kinds"),
        default=list,
        blank=True,
        help_text=_("Empty: every kind of vehicle."),
    )
    during = DateTimeRangeField(_("valid during"))
    max_speed_kmh = models.PositiveSmallIntegerField(_("speed limit (km/h)"), null=True, blank=True)
    hub = models.ForeignKey(
        "mobility.Hub",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="zones",
        verbose_name=_("hub"),
    )
    capacity = models.PositiveSmallIntegerField(_("capacity"), null=True, blank=True)

    objects = ZoneQuerySet.as_manager()

    class Meta:
        verbose_name = _("zone")
        verbose_name_plural = _("zones")
        ordering = ("city", "code", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(boundary__isvalid=True),
                name="fleet_zone_boundary_is_sound",
                violation_error_message=_("The boundary crosses itself."),
            ),
            models.CheckConstraint(
                condition=~Q(kind=ZoneKind.SLOW) | Q(max_speed_kmh__isnull=False),
                name="fleet_slow_zone_has_a_limit",
                violation_error_message=_("A slow zone needs a speed limit."),
            ),
            models.CheckConstraint(
                condition=Q(during__isempty=False) & Q(during__lower_inf=False),
                name="fleet_zone_has_a_beginning",
                violation_error_message=_("A zone needs the moment from which it is valid."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} ({self.kind})"

    def clean(self) -> None:
        if self.boundary and not self.boundary.valid:
            message = _("The boundary is not sound: %(reason)s")
            raise ValidationError(
                {"boundary": message % {"reason": self.boundary.valid_reason}},
            )
