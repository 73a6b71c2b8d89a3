"""What providers tell us and what their statements say, held against our own books."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.models.payments import Payment
from bookings.payments.models.refunds import Refund
from bookings.payments.models.scoping import MoneyQuerySet
from bookings.payments.reconciliation.states import (
    ANOMALY_MOVES,
    WEBHOOK_MOVES,
    AnomalyKind,
    AnomalyState,
    WebhookState,
)
from mobility.core.models import PublicModel
from mobility.core.money import EUR


class ProviderWebhook(models.Model):
    """One event of a provider, kept once however often it is delivered; only what we need of it."""

    moves: ClassVar = {"state": WEBHOOK_MOVES}

    provider = models.CharField(_("provider"), max_length=20)
    event_id = models.CharField(_("event"), max_length=80)
    kind = models.CharField(_("kind"), max_length=16)
    wire_type = models.CharField(_("type"), max_length=60)
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    key = models.CharField(_("key"), max_length=120, blank=True)
    cents = models.BigIntegerField(_("amount"), default=0)
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    happened_at = models.DateTimeField(_("happened at"))
    received_at = models.DateTimeField(_("received at"))
    deliveries = models.PositiveIntegerField(_("deliveries"), default=1)
    state = models.CharField(
        _("state"), max_length=12, choices=WebhookState, default=WebhookState.RECEIVED
    )
    processed_at = models.DateTimeField(_("processed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("provider's webhook")
        verbose_name_plural = _("providers' webhooks")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["received_at"],
                name="webhook_open",
                condition=Q(state__in=["received", "unmatched"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"


class StatementLine(models.Model):
    """One movement of money as the provider states it; matched to a payment or a refund of ours."""

    owner_path: ClassVar = ""
    organisation_path: ClassVar = "payment__organisation"

    provider = models.CharField(_("provider"), max_length=20)
    line_id = models.CharField(_("line"), max_length=80)
    kind = models.CharField(_("kind"), max_length=12)
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    key = models.CharField(_("key"), max_length=120, blank=True)
    cents = models.BigIntegerField(_("amount"))
    fee_cents = models.BigIntegerField(_("provider's fee"), default=0)
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    at = models.DateTimeField(_("at"))
    payment = models.ForeignKey(
        Payment, models.PROTECT, null=True, related_name="+", verbose_name=_("payment")
    )
    refund = models.ForeignKey(
        Refund, models.PROTECT, null=True, related_name="+", verbose_name=_("refund")
    )

    objects = MoneyQuerySet["StatementLine"].as_manager()

    class Meta:
        verbose_name = _("statement line")
        verbose_name_plural = _("statement lines")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "line_id"], name="statement_line_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["provider", "at"], name="statement_line_day"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.line_id}"


class Reconciliation(models.Model):
    """One day of one provider, held against the books; repeated until nothing changes."""

    provider = models.CharField(_("provider"), max_length=20)
    day = models.DateField(_("day"))
    ran_at = models.DateTimeField(_("made at"))
    lines = models.PositiveIntegerField(_("lines"), default=0)
    matched = models.PositiveIntegerField(_("matched"), default=0)
    stated_cents = models.BigIntegerField(_("stated by the provider"), default=0)
    fee_cents = models.BigIntegerField(_("provider's fees"), default=0)
    booked_cents = models.BigIntegerField(_("booked by us"), default=0)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "day"], name="reconciliation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.day}"


class Anomaly(PublicModel):
    """Something about money that does not agree, until a person has explained or resolved it."""

    moves: ClassVar = {"state": ANOMALY_MOVES}
    owner_path: ClassVar = ""
    organisation_path: ClassVar = "organisation"

    organisation = models.ForeignKey(
        "mobility.Organisation",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("organisation"),
    )
    provider = models.CharField(_("provider"), max_length=20)
    kind = models.CharField(_("kind"), max_length=20, choices=AnomalyKind)
    # What it is about; the same thing is found again every night and stays one row.
    subject = models.CharField(_("subject"), max_length=120)
    payment = models.ForeignKey(
        Payment, models.PROTECT, null=True, related_name="+", verbose_name=_("payment")
    )
    refund = models.ForeignKey(
        Refund, models.PROTECT, null=True, related_name="+", verbose_name=_("refund")
    )
    line = models.ForeignKey(
        StatementLine,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("statement line"),
    )
    booked_cents = models.BigIntegerField(_("booked by us"), default=0)
    stated_cents = models.BigIntegerField(_("stated by the provider"), default=0)
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    found_at = models.DateTimeField(_("found at"))
    state = models.CharField(
        _("state"), max_length=12, choices=AnomalyState, default=AnomalyState.OPEN
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=100, blank=True)

    objects = MoneyQuerySet["Anomaly"].as_manager()

    class Meta:
        verbose_name = _("money anomaly")
        verbose_name_plural = _("money anomalies")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "subject"], name="anomaly_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["found_at"], name="anomaly_open", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.subject}"
