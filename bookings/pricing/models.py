"""Tariffs of an organisation and their dated versions."""

import dataclasses
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bookings.pricing.rules import Fare
from bookings.pricing.rules.limits import Limit
from bookings.pricing.rules.terms import PART_READERS
from bookings.pricing.states import TARIFF_MOVES, TariffState
from fleet.vehicles.states import Kind
from mobility.accounts.scoping import OrganisationScoped, Person
from mobility.accounts.states import Role
from mobility.core.models import PublicModel
from mobility.core.money import EUR
from mobility.core.texts import LocalizedField, pick

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User

# The columns that a fare takes as they are.
NUMBERS = tuple(
    field.name for field in dataclasses.fields(Fare) if field.name not in {"version", *PART_READERS}
)
TARIFF_READERS = (Role.FLEET_OPERATOR, Role.CITY_OFFICER)


class RideTariffQuerySet(models.QuerySet["Tariff"]):
    """Tariffs by who may see them."""

    def visible_to(self, user: "User") -> Self:
        """Those of the organisations the person works for; prices themselves are public elsewhere."""
        if user.is_superuser:
            return self
        return self.filter(organisation__in=user.organisations_as(*TARIFF_READERS))


class RideTariffVersionQuerySet(models.QuerySet["TariffVersion"]):
    """Versions by who may see them and by when they hold."""

    def visible_to(self, user: "User") -> Self:
        """Those of the tariffs the person may see."""
        if user.is_superuser:
            return self
        return self.filter(tariff__organisation__in=user.organisations_as(*TARIFF_READERS))

    def in_force(self, at: "datetime.datetime") -> Self:
        """Published and valid at the instant."""
        return self.filter(state=TariffState.PUBLISHED, valid__contains=at)


