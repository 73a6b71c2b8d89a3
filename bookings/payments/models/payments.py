"""Payments: what is promised, asked for, taken or owed."""

import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.models.methods import PaymentMethod
from bookings.payments.models.scoping import MoneyQuerySet
from bookings.payments.states import PAYMENT_MOVES, PaymentState, Purpose
from mobility.core.models import PublicModel
from mobility.core.money import EUR

# What the collector looks at: money to take, and promises to give back.
COLLECTED = (
    PaymentState.AUTHORISED,
    PaymentState.CAPTURING,
    PaymentState.DUE,
    PaymentState.OPENING,
    PaymentState.VOIDED,
)


class PaymentQuerySet(MoneyQuerySet["Payment"]):
    """Payments by what is to be done about them."""

    def due_by(self, at: datetime.datetime) -> Self:
        """Those whose next attempt has come."""
        return self.filter(state__in=COLLECTED, next_attempt_at__lte=at)

    def owed_by(self, user_id: int) -> Self:
        """What a person owes after the card refused, also while it is being asked again."""
        again = Q(state=PaymentState.CAPTURING, attempts__gt=0)
        return self.filter(Q(state=PaymentState.DUE) | again, payer_id=user_id)

    def with_method(self) -> Self:
        """Payments with all that asking a provider takes, in one query."""
        return self.select_related("method", "organisation", "payer")


class Payment(PublicModel):
    """One charge: authorised at the start, collected at the end, perhaps partly given back."""

    moves: ClassVar = {"state": PAYMENT_MOVES}
    owner_path: ClassVar = "payer"
    organisation_path: ClassVar = "organisation"

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="payments",
        verbose_name=_("paid by"),
    )
    method = models.ForeignKey(
        PaymentMethod, models.SET_NULL, null=True, related_name="+", verbose_name=_("method")
    )
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose)
    purpose_ref = models.UUIDField(_("purpose reference"))
    state = models.CharField(
        _("state"), max_length=12, choices=PaymentState, default=PaymentState.OPENING
    )
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    authorised_cents = models.PositiveIntegerField(_("authorised"))
    amount_cents = models.PositiveIntegerField(_("amount"), default=0)
    captured_cents = models.PositiveIntegerField(_("collected"), default=0)
    refunded_cents = models.PositiveIntegerField(_("given back"), default=0)
    provider = models.CharField(_("provider"), max_length=20, blank=True)
    provider_ref = models.CharField(_("provider reference"), max_length=80, blank=True)
    failure = models.CharField(_("failure"), max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # What the person has to do at the bank before the promise stands.
    action = models.JSONField(_("action required"), null=True, blank=True)
    # When the promise lapses, and since when none stands any more although it is needed.
    expires_at = models.DateTimeField(_("promise lapses at"), null=True, blank=True)
    renewals = models.PositiveSmallIntegerField(_("renewed promises"), default=0)
    uncovered_since = models.DateTimeField(_("without promise since"), null=True, blank=True)
    # What is paid ahead is sold when the money is there; until then its lines wait here.
    lines = models.JSONField(_("lines to be sold"), null=True, blank=True)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    captured_at = models.DateTimeField(_("collected at"), null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["purpose", "purpose_ref"], name="one_payment_a_purpose"
            ),
            models.CheckConstraint(
                condition=Q(refunded_cents__lte=F("amount_cents")), name="refunds_within_amount"
            ),
            models.CheckConstraint(
                condition=Q(captured_cents__lte=F("amount_cents")), name="captured_within_amount"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"],
                name="payment_next_attempt",
                condition=Q(next_attempt_at__isnull=False),
            ),
            models.Index(
                fields=["payer"],
                name="payment_debt",
                condition=Q(state="due") | Q(state="capturing", attempts__gt=0),
            ),
            models.Index(fields=["payer", "-id"], name="payment_by_payer"),
            models.Index(fields=["provider_ref"], name="payment_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.public_id}"
