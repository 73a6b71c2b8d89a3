"""What rides used of passes, codes and a person's day."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.passes.models.passes import Pass
from bookings.passes.models.scopes import SELLERS

if TYPE_CHECKING:
    from mobility.accounts.models import User


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
    time_cents = models.PositiveIntegerField(_("value of the time"))

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
