"""What operators spend on rewards, day by day, and to whom they promised them."""

import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bookings.rewards.states import CLAIM_MOVES, COUNTING, WAITING, ClaimState, ReleaseReason
from mobility.accounts.scoping import OrganisationScoped
from mobility.accounts.states import Role
from mobility.core.models import PublicModel
from mobility.core.money import format_money

if TYPE_CHECKING:
    from mobility.accounts.models import User


class RewardBudgetQuerySet(OrganisationScoped["RewardBudget"]):
    """Budgets, by who spends them."""

    staff_roles = frozenset({Role.FLEET_OPERATOR})


class RewardBudget(models.Model):
    """What an operator may spend on rewards; without a row there are none."""

    organisation = models.OneToOneField(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    day_cents = models.PositiveIntegerField(_("budget per day"), default=0)
    per_person_day = models.PositiveSmallIntegerField(
        _("rewards per person and day"), default=2, validators=[MinValueValidator(1)]
    )
    claim_minutes = models.PositiveSmallIntegerField(
        _("a promise stands for (minutes)"), default=60, validators=[MinValueValidator(5)]
    )

    objects = RewardBudgetQuerySet.as_manager()

    class Meta:
        verbose_name = _("budget for rewards")
        verbose_name_plural = _("budgets for rewards")

    def __str__(self) -> str:
        return f"{self.organisation_id}"


class RewardDayQuerySet(OrganisationScoped["RewardDay"]):
    """Days, by who spends the money."""

    staff_roles = frozenset({Role.FLEET_OPERATOR})

    def unscored(self, *, before: datetime.date) -> Self:
        """Days that are over and whose outcome nobody has looked at."""
        return self.filter(on__lt=before, score__isnull=True)


class RewardDay(models.Model):
    """One operator's rewards of one day; the counters decide who got the last cents."""

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    on = models.DateField(_("day"))
    budget_cents = models.PositiveIntegerField(_("budget"))
    # Set aside for rides that are under way, and really given.
    promised_cents = models.PositiveIntegerField(_("promised"), default=0)
    spent_cents = models.PositiveIntegerField(_("spent"), default=0)
    score = models.JSONField(_("outcome"), null=True, blank=True)

    objects = RewardDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("day of rewards")
        verbose_name_plural = _("days of rewards")
        ordering: ClassVar = ["-on", "organisation"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "on"], name="reward_day_once"),
            models.CheckConstraint(
                condition=Q(budget_cents__gte=F("promised_cents") + F("spent_cents")),
                name="reward_budget_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on:%Y-%m-%d}"


class RewardClaimQuerySet(models.QuerySet["RewardClaim"]):
    """Promised rewards by who may see them and what is to be done about them."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for operators those that they pay."""
        if user.is_superuser:
            return self
        operated = user.organisations_as(Role.FLEET_OPERATOR)
        return self.filter(Q(user=user) | Q(organisation__in=operated))

    def counting(self) -> Self:
        """Promised, earned or granted."""
        return self.filter(state__in=COUNTING)

    def overdue(self, *, at: datetime.datetime) -> Self:
        """Promised, and not earned in time."""
        return self.filter(state=ClaimState.PROMISED, expires_at__lte=at)


class RewardClaim(PublicModel):
    """A reward that somebody accepted for one ride; amount and place stand from then on."""

    moves: ClassVar = {"state": CLAIM_MOVES}

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="reward_claims",
        verbose_name=_("person"),
    )
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    day = models.ForeignKey(RewardDay, models.PROTECT, related_name="claims", verbose_name=_("day"))
    offer = models.ForeignKey(
        "fleet.IncentiveOffer", models.PROTECT, related_name="+", verbose_name=_("offer")
    )
    vehicle = models.ForeignKey(
        "fleet.Vehicle", models.PROTECT, related_name="+", verbose_name=_("vehicle")
    )
    # The reservation that the ride uses up.
    ride = models.UUIDField(_("ride"))
    # The person's first, second, … reward of the day.
    number = models.PositiveSmallIntegerField(_("number of the day"))
    reward_cents = models.PositiveIntegerField(_("reward"))
    granted_cents = models.PositiveIntegerField(_("granted"), default=0)
    state = models.CharField(
        _("state"), max_length=12, choices=ClaimState, default=ClaimState.PROMISED
    )
    # Where the vehicle stood when it was promised.
    from_cell = models.BigIntegerField(_("H3 cell of the start"), null=True, blank=True)
    promised_at = models.DateTimeField(_("promised at"))
    expires_at = models.DateTimeField(_("expires at"))
    earned_at = models.DateTimeField(_("earned at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    release_reason = models.CharField(
        _("why not"), max_length=16, choices=ReleaseReason, blank=True, default=""
    )

    objects = RewardClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["ride"], condition=Q(state__in=COUNTING), name="reward_once_per_ride"
            ),
            models.UniqueConstraint(
                fields=["user", "day", "number"],
                condition=Q(state__in=COUNTING),
                name="reward_limit_per_person",
            ),
            models.CheckConstraint(
                condition=Q(granted_cents__lte=F("reward_cents")),
                name="reward_grants_what_it_promised",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-promised_at"], name="reward_by_user"),
            models.Index(
                fields=["state", "expires_at"],
                name="reward_waiting",
                condition=Q(state__in=WAITING),
            ),
        ]

    def __str__(self) -> str:
        return f"{format_money(self.reward_cents)} {self.get_state_display()}"
