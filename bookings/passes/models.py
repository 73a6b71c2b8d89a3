"""Passes on offer and bought, promo codes and who redeemed them, verified discounts, and what rides used."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from bookings.passes.states import (
    LIVE,
    PASS_MOVES,
    REDEMPTION_MOVES,
    PassShape,
    PassState,
    RedemptionState,
)
from fleet.vehicles.states import Kind
from mobility.accounts.scoping import OrganisationScoped
from mobility.accounts.states import Role
from mobility.core.models import PublicModel
from mobility.core.money import EUR
from mobility.core.texts import LocalizedField, pick

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User

OFFER_READERS = frozenset({Role.FLEET_OPERATOR, Role.CITY_OFFICER})
SELLERS = (Role.FLEET_OPERATOR,)


def _kinds() -> ArrayField[Any, Any]:
    return ArrayField(
        models.CharField(max_length=20, choices=Kind.choices), verbose_name=_("vehicle kinds")
    )


class PassProductQuerySet(OrganisationScoped["PassProduct"]):
    """What is on offer, by who edits it."""

    staff_roles = OFFER_READERS

    def on_sale(self) -> Self:
        """What people may buy now."""
        return self.filter(on_sale=True)


class PassProduct(PublicModel):
    """A pass as it is sold today; what was sold keeps the terms of its day."""

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    code = models.SlugField(_("code"), max_length=40)
    title = LocalizedField(_("name"))
    vehicle_kinds = _kinds()
    shape = models.CharField(_("shape"), max_length=10, choices=PassShape)
    minutes = models.PositiveIntegerField(
        _("free minutes"), help_text=_("Of a bundle in all, of a period with every trip.")
    )
    free_unlock = models.BooleanField(_("unlocking is free"), default=False)
    days = models.PositiveSmallIntegerField(
        _("days it lasts"), validators=[MinValueValidator(1), MaxValueValidator(366)]
    )
    price_cents = models.PositiveIntegerField(_("price"))
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    vat_rate = models.DecimalField(_("VAT rate"), max_digits=5, decimal_places=4)
    renewable = models.BooleanField(_("may renew itself"), default=True)
    on_sale = models.BooleanField(_("on sale"), default=True)

    objects = PassProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("pass on offer")
        verbose_name_plural = _("passes on offer")
        ordering: ClassVar = ["organisation", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "code"], name="pass_product_once"),
            models.CheckConstraint(
                condition=Q(vat_rate__gte=0, vat_rate__lt=1), name="pass_vat_is_a_share"
            ),
            models.CheckConstraint(condition=Q(days__gte=1), name="pass_product_lasts"),
            models.CheckConstraint(
                condition=~Q(shape=PassShape.BUNDLE) | Q(minutes__gte=1),
                name="pass_bundle_has_minutes",
                violation_error_message=_("A bundle has at least one minute."),
            ),
        ]

    def __str__(self) -> str:
        return pick(self.title)

    def terms(self) -> dict[str, Any]:
        """What is promised to whoever buys now, as JSON."""
        return {
            "title": self.title,
            "shape": self.shape,
            "minutes": self.minutes,
            "free_unlock": self.free_unlock,
            "days": self.days,
            "price_cents": self.price_cents,
            "currency": self.currency,
            "vat_rate": str(self.vat_rate),
            "vehicle_kinds": list(self.vehicle_kinds),
        }


class PassQuerySet(models.QuerySet["Pass"]):
    """Bought passes by who may see them and what counts."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for operators those they sold."""
        if user.is_superuser:
            return self
        return self.filter(Q(user=user) | Q(organisation__in=user.organisations_as(*SELLERS)))

    def valid_at(self, at: "datetime.datetime") -> Self:
        """Those that one may ride on at the instant."""
        return self.filter(state=PassState.ACTIVE, starts_at__lte=at, ends_at__gt=at).exclude(
            minutes_left=0
        )


