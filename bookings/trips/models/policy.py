"""What an operator decided about trips, and the times when its vehicles cannot be heard."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bookings.trips.states import PhotoRule
from fleet.vehicles.states import Kind
from mobility.accounts.scoping import OrganisationScoped
from mobility.accounts.states import Role
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    import datetime


class TripPolicyQuerySet(OrganisationScoped["TripPolicy"]):
    """Policies, seen and edited by their operator."""

    staff_roles = frozenset({Role.FLEET_OPERATOR})


class TripPolicy(models.Model):
    """How trips on one kind of vehicle of one operator are looked after; the defaults hold without.

    Minutes left empty switch the rule off.
    """

    organisation = models.ForeignKey(
        "mobility.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    kind = models.CharField(_("vehicle kind"), max_length=16, choices=Kind.choices)
    auto_pause_min = models.PositiveSmallIntegerField(
        _("pause by itself after (min)"),
        null=True,
        blank=True,
        default=5,
        help_text=_("Standing and locked for so long; the cheaper minute counts from then on."),
    )
    first_prompt_min = models.PositiveSmallIntegerField(
        _("first reminder after (min)"), null=True, blank=True, default=10
    )
    last_prompt_min = models.PositiveSmallIntegerField(
        _("last reminder after (min)"), null=True, blank=True, default=20
    )
    auto_end_min = models.PositiveSmallIntegerField(
        _("end by itself after (min)"),
        null=True,
        blank=True,
        default=30,
        help_text=_("Standing and locked for so long, not counting pauses the rider asked for."),
    )
    max_pause_min = models.PositiveSmallIntegerField(
        _("longest pause (min)"), null=True, blank=True, default=240
    )
    lock_ends_after_s = models.PositiveSmallIntegerField(
        _("a lock shut by hand ends the trip after (s)"),
        null=True,
        blank=True,
        help_text=_("For vehicles locked by hand or by a dock; the meter stops when it was shut."),
    )
    low_battery_pct = models.PositiveSmallIntegerField(
        _("warn of a low battery at (%)"), default=15, validators=[MaxValueValidator(100)]
    )
    dead_battery_pct = models.PositiveSmallIntegerField(
        _("a silent vehicle at or below (%) has died"),
        default=3,
        validators=[MaxValueValidator(100)],
    )
    dead_after_s = models.PositiveSmallIntegerField(_("silent for (s)"), default=300)
    broken_free_s = models.PositiveSmallIntegerField(
        _("broken vehicles are free within (s)"), default=300
    )
    broken_free_m = models.PositiveSmallIntegerField(_("and within (m)"), default=300)
    photo_rule = models.CharField(
        _("photo of the parked vehicle"),
        max_length=12,
        choices=PhotoRule,
        default=PhotoRule.UNCERTAIN,
    )
    photo_accuracy_m = models.PositiveSmallIntegerField(
        _("a position worse than (m) is uncertain"), default=10
    )
    photo_keep_days = models.PositiveSmallIntegerField(_("photos are kept (days)"), default=90)
    strikes = models.PositiveSmallIntegerField(
        _("bad photos until a fee"), default=3, help_text=_("Within 90 days; 0: never a fee.")
    )
    plug_at_hubs = models.BooleanField(
        _("must be plugged in at hubs with chargers"),
        default=False,
        help_text=_("Only where a charger works and only in bays of such hubs."),
    )
    dispute_days = models.PositiveSmallIntegerField(
        _("trips can be disputed for (days)"), default=60
    )
    dispute_answer_h = models.PositiveSmallIntegerField(
        _("disputes are answered within (h)"), default=72
    )
    outage_share_pct = models.PositiveSmallIntegerField(
        _("silent vehicles that make an outage (%)"),
        null=True,
        blank=True,
        default=50,
        validators=[MaxValueValidator(100)],
        help_text=_("Of at least ten vehicles in service of this kind."),
    )

    objects = TripPolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("trip policy")
        verbose_name_plural = _("trip policies")
        ordering = ("organisation", "kind")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "kind"],
                name="one_trip_policy_per_kind",
                violation_error_message=_("There is a policy for this kind already."),
            ),
            models.CheckConstraint(
                condition=Q(first_prompt_min__isnull=True)
                | Q(last_prompt_min__isnull=True)
                | Q(first_prompt_min__lt=F("last_prompt_min")),
                name="trip_prompts_in_order",
                violation_error_message=_("The first reminder comes before the last one."),
            ),
            models.CheckConstraint(
                condition=Q(last_prompt_min__isnull=True)
                | Q(auto_end_min__isnull=True)
                | Q(last_prompt_min__lt=F("auto_end_min")),
                name="trip_prompts_before_the_end",
                violation_error_message=_("The last reminder comes before the end."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.kind}"


class IncidentQuerySet(OrganisationScoped["Incident"]):
    """Incidents, seen and switched by their operator."""

    staff_roles = frozenset({Role.FLEET_OPERATOR})

    def open(self) -> Self:
        """Those that still last."""
        return self.filter(until__isnull=True)

    def at(self, moment: datetime.datetime) -> Self:
        """Those that lasted at a moment."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=moment), since__lte=moment)


class Incident(PublicModel):
    """A time in which an operator's vehicles cannot be heard, so that nobody can end as usual.

    While it lasts, every attempt to end stops the meter and lets the rider go.
    """

    organisation = models.ForeignKey(
        "mobility.Organisation",
        models.PROTECT,
        related_name="trip_incidents",
        verbose_name=_("organisation"),
    )
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    # Seen by the share of silent vehicles; then it closes by itself too.
    automatic = models.BooleanField(_("noticed by itself"), default=False)
    opened_by = models.CharField(_("opened by"), max_length=100, editable=False)
    closed_by = models.CharField(_("closed by"), max_length=100, blank=True, editable=False)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("outage")
        verbose_name_plural = _("outages")
        ordering = ("-since", "-id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(until__isnull=True),
                name="one_open_incident",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")),
                name="incident_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.since:%Y-%m-%d %H:%M}"
