"""What an organisation decides about its money: limits, goodwill, the catalogue of fees."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.models.scoping import MONEY_READERS, Row
from bookings.payments.states import Situation
from mobility.core.texts import LocalizedField

if TYPE_CHECKING:
    from mobility.accounts.models import User


class PolicyQuerySet(models.QuerySet[Row]):
    """Rows of an organisation that the staff of its money see and edit."""

    def visible_to(self, user: "User") -> Self:
        """Those of the organisations whose money the person looks after."""
        return self.run_by(user, *MONEY_READERS)

    def run_by(self, user: "User", *roles: str) -> Self:
        """Those of the organisations for which the person acts in one of `roles`."""
        if user.is_superuser:
            return self
        return self.filter(organisation__in=user.organisations_as(*roles))


class PaymentPolicy(models.Model):
    """An organisation's limits; where it has set none, the defaults of these columns hold."""

    organisation = models.OneToOneField(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    refund_limit_cents = models.PositiveIntegerField(
        _("refunds above need a second person"),
        default=5000,
        help_text=_("In cents. Refunds that a rule gives are never above it."),
    )
    top_up_min_cents = models.PositiveIntegerField(_("smallest top-up"), default=500)
    top_up_max_cents = models.PositiveIntegerField(_("largest top-up"), default=20000)
    credit_max_cents = models.PositiveIntegerField(_("most credit"), default=50000)
    dispute_days = models.PositiveSmallIntegerField(_("days to dispute a fee"), default=7)
    link_days = models.PositiveSmallIntegerField(_("days a payment link opens"), default=14)

    objects = PolicyQuerySet["PaymentPolicy"].as_manager()

    class Meta:
        verbose_name = _("payment policy")
        verbose_name_plural = _("payment policies")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(top_up_min_cents__lte=F("top_up_max_cents")), name="top_up_range"
            ),
        ]

    def __str__(self) -> str:
        return str(self.organisation)


class GoodwillRule(models.Model):
    """What goes back by itself when something went wrong: a share of the price, up to a limit."""

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    situation = models.CharField(_("situation"), max_length=20, choices=Situation)
    percent = models.PositiveSmallIntegerField(
        _("share of the price (%)"), validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    max_cents = models.PositiveIntegerField(_("at most"))
    active = models.BooleanField(_("active"), default=True)

    objects = PolicyQuerySet["GoodwillRule"].as_manager()

    class Meta:
        verbose_name = _("goodwill rule")
        verbose_name_plural = _("goodwill rules")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "situation"], name="one_goodwill_a_situation"
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=1, percent__lte=100), name="goodwill_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.get_situation_display()}"


class FeeKind(models.Model):
    """An entry of an organisation's catalogue of fees."""

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    code = models.SlugField(_("code"), max_length=30)
    title = LocalizedField(_("title"))
    cents = models.PositiveIntegerField(_("amount"))
    vat_rate = models.DecimalField(
        _("VAT rate"),
        max_digits=5,
        decimal_places=4,
        default=0,
        help_text=_("0 for penalties, which are outside of VAT."),
    )
    active = models.BooleanField(_("active"), default=True)

    objects = PolicyQuerySet["FeeKind"].as_manager()

    class Meta:
        verbose_name = _("kind of fee")
        verbose_name_plural = _("kinds of fees")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "code"], name="fee_kind_once"),
            models.CheckConstraint(
                condition=Q(vat_rate__gte=0, vat_rate__lt=1) & Q(cents__gt=0),
                name="fee_kind_is_a_price",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.code}"
