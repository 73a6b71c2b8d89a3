"""Promo codes, and who redeemed them."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import DateTimeRangeField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from bookings.passes.models.scopes import SELLERS, good_for
from bookings.passes.states import REDEMPTION_MOVES, RedemptionState
from mobility.accounts.scoping import OrganisationScoped
from mobility.accounts.states import Role
from mobility.core.models import PublicModel
from mobility.core.texts import LocalizedField

if TYPE_CHECKING:
    from mobility.accounts.models import User


class PromoCodeQuerySet(OrganisationScoped["PromoCode"]):
    """Codes, by who hands them out."""

    staff_roles = frozenset({Role.FLEET_OPERATOR})


class PromoCode(PublicModel):
    """A code that makes the next ride cheaper; the counters on it decide who was the last."""

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    code = models.CharField(_("code"), max_length=40)
    title = LocalizedField(_("name"))
    vehicle_kinds = good_for()
    valid = DateTimeRangeField(_("valid"), help_text=_("From (included) until (excluded)."))
    percent = models.PositiveSmallIntegerField(_("percent off"), default=0)
    cents = models.PositiveIntegerField(_("off"), default=0)
    minutes = models.PositiveIntegerField(_("free minutes"), default=0)
    most_cents = models.PositiveIntegerField(_("off at most"), null=True, blank=True)
    redemptions_max = models.PositiveIntegerField(
        _("redemptions at most"), null=True, blank=True, help_text=_("1: a single person, once.")
    )
    per_person_max = models.PositiveSmallIntegerField(_("per person at most"), default=1)
    budget_cents = models.PositiveIntegerField(_("budget"), null=True, blank=True)
    redeemed = models.PositiveIntegerField(_("redeemed"), default=0, editable=False)
    # Promised to people who have not ridden yet, and really given.
    promised_cents = models.PositiveIntegerField(_("promised"), default=0, editable=False)
    spent_cents = models.PositiveIntegerField(_("spent"), default=0, editable=False)

    objects = PromoCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("promo code")
        verbose_name_plural = _("promo codes")
        constraints: ClassVar = [
            models.UniqueConstraint(
                Upper("code"),
                name="promo_code_once",
                violation_error_message=_("This code exists already."),
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=1, percent__lte=100, cents=0, minutes=0)
                | Q(percent=0, cents__gte=1, minutes=0)
                | Q(percent=0, cents=0, minutes__gte=1),
                name="promo_gives_one_thing",
                violation_error_message=_("Give percent, cents or minutes: exactly one of them."),
            ),
            models.CheckConstraint(
                condition=Q(redemptions_max=None) | Q(redeemed__lte=F("redemptions_max")),
                name="promo_redemptions_end",
                violation_error_message=_("More people than that have redeemed it already."),
            ),
            models.CheckConstraint(
                condition=Q(budget_cents=None)
                | Q(budget_cents__gte=F("promised_cents") + F("spent_cents")),
                name="promo_budget_ends",
                violation_error_message=_("More than that is promised or spent already."),
            ),
            models.CheckConstraint(
                condition=Q(budget_cents=None)
                | Q(cents__gte=1)
                | Q(most_cents__isnull=False, minutes=0),
                name="promo_budget_can_be_kept",
                violation_error_message=_(
                    "A budget needs cents, or percent with an amount at most."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        """Codes are typed in any case and kept in one; limits lie beyond what is gone already.

        The checks of the database say the same, but a form without the counters does not ask them.
        """
        self.code = self.code.strip().upper()
        gone = self.promised_cents + self.spent_cents
        if self.budget_cents is not None and self.budget_cents < gone:
            text = _("More than that is promised or spent already.")
            raise ValidationError({"budget_cents": text})
        if self.redemptions_max is not None and self.redemptions_max < self.redeemed:
            text = _("More people than that have redeemed it already.")
            raise ValidationError({"redemptions_max": text})

    @property
    def worth_cents(self) -> int:
        """What one redemption takes out of the budget at most; 0 where there is none."""
        if self.budget_cents is None:
            return 0
        return self.cents or self.most_cents or 0


class PromoRedemptionQuerySet(models.QuerySet["PromoRedemption"]):
    """Redemptions by who may see them."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for operators those of their codes."""
        if user.is_superuser:
            return self
        theirs = user.organisations_as(*SELLERS)
        return self.filter(Q(user=user) | Q(promo__organisation__in=theirs))


class PromoRedemption(PublicModel):
    """That a person redeemed a code, and on which ride it was spent."""

    moves: ClassVar = {"state": REDEMPTION_MOVES}

    promo = models.ForeignKey(
        PromoCode, models.PROTECT, related_name="redemptions", verbose_name=_("promo code")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person")
    )
    # The how-many-eth of this person.
    number = models.PositiveSmallIntegerField(_("number"))
    state = models.CharField(
        _("state"), max_length=12, choices=RedemptionState, default=RedemptionState.REDEEMED
    )
    redeemed_at = models.DateTimeField(_("redeemed at"))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    promised_cents = models.PositiveIntegerField(_("promised"), default=0)
    saved_cents = models.PositiveIntegerField(_("saved"), default=0)
    used_ref = models.CharField(_("used for"), max_length=80, blank=True)

    objects = PromoRedemptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("redeemed code")
        verbose_name_plural = _("redeemed codes")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["promo", "user", "number"], name="redemption_number_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["user"],
                name="redemption_waiting",
                condition=Q(state=RedemptionState.REDEEMED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.promo_id} · {self.state}"