class Pass(PublicModel):
    """A pass somebody bought, on the terms of that day."""

    moves: ClassVar = {"state": PASS_MOVES}

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="passes", verbose_name=_("person")
    )
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    product = models.ForeignKey(
        PassProduct, models.PROTECT, related_name="sold", verbose_name=_("pass on offer")
    )
    payment = models.OneToOneField(
        "bookings.Payment",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("payment"),
    )
    # A pass is renewed once; the database decides which of two sweeps does it.
    renews = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="renewed_by",
        verbose_name=_("renews"),
    )
    state = models.CharField(
        _("state"), max_length=12, choices=PassState, default=PassState.PENDING
    )
    terms = models.JSONField(_("terms as sold"))
    vehicle_kinds = _kinds()
    bought_at = models.DateTimeField(_("bought at"))
    # Of a pass that waits for its money: when it is meant to begin, if not at once.
    starts_at = models.DateTimeField(_("valid from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("valid until"), null=True, blank=True)
    # What is left of a bundle; a pass for a period has none to use up.
    minutes_left = models.PositiveIntegerField(_("minutes left"), null=True, blank=True)
    uses = models.PositiveIntegerField(_("rides on it"), default=0)
    auto_renew = models.BooleanField(_("renews itself"), default=False)

    objects = PassQuerySet.as_manager()

    class Meta:
        verbose_name = _("pass")
        verbose_name_plural = _("passes")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state=PassState.ACTIVE) | Q(ends_at__gt=F("starts_at")),
                name="active_pass_has_its_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="pass_by_user"),
            models.Index(fields=["ends_at"], name="pass_over", condition=Q(state=PassState.ACTIVE)),
            models.Index(fields=["user"], name="pass_live", condition=Q(state__in=LIVE)),
        ]

    def __str__(self) -> str:
        return f"{pick(self.terms.get('title'))} · {self.state}"


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
    vehicle_kinds = _kinds()
    valid = DateTimeRangeField(_("valid"), help_text=_("From (included) until (excluded)."))
    percent = models.PositiveSmallIntegerField(_("percent off"), default=0)
    cents = models.PositiveIntegerField(_("cents off"), default=0)
    minutes = models.PositiveIntegerField(_("free minutes"), default=0)
    most_cents = models.PositiveIntegerField(_("cents off at most"), null=True, blank=True)
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
        """Codes are typed in any case and kept in one."""
        self.code = self.code.strip().upper()

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


class DiscountStatusQuerySet(OrganisationScoped["DiscountStatus"]):
    """Verified people, by who verified them."""

    staff_roles = OFFER_READERS


class DiscountStatus(models.Model):
    """That a person's right to a discount was verified, and until when. Why is nobody's business here."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person")
    )
    organisation = models.ForeignKey(
        "mobility.Organisation",
        models.PROTECT,
        related_name="+",
        verbose_name=_("organisation"),
        help_text=_("The city's verification counts with every operator."),
    )
    verified_until = models.DateTimeField(_("verified until"))

    objects = DiscountStatusQuerySet.as_manager()

    class Meta:
        verbose_name = _("verified discount")
        verbose_name_plural = _("verified discounts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "organisation"], name="discount_status_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.verified_until:%Y-%m-%d}"


class PerkUseQuerySet(models.QuerySet["PerkUse"]):
    """Used perks by who may see them."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for operators those of their rides."""
        if user.is_superuser:
            return self
        return self.filter(Q(user=user) | Q(organisation__in=user.organisations_as(*SELLERS)))


class PerkUse(models.Model):
    """What one ride was priced at with perks; written once, so that pricing twice answers the same."""

    ref = models.CharField(_("used for"), max_length=80, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person")
    )
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    tariff = models.ForeignKey(
        "bookings.Tariff",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("tariff"),
    )
    started_at = models.DateTimeField(_("ride began at"))
    at = models.DateTimeField(_("at"))
    granted = models.JSONField(_("perks granted"))
    lines = models.JSONField(_("price"))
    # What unlocking and time came to: the part that counts into the person's day.
    time_cents = models.PositiveIntegerField(_("cents of time"))

    objects = PerkUseQuerySet.as_manager()

    class Meta:
        verbose_name = _("used perk")
        verbose_name_plural = _("used perks")
        indexes: ClassVar = [
            models.Index(fields=["user", "tariff", "started_at"], name="perk_use_of_the_day"),
        ]

    def __str__(self) -> str:
        return self.ref


class PassUse(models.Model):
    """A ride on a pass, and the minutes it took."""

    perk_use = models.ForeignKey(
        PerkUse, models.PROTECT, related_name="passes", verbose_name=_("used perk")
    )
    bought = models.ForeignKey(Pass, models.PROTECT, related_name="rides", verbose_name=_("pass"))
    minutes = models.PositiveIntegerField(_("minutes"))

    class Meta:
        verbose_name = _("ride on a pass")
        verbose_name_plural = _("rides on passes")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["perk_use", "bought"], name="pass_use_once"),
        ]

    def __str__(self) -> str:
        return f"{self.bought_id} · {self.minutes}"
