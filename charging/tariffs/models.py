"""Charging tariffs, their dated versions, and where they apply."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.tariffs.rules import PriceList, read_prices
from charging.tariffs.states import VERSION_MOVES, VersionState
from mobility.accounts.scoping import OrganisationScoped
from mobility.accounts.states import Role
from mobility.core.models import PublicModel
from mobility.core.texts import LocalizedField, pick

if TYPE_CHECKING:
    from datetime import datetime


class TariffQuerySet(OrganisationScoped["Tariff"]):
    """Tariffs by owner."""

    staff_roles = frozenset({Role.CHARGE_POINT_OPERATOR})


class Tariff(PublicModel):
    """A named price list of one operator; what it says is in its versions."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="charging_tariffs",
        verbose_name=_("operator"),
    )
    code = models.SlugField(_("code"), max_length=40)
    name = LocalizedField(_("name"))
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    is_default = models.BooleanField(
        _("default of the operator"),
        default=False,
        help_text=_("Applies to every connector that has no tariff of its own."),
    )

    objects = TariffQuerySet.as_manager()

    class Meta:
        verbose_name = _("charging tariff")
        verbose_name_plural = _("charging tariffs")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "code"],
                name="charging_tariff_code_per_organisation",
            ),
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(is_default=True),
                name="charging_tariff_one_default",
            ),
        ]

    def __str__(self) -> str:
        return pick(self.name)


class TariffVersionQuerySet(OrganisationScoped["TariffVersion"]):
    """Versions by owner and by date."""

    organisation_path = "tariff__organisation"
    staff_roles = frozenset({Role.CHARGE_POINT_OPERATOR})

    def valid_at(self, at: datetime) -> Self:
        """Published versions whose validity contains the instant."""
        return self.filter(state=VersionState.PUBLISHED, valid__contains=at)


class TariffVersion(PublicModel):
    """What a tariff says during `valid`. Once published nobody changes it."""

    moves: ClassVar = {"state": VERSION_MOVES}

    tariff = models.ForeignKey(
        Tariff,
        on_delete=models.PROTECT,
        related_name="versions",
        verbose_name=_("tariff"),
    )
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=VersionState,
        default=VersionState.DRAFT,
    )
    valid = DateTimeRangeField(_("valid"))
    components = models.JSONField(_("components"), default=list)
    min_cents = models.PositiveIntegerField(_("least price of a charge"), null=True, blank=True)
    max_cents = models.PositiveIntegerField(_("most a charge costs"), null=True, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)

    objects = TariffVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("tariff version")
        verbose_name_plural = _("tariff versions")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tariff", "number"],
                name="charging_tariff_version_number",
            ),
            ExclusionConstraint(
                name="charging_tariff_one_version_at_a_time",
                expressions=[
                    ("tariff", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
                condition=Q(state="published"),
            ),
        ]

    @property
    def currency(self) -> str:
        """The tariff's."""
        return self.tariff.currency

    def __str__(self) -> str:
        return f"{self.tariff} v{self.number}"

    def prices(self, *, time_zone: str) -> PriceList:
        """What it says, by the clock of a site; raises BadComponent."""
        return read_prices(
            {
                "components": self.components,
                "min_cents": self.min_cents,
                "max_cents": self.max_cents,
                "time_zone": time_zone,
            }
        )

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Forms leave the state out, but the overlap of published versions is judged by it."""
        super().validate_constraints(exclude=set(exclude or ()) - {"state"})


class TariffPlaceQuerySet(OrganisationScoped["TariffPlace"]):
    """Places by owner."""

    organisation_path = "tariff__organisation"
    staff_roles = frozenset({Role.CHARGE_POINT_OPERATOR})


class TariffPlace(models.Model):
    """Where a tariff applies: one connector, or a site; the connector's own wins."""

    tariff = models.ForeignKey(
        Tariff,
        on_delete=models.CASCADE,
        related_name="places",
        verbose_name=_("tariff"),
    )
    site = models.OneToOneField(
        "charging.Site",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="tariff_place",
        verbose_name=_("site"),
    )
    connector = models.OneToOneField(
        "charging.Connector",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="tariff_place",
        verbose_name=_("connector"),
    )

    objects = TariffPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("place of a tariff")
        verbose_name_plural = _("places of a tariff")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="charging_tariff_place_one_target",
                condition=Q(site__isnull=True, connector__isnull=False)
                | Q(site__isnull=False, connector__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tariff} @ {self.site or self.connector}"
