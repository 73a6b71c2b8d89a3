"""What an operator allows to be offered to riders, and the offers themselves."""

from __future__ import annotations

import datetime
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fleet.incentives import states
from fleet.vehicles.scoping import FleetScoped
from fleet.vehicles.states import Kind
from mobility.core.models import PublicModel
from mobility.core.money import format_money


class IncentivePolicyQuerySet(FleetScoped["IncentivePolicy"]):
    """Policies by operator."""

    staff_paths = ("organisation",)


class IncentivePolicy(models.Model):
    """How an operator prices offers; without a row nothing is offered."""

    organisation = models.OneToOneField(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("organisation"),
    )
    enabled = models.BooleanField(_("offers are made"), default=False)
    share_pct = models.PositiveSmallIntegerField(
        _("share of the value given to riders (%)"),
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    least_cents = models.PositiveIntegerField(_("smallest reward"), default=30)
    most_cents = models.PositiveIntegerField(_("largest reward"), default=200)
    most_offers = models.PositiveSmallIntegerField(_("offers at once"), default=40)
    valid_minutes = models.PositiveSmallIntegerField(
        _("an offer stands for (minutes)"), default=30, validators=[MinValueValidator(5)]
    )
    charge_below_pct = models.PositiveSmallIntegerField(
        _("a battery is weak below (%)"), default=30, validators=[MaxValueValidator(100)]
    )
    return_hours = models.PositiveSmallIntegerField(
        _("no reward for bringing back what left within (hours)"), default=6
    )

    objects = IncentivePolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy of offers to riders")
        verbose_name_plural = _("policies of offers to riders")
        constraints = (
            models.CheckConstraint(
                condition=Q(least_cents__gte=1, most_cents__gte=F("least_cents")),
                name="fleet_incentive_least_below_most",
                violation_error_message=_("The smallest reward is above the largest one."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.organisation_id}"


class OfferQuerySet(FleetScoped["IncentiveOffer"]):
    """Offers by operator and by whether they can be accepted."""

    staff_paths = ("organisation",)

    def standing(self) -> OfferQuerySet:
        """Not withdrawn."""
        return self.filter(state__in=states.STANDING)

    def open_at(self, at: datetime.datetime) -> OfferQuerySet:
        """Which can be accepted now."""
        return self.filter(state=states.OfferState.OPEN, valid_until__gt=at)


class IncentiveOffer(PublicModel):
    """A reward for a ride that spares a van its stop; who takes it, the fleet does not know.

    What it promises never changes once made: a new price is a new offer. `promised` places wait
    for their rides, `kept` ones were filled.
    """

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("organisation"),
    )
    city = models.ForeignKey(
        "mobility.City", on_delete=models.PROTECT, related_name="+", verbose_name=_("city")
    )
    vehicle_kind = models.CharField(_("vehicle kind"), max_length=16, choices=Kind.choices)
    direction = models.CharField(_("direction"), max_length=8, choices=states.Direction.choices)
    need = models.CharField(_("need"), max_length=8, choices=states.Need.choices)
    cell = models.BigIntegerField(_("H3 cell"))
    hub = models.ForeignKey(
        "mobility.Hub",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("hub"),
    )
    # Of a ride's start: the very vehicle.
    vehicle = models.ForeignKey(
        "fleet.Vehicle",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("vehicle"),
    )
    lon = models.FloatField(_("longitude"))
    lat = models.FloatField(_("latitude"))
    # Of the battery of the vehicle that is brought; only weak ones earn an offer to charge.
    below_pct = models.PositiveSmallIntegerField(_("battery below (%)"), null=True, blank=True)
    reward_cents = models.PositiveIntegerField(_("reward"))
    value_cents = models.PositiveIntegerField(_("value"))
    van_cents = models.PositiveIntegerField(_("a van would cost"))
    trips = models.FloatField(_("expected trips gained"))
    places = models.PositiveSmallIntegerField(_("places"), default=1)
    promised = models.PositiveSmallIntegerField(_("promised"), default=0)
    kept = models.PositiveSmallIntegerField(_("kept"), default=0)
    state = models.CharField(
        _("state"),
        max_length=12,
        choices=states.OfferState.choices,
        default=states.OfferState.OPEN,
    )
    made_at = models.DateTimeField(_("made at"))
    valid_until = models.DateTimeField(_("valid until"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    close_reason = models.CharField(
        _("why it was closed"), max_length=16, choices=states.CloseReason.choices, blank=True
    )

    moves: ClassVar = {"state": states.OFFER_MOVES}
    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("offer to riders")
        verbose_name_plural = _("offers to riders")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(places__gte=F("promised") + F("kept")),
                name="fleet_offer_places_end",
            ),
            models.CheckConstraint(
                condition=Q(reward_cents__gte=1, reward_cents__lte=F("van_cents")),
                name="fleet_offer_cheaper_than_a_van",
            ),
            models.CheckConstraint(
                condition=Q(direction="end") ^ Q(vehicle__isnull=False),
                name="fleet_offer_vehicle_fits_direction",
            ),
            models.UniqueConstraint(
                fields=("organisation", "vehicle_kind", "need", "cell"),
                condition=Q(state__in=("open", "taken"), direction="end"),
                name="fleet_offer_once_per_place",
            ),
            models.UniqueConstraint(
                fields=("vehicle",),
                condition=Q(state__in=("open", "taken")),
                name="fleet_offer_once_per_vehicle",
            ),
        )
        indexes = (
            models.Index(
                fields=("city", "cell"),
                condition=Q(state__in=("open", "taken")),
                name="fleet_offer_standing",
            ),
            models.Index(fields=("organisation", "made_at"), name="fleet_offer_of_the_day"),
        )

    def __str__(self) -> str:
        return f"{self.get_direction_display()} {format_money(self.reward_cents)}"
