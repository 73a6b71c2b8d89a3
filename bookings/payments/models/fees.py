"""Fees that are announced, can be disputed, and are charged only then."""

import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.models.payments import Payment
from bookings.payments.models.policies import FeeKind
from bookings.payments.models.scoping import MoneyQuerySet
from bookings.payments.states import FEE_MOVES, FeeState
from mobility.core.models import PublicModel
from mobility.core.money import EUR


class FeeQuerySet(MoneyQuerySet["Fee"]):
    """Fees by what is to be done about them."""

    def ripe(self, at: datetime.datetime) -> Self:
        """Announced, and the time to dispute them is over."""
        return self.filter(state=FeeState.NOTICED, charge_after__lte=at)


class Fee(PublicModel):
    """Something a person is asked to pay beyond the price, with its reason and evidence."""

    moves: ClassVar = {"state": FEE_MOVES}
    owner_path: ClassVar = "user"
    organisation_path: ClassVar = "organisation"

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="fees", verbose_name=_("person")
    )
    kind = models.ForeignKey(
        FeeKind, models.PROTECT, related_name="fees", verbose_name=_("kind of fee")
    )
    state = models.CharField(_("state"), max_length=12, choices=FeeState, default=FeeState.PROPOSED)
    # The trip, booking or charge it is about; at most one fee of a kind for each.
    about = models.UUIDField(_("about"))
    cents = models.PositiveIntegerField(_("amount"))
    vat_rate = models.DecimalField(_("VAT rate"), max_digits=5, decimal_places=4)
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    reason = models.CharField(_("reason"), max_length=500)
    evidence = ArrayField(
        models.UUIDField(), verbose_name=_("evidence"), default=list, blank=True, size=20
    )
    proposed_by = models.CharField(_("proposed by"), max_length=100)
    proposed_at = models.DateTimeField(_("proposed at"))
    noticed_at = models.DateTimeField(_("announced at"), null=True, blank=True)
    charge_after = models.DateTimeField(_("charged after"), null=True, blank=True)
    dispute = models.CharField(_("what the person says"), max_length=1000, blank=True)
    disputed_at = models.DateTimeField(_("disputed at"), null=True, blank=True)
    decision = models.CharField(_("decision"), max_length=500, blank=True)
    payment = models.OneToOneField(
        Payment,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="fee",
        verbose_name=_("payment"),
    )

    objects = FeeQuerySet.as_manager()

    class Meta:
        verbose_name = _("fee")
        verbose_name_plural = _("fees")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "about"], name="one_fee_of_a_kind"),
            # Never charged unannounced.
            models.CheckConstraint(
                condition=~Q(state=FeeState.CHARGED)
                | Q(noticed_at__isnull=False, charge_after__isnull=False, payment__isnull=False),
                name="fee_announced_first",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["charge_after"], name="fee_ripe", condition=Q(state="noticed")),
            models.Index(fields=["user", "-id"], name="fee_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"