class Tariff(PublicModel):
    """What an organisation asks for riding some kinds of vehicles; its versions hold the numbers."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        models.PROTECT,
        related_name="tariffs",
        verbose_name=_("organisation"),
    )
    code = models.SlugField(_("code"), max_length=40)
    title = LocalizedField(_("name"))
    vehicle_kinds = ArrayField(
        models.CharField(max_length=20, choices=Kind.choices), verbose_name=_("vehicle kinds")
    )

    objects = RideTariffQuerySet.as_manager()

    class Meta:
        verbose_name = _("tariff")
        verbose_name_plural = _("tariffs")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "code"], name="tariff_code_once"),
        ]

    def __str__(self) -> str:
        return pick(self.title)


class TariffVersion(PublicModel):
    """The numbers of a tariff for a span of time; gross cents, VAT included."""

    moves: ClassVar = {"state": TARIFF_MOVES}

    tariff = models.ForeignKey(
        Tariff, models.PROTECT, related_name="versions", verbose_name=_("tariff")
    )
    state = models.CharField(
        _("state"), max_length=12, choices=TariffState, default=TariffState.DRAFT
    )
    valid = DateTimeRangeField(_("valid"), help_text=_("From (included) until (excluded)."))
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    vat_rate = models.DecimalField(_("VAT rate"), max_digits=5, decimal_places=4)
    unlock_cents = models.PositiveIntegerField(_("unlocking"), default=0)
    minute_cents = models.PositiveIntegerField(_("riding, per minute"))
    pause_minute_cents = models.PositiveIntegerField(_("paused, per minute"))
    hold_free_minutes = models.PositiveSmallIntegerField(_("free reserved minutes"), default=10)
    hold_minute_cents = models.PositiveIntegerField(_("reserved, per further minute"), default=0)
    hold_max_minutes = models.PositiveSmallIntegerField(_("longest reservation"), default=10)
    hold_extend_minutes = models.PositiveSmallIntegerField(
        _("minutes of one extension"), default=0, help_text=_("0: none is offered.")
    )
    hold_longest_minutes = models.PositiveSmallIntegerField(
        _("longest reservation with extensions"), default=0
    )
    km_cents = models.PositiveIntegerField(_("per kilometre over the allowance"), default=0)
    free_km = models.PositiveIntegerField(_("kilometres included"), default=0)
    blocks = models.JSONField(_("time blocks"), default=list, blank=True)
    steps = models.JSONField(_("steps"), default=list, blank=True)
    packages = models.JSONField(_("packages"), default=list, blank=True)
    windows = models.JSONField(_("hours with prices of their own"), default=list, blank=True)
    zone_fees = models.JSONField(_("zone fees and discounts"), default=list, blank=True)
    day_cap_cents = models.PositiveIntegerField(_("cap per 24 hours"), null=True, blank=True)
    trip_cap_cents = models.PositiveIntegerField(_("cap per trip"), null=True, blank=True)
    person_day_cap_cents = models.PositiveIntegerField(
        _("cap per person and 24 hours"),
        null=True,
        blank=True,
        help_text=_("What all rides of a person under this tariff cost at most."),
    )
    discount_pct = models.PositiveSmallIntegerField(
        _("discount for verified people (%)"), default=0
    )
    preauth_cents = models.PositiveIntegerField(_("pre-authorised at the start"), default=0)
    grace_s = models.PositiveSmallIntegerField(
        _("free seconds"), default=60, help_text=_("For a vehicle that went nowhere.")
    )
    no_show_cents = models.PositiveIntegerField(_("fee for a booking not used"), default=0)
    late_cancel_cents = models.PositiveIntegerField(_("fee for cancelling late"), default=0)
    free_cancel_before_h = models.PositiveSmallIntegerField(
        _("hours before which cancelling is free"), default=0
    )
    overstay_cents = models.PositiveIntegerField(_("fee for returning late"), default=0)

    objects = RideTariffVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("tariff version")
        verbose_name_plural = _("tariff versions")
        constraints: ClassVar = [
            ExclusionConstraint(
                name="one_tariff_version_at_a_time",
                expressions=[("tariff", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
                condition=Q(state=TariffState.PUBLISHED),
            ),
            models.CheckConstraint(
                condition=Q(vat_rate__gte=0, vat_rate__lt=1), name="tariff_vat_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(hold_max_minutes__gte=1), name="tariff_hold_has_length"
            ),
            models.CheckConstraint(
                condition=Q(hold_extend_minutes=0)
                | Q(hold_longest_minutes__gt=F("hold_max_minutes")),
                name="tariff_extension_has_room",
                violation_error_message=_(
                    "Extensions need a longest reservation beyond the first one."
                ),
            ),
            models.CheckConstraint(
                condition=Q(discount_pct__lte=100),
                name="tariff_discount_is_a_share",
                violation_error_message=_("A discount is at most 100 %."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tariff} · {self.valid.lower:%Y-%m-%d}"

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Overlap is judged by the database when a draft is published, not when it is typed."""
        super().validate_constraints({*(exclude or ()), "valid"})

    def fare(self) -> Fare:
        """The numbers as the pure rules take them."""
        return Fare(version=str(self.public_id), **self._numbers(), **self._parts())

    def parts(self) -> dict[str, Any]:
        """The parts that are lists of rows, by field."""
        return {name: getattr(self, name) for name in PART_READERS}

    def _parts(self) -> dict[str, Any]:
        return {name: read(getattr(self, name)) for name, read in PART_READERS.items()}

    def _numbers(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in NUMBERS}


class PriceLimitQuerySet(OrganisationScoped["PriceLimit"]):
    """Limits; what a city asks of operators is no secret."""

    def visible_to(self, user: Person) -> Self:
        """All, for anybody."""
        return self.all()


class PriceLimit(PublicModel):
    """What a city lets its operators ask at most; new versions of tariffs beyond it are not published."""

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("city")
    )
    vehicle_kinds = ArrayField(
        models.CharField(max_length=20, choices=Kind.choices), verbose_name=_("vehicle kinds")
    )
    valid = DateTimeRangeField(_("valid"), help_text=_("From (included) until (excluded)."))
    unlock_cents = models.PositiveIntegerField(_("unlocking"), null=True, blank=True)
    minute_cents = models.PositiveIntegerField(_("riding, per minute"), null=True, blank=True)
    hour_cents = models.PositiveIntegerField(
        _("the first hour"), null=True, blank=True, help_text=_("With the unlocking.")
    )
    zone_cents = models.PositiveIntegerField(_("all zone fees"), null=True, blank=True)

    objects = PriceLimitQuerySet.as_manager()

    class Meta:
        verbose_name = _("price limit")
        verbose_name_plural = _("price limits")

    def __str__(self) -> str:
        return f"{', '.join(self.vehicle_kinds)} · {self.organisation_id}"

    def limit(self) -> Limit:
        """The numbers as the pure rules take them."""
        return Limit(
            unlock_cents=self.unlock_cents,
            minute_cents=self.minute_cents,
            hour_cents=self.hour_cents,
            zone_cents=self.zone_cents,
        )
