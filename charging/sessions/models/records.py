"""Charge detail records: what a session came to, numbered and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.sessions.models.sessions import ChargingSession
from charging.sessions.states import RecordKind, SettlementStatus, SignatureState
from mobility.accounts.scoping import OrganisationScoped
from mobility.accounts.states import Role
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from datetime import datetime


class RecordSeries(models.Model):
    """The last number given in an operator's year; its row lock makes the numbers gapless."""

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("operator")
    )
    year = models.PositiveSmallIntegerField(_("year"))
    last_number = models.PositiveIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("record series")
        verbose_name_plural = _("record series")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "year"], name="record_series_once"),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.year}"


class RecordQuerySet(OrganisationScoped["ChargeRecord"]):
    """Records by operator and by month."""

    staff_roles = frozenset({Role.CHARGE_POINT_OPERATOR})

    def issued_between(self, start: datetime, end: datetime) -> Self:
        """Issued from `start` (inclusive) until `end` (exclusive)."""
        return self.filter(issued_at__gte=start, issued_at__lt=end)


class ChargeRecord(PublicModel):
    """One settled session (CDR), or its credit; the database refuses every change.

    Cents are gross; a credit carries the figures of what it takes back with the sign turned, so that
    sums over records are what the operator earned. Whose token it was stands at the session alone,
    which forgets it when its owner is erased.
    """

    organisation = models.ForeignKey(
        "mobility.Organisation",
        models.PROTECT,
        related_name="charge_records",
        verbose_name=_("operator"),
    )
    year = models.PositiveSmallIntegerField(_("year"))
    sequence = models.PositiveIntegerField(_("sequence"))
    number = models.CharField(_("number"), max_length=60)
    kind = models.CharField(_("kind"), max_length=6, choices=RecordKind, default=RecordKind.CHARGE)
    session = models.ForeignKey(
        ChargingSession, models.PROTECT, related_name="records", verbose_name=_("session")
    )
    credits = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="credited_by",
        verbose_name=_("takes back"),
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    issued_at = models.DateTimeField(_("issued at"))

    started_at = models.DateTimeField(_("started at"))
    ended_at = models.DateTimeField(_("ended at"))
    energy_wh = models.BigIntegerField(_("energy (Wh)"))
    charging_s = models.BigIntegerField(_("charging time (s)"))
    idle_s = models.BigIntegerField(_("parking time (s)"))
    currency = models.CharField(_("currency"), max_length=3)
    gross_cents = models.IntegerField(_("total, VAT included"))
    net_cents = models.IntegerField(_("total without VAT"))
    lines = models.JSONField(_("price lines"))
    vat = models.JSONField(_("VAT"))
    periods = models.JSONField(_("charging periods"), default=list)
    tariff = models.JSONField(_("tariff as it was"), default=dict)
    place = models.JSONField(_("place"), default=dict)
    meter = models.JSONField(_("meter"), default=dict)
    signature = models.CharField(
        _("signed values"), max_length=12, choices=SignatureState, blank=True
    )

    objects = RecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("charge detail record")
        verbose_name_plural = _("charge detail records")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "year", "sequence"], name="record_number_once"
            ),
            models.CheckConstraint(
                name="record_credits_a_charge",
                condition=Q(kind="charge", credits__isnull=True)
                | Q(kind="credit", credits__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organisation", "issued_at"], name="record_of_month"),
        ]

    def __str__(self) -> str:
        return self.number


class TerminalSettlement(models.Model):
    """What a station's payment terminal says it collected (OCPP 2.1 NotifySettlement)."""

    station = models.ForeignKey(
        "charging.ChargingStation",
        models.PROTECT,
        related_name="settlements",
        verbose_name=_("station"),
    )
    session = models.ForeignKey(
        ChargingSession,
        models.SET_NULL,
        null=True,
        related_name="settlements",
        verbose_name=_("session"),
    )
    transaction_ref = models.CharField(_("transaction"), max_length=64, blank=True)
    psp_ref = models.CharField(_("payment reference"), max_length=255)
    status = models.CharField(_("status"), max_length=8, choices=SettlementStatus)
    amount_cents = models.IntegerField(_("amount"))
    settled_at = models.DateTimeField(_("settled at"))
    receipt_url = models.CharField(_("receipt"), max_length=2000, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    reported_at = models.DateTimeField(_("reported at"))

    class Meta:
        verbose_name = _("terminal payment")
        verbose_name_plural = _("terminal payments")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "psp_ref", "status", "settled_at"],
                name="terminal_settlement_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.psp_ref} {self.status}"
