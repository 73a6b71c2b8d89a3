"""Money given back."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.models.payments import Payment
from bookings.payments.models.scoping import MoneyQuerySet
from bookings.payments.states import REFUND_MOVES, RefundState
from mobility.core.models import PublicModel


class Refund(PublicModel):
    """Money given back; the sum of a payment's refunds never exceeds what was collected."""

    moves: ClassVar = {"state": REFUND_MOVES}
    owner_path: ClassVar = "payment__payer"
    organisation_path: ClassVar = "payment__organisation"

    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="refunds", verbose_name=_("payment")
    )
    state = models.CharField(
        _("state"), max_length=12, choices=RefundState, default=RefundState.REQUESTED
    )
    cents = models.PositiveIntegerField(_("amount"))
    reason = models.CharField(_("reason"), max_length=200)
    by = models.CharField(_("by"), max_length=100)
    requested_at = models.DateTimeField(_("requested at"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    objects = MoneyQuerySet["Refund"].as_manager()

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(cents__gt=0), name="refund_is_money"),
        ]

    def __str__(self) -> str:
        return f"{self.payment} −{self.cents}"
