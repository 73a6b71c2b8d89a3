"""Verified discounts."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from bookings.passes.models.scopes import OFFER_READERS
from mobility.accounts.scoping import OrganisationScoped


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
