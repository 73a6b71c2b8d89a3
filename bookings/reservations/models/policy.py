"""What an operator allows: how many vehicles, how often, how early, how late."""

from typing import TYPE_CHECKING, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.accounts.states import Role

if TYPE_CHECKING:
    from mobility.accounts.models import User

MOST_VEHICLES = 8


class ReservationPolicyQuerySet(models.QuerySet["ReservationPolicy"]):
    """Policies by who may see and change them."""

    def visible_to(self, user: "User") -> Self:
        """Those of the fleets that the person runs."""
        return self.run_by(user, Role.FLEET_OPERATOR)

    def run_by(self, user: "User", *roles: str) -> Self:
        """Those of the organisations in which the person has one of `roles`."""
        if user.is_superuser:
            return self
        return self.filter(organisation__in=user.organisations_as(*roles))


class ReservationPolicy(models.Model):
    """One operator's rules for reservations and bookings; without a row the defaults hold."""

    organisation = models.OneToOneField(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    group_limit = models.PositiveSmallIntegerField(
        _("vehicles at once"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_VEHICLES)],
        help_text=_("How many vehicles one person may have for a group."),
    )
    unused_per_hour = models.PositiveSmallIntegerField(
        _("unused reservations per hour"), default=6, validators=[MinValueValidator(1)]
    )
    cool_down_after = models.PositiveSmallIntegerField(
        _("unused times before a pause"),
        default=2,
        validators=[MinValueValidator(1)],
        help_text=_("How often somebody may let the same vehicle go before they have to pause."),
    )
    cool_down_minutes = models.PositiveSmallIntegerField(
        _("pause for the same vehicle (minutes)"), default=30
    )
    mobility_minutes = models.PositiveSmallIntegerField(
        _("further free minutes for people who need them"), default=10
    )
    shortest_minutes = models.PositiveSmallIntegerField(
        _("shortest ride before a booking (minutes)"),
        default=20,
        validators=[MinValueValidator(1)],
        help_text=_("A vehicle booked sooner than this is not offered."),
    )
    buffer_minutes = models.PositiveSmallIntegerField(_("pause between bookings"), default=15)
    early_minutes = models.PositiveSmallIntegerField(_("early access (minutes)"), default=10)
    grace_minutes = models.PositiveSmallIntegerField(
        _("no-show after (minutes)"), default=30, validators=[MinValueValidator(1)]
    )
    late_minutes = models.PositiveSmallIntegerField(
        _("late return after (minutes)"), default=10, help_text=_("Later than this costs a fee.")
    )
    wait_minutes = models.PositiveSmallIntegerField(
        _("longest wait for a late vehicle (minutes)"), default=15
    )
    bookings_at_once = models.PositiveSmallIntegerField(
        _("open bookings per person"), default=3, validators=[MinValueValidator(1)]
    )
    booking_minutes = models.PositiveSmallIntegerField(
        _("shortest booking (minutes)"), default=30, validators=[MinValueValidator(1)]
    )
    booking_hours = models.PositiveSmallIntegerField(
        _("longest booking (hours)"), default=72, validators=[MinValueValidator(1)]
    )
    days_ahead = models.PositiveSmallIntegerField(
        _("days ahead"), default=60, validators=[MinValueValidator(1)]
    )

    objects = ReservationPolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("reservation policy")
        verbose_name_plural = _("reservation policies")

    def __str__(self) -> str:
        return f"{self.organisation_id}"
