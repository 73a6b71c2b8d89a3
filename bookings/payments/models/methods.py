"""Cards on file."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from mobility.accounts.models import User


class PaymentMethodQuerySet(models.QuerySet["PaymentMethod"]):
    """Methods by owner."""

    def visible_to(self, user: "User") -> Self:
        """A person's own; staff have no business with them."""
        return self if user.is_superuser else self.filter(user=user)

    def usable(self) -> Self:
        """Not removed, the default one first."""
        return self.filter(removed_at__isnull=True).order_by("-is_default", "-id")

    def paying(self, organisation_id: int) -> Self:
        """Those that pay this organisation: every card, and the credit held there."""
        return self.usable().filter(
            Q(organisation__isnull=True) | Q(organisation_id=organisation_id)
        )


class PaymentMethod(PublicModel):
    """A card on file, known to us only by the provider's token and what is printed on its face."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="payment_methods",
        verbose_name=_("person"),
    )
    provider = models.CharField(_("provider"), max_length=20)
    token = models.CharField(_("token"), max_length=80)
    label = models.CharField(_("label"), max_length=60)
    # A person's credit pays only where it was topped up; cards pay everywhere.
    organisation = models.ForeignKey(
        "mobility.Organisation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("organisation"),
    )
    is_default = models.BooleanField(_("default"), default=False)
    created_at = models.DateTimeField(_("added at"))
    removed_at = models.DateTimeField(_("removed at"), null=True, blank=True)

    objects = PaymentMethodQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment method")
        verbose_name_plural = _("payment methods")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(is_default=True, removed_at__isnull=True),
                name="one_default_payment_method",
            ),
            models.UniqueConstraint(
                fields=["user", "organisation"],
                condition=Q(organisation__isnull=False),
                name="one_wallet_an_organisation",
            ),
        ]

    def __str__(self) -> str:
        return self.label
