"""Sites: where stations stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.gis.db import models
from django.contrib.gis.measure import D
from django.utils.translation import gettext_lazy as _

from charging.stations.scoping import seen_by
from mobility.core import geo
from mobility.core.models import PublicModel
from mobility.core.texts import LocalizedField, pick

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


class SiteQuerySet(models.QuerySet["Site"]):
    """Sites by owner and by place."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(seen_by(user))

    def within(self, *, lon: float, lat: float, radius_m: float) -> Self:
        """Sites at most `radius_m` metres away, measured on the spheroid."""
        return self.filter(location__dwithin=(geo.point(lon, lat), D(m=radius_m)))


class Site(PublicModel):
    """A place with charging stations, behind one grid connection."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="charging_sites",
        verbose_name=_("operator"),
    )
    city = models.ForeignKey(
        "mobility.City",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="charging_sites",
        verbose_name=_("city"),
    )
    hub = models.ForeignKey(
        "mobility.Hub",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="charging_sites",
        verbose_name=_("mobility hub"),
    )
    name = LocalizedField(_("name"))
    address = models.CharField(_("address"), max_length=200, blank=True)
    location = models.PointField(_("location"), geography=True)
    time_zone = models.CharField(
        _("time zone"),
        max_length=40,
        default="Europe/Rome",
        help_text=_("Prices by the time of day go by the clock there."),
    )
    grid_limit_w = models.PositiveIntegerField(
        _("grid connection limit (W)"),
        null=True,
        blank=True,
    )

    objects = SiteQuerySet.as_manager()

    class Meta:
        verbose_name = _("charging site")
        verbose_name_plural = _("charging sites")

    def __str__(self) -> str:
        return pick(self.name)
