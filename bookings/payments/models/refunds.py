"""Money given back."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.models.payments import Payment
from bookings.payments.models.scoping import MoneyQuerySet
from bookings.payments.states import REFUND_MOVES, RefundState, RefundWay
from mobility.core.models import PublicModel
from mobility.core.money import format_money


class Refund(PublicModel):
    """Money given back; the sum of a payment's refunds never exceeds what it came to."""

    moves: ClassVar = {"state": REFUND_MOVES}
    owner_path: ClassVar = "payment__payer"
    organisation_path: ClassVar = "payment__organisation"

    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="refunds", verbose_name=_("payment")
    )
    state = models.CharField(
        _("state"), max_length=12, choices=RefundState, default=RefundState.REQUESTED
    )
    way = models.CharField(_("way"), max_length=8, choices=RefundWay, default=RefundWay.CARD)
    cents = models.PositiveIntegerField(_("amount"))
    # Gross cents by VAT rate, where a new version of the price says what became cheaper.
    shares = models.JSONField(_("shares by VAT rate"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    by = models.CharField(_("by"), max_length=100)
    needs_approval = models.BooleanField(_("needs a second person"), default=False)
    approver = models.CharField(_("decided by"), max_length=100, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    requested_at = models.DateTimeField(_("requested at"))
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    objects = MoneyQuerySet["Refund"].as_manager()

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(cents__gt=0), name="refund_is_money"),
            # Four eyes: nobody approves what they asked for, and nothing goes out unapproved.
            models.CheckConstraint(condition=~Q(approver=F("by")), name="refund_four_eyes"),
            models.CheckConstraint(
                condition=Q(needs_approval=False)
                | Q(state__in=[RefundState.PROPOSED, RefundState.REJECTED])
                | ~Q(approver=""),
                name="refund_approved_first",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"], name="refund_waiting", condition=Q(state="requested")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment} {format_money(-self.cents, self.currency)}"

    @property
    def currency(self) -> str:
        """The payment's."""
        return self.payment.currency
