"""Passes on offer, and passes bought on the terms of their day."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bookings.passes.models.scopes import OFFER_READERS, SELLERS, good_for
from bookings.passes.states import LIVE, PASS_MOVES, PassShape, PassState
from mobility.accounts.scoping import OrganisationScoped
from mobility.core.models import PublicModel
from mobility.core.money import EUR
from mobility.core.texts import LocalizedField, pick

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User


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
    vehicle_kinds = good_for()
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
    vehicle_kinds = good_for()
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
