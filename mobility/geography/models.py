"""The city, its districts and its hubs. Stored in WGS 84; metres come from `core.geo`."""

from typing import ClassVar

from django.contrib.gis.db import models
from django.utils.translation import gettext_lazy as _

from mobility.accounts.scoping import Everybodys
from mobility.core.models import PublicModel
from mobility.core.texts import LocalizedField, pick
from mobility.geography.states import HubKind


class City(PublicModel):
    """A city that is served; its organisation is the municipality."""

    slug = models.SlugField(_("slug"), unique=True)
    name = LocalizedField(_("name"))
    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="cities",
        verbose_name=_("organisation"),
    )
    boundary = models.MultiPolygonField(_("service area"), null=True, blank=True)
    centre = models.PointField(_("centre"))

    objects = Everybodys["City"].as_manager()

    class Meta:
        verbose_name = _("city")
        verbose_name_plural = _("cities")

    def __str__(self) -> str:
        return pick(self.name)


class District(PublicModel):
    """A part of the city for which figures are kept; in Milan one of the 88 NIL."""

    city = models.ForeignKey(
        City, on_delete=models.CASCADE, related_name="districts", verbose_name=_("city")
    )
    code = models.CharField(_("code"), max_length=40)
    name = LocalizedField(_("name"))
    boundary = models.MultiPolygonField(_("boundary"))
    centre = models.PointField(_("centre"))
    residents = models.PositiveIntegerField(_("residents"), null=True, blank=True)

    objects = Everybodys["District"].as_manager()

    class Meta:
        verbose_name = _("district")
        verbose_name_plural = _("districts")
        ordering: ClassVar = ["city", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["city", "code"], name="district_code_once")
        ]

    def __str__(self) -> str:
        return pick(self.name)


class Hub(PublicModel):
    """A place where shared vehicles meet: a mobility area or a bike station."""

    city = models.ForeignKey(
        City, on_delete=models.CASCADE, related_name="hubs", verbose_name=_("city")
    )
    code = models.CharField(_("code"), max_length=40)
    name = LocalizedField(_("name"))
    kind = models.CharField(
        _("kind"), max_length=30, choices=HubKind.choices, default=HubKind.MOBILITY_AREA
    )
    location = models.PointField(_("location"))
    capacity = models.PositiveIntegerField(_("capacity"), null=True, blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)

    objects = Everybodys["Hub"].as_manager()

    class Meta:
        verbose_name = _("hub")
        verbose_name_plural = _("hubs")
        ordering: ClassVar = ["city", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["city", "code"], name="hub_code_once")
        ]

    def __str__(self) -> str:
        return pick(self.name)
