"""Charging sessions: one vehicle charging once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from charging.sessions.states import SESSION_MOVES, SESSION_OPEN, SessionState, SignatureState
from charging.stations.scoping import operated_by
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from datetime import datetime

    from mobility.accounts.scoping import Person


class SessionQuerySet(models.QuerySet["ChargingSession"]):
    """Sessions by operator and by how far they got."""

    def visible_to(self, user: Person) -> Self:
        """Operators see the sessions on their own stations."""
        return self.filter(operated_by(user, site="station__site"))

    def open(self) -> Self:
        """Begun and not over."""
        return self.filter(state__in=SESSION_OPEN)

    def to_settle(self, *, before: datetime) -> Self:
        """Ended and complete, or ended with gaps and reported before `before`."""
        return self.filter(state=SessionState.ENDED).filter(
            Q(complete=True) | Q(end_reported_at__lt=before),
        )

    def silent_since(self, at: datetime) -> Self:
        """Open, and nothing was heard of them since."""
        return self.open().filter(heard_at__lt=at)


class ChargingSession(PublicModel):
    """One vehicle charging once. Instants are the station's, energy its registers' in Wh."""

    moves: ClassVar = {"state": SESSION_MOVES}

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.PROTECT,
        related_name="sessions",
        verbose_name=_("station"),
    )
    connector = models.ForeignKey(
        "charging.Connector",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="sessions",
        verbose_name=_("connector"),
    )
    transaction_ref = models.CharField(_("transaction"), max_length=64)
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=SessionState,
        default=SessionState.CHARGING,
    )
    charging_state = models.CharField(_("reported state"), max_length=20, blank=True)
    token_uid = models.CharField(_("token"), max_length=64, blank=True)
    owner_ref = models.CharField(_("owner"), max_length=100, blank=True)
    purpose_ref = models.CharField(_("purpose"), max_length=80, blank=True)
    verdict = models.CharField(_("authorisation"), max_length=20, blank=True)

    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    heard_at = models.DateTimeField(_("last heard"))
    end_reported_at = models.DateTimeField(_("end reported at"), null=True, blank=True)
    meter_start_wh = models.BigIntegerField(_("register at start (Wh)"), null=True, blank=True)
    meter_stop_wh = models.BigIntegerField(_("register at end (Wh)"), null=True, blank=True)
    last_register_wh = models.BigIntegerField(_("last register (Wh)"), null=True, blank=True)
    last_register_at = models.DateTimeField(_("last register at"), null=True, blank=True)
    charged_until = models.DateTimeField(_("register last rose at"), null=True, blank=True)
    power_w = models.IntegerField(_("power (W)"), null=True, blank=True)
    soc_pct = models.SmallIntegerField(_("vehicle battery (%)"), null=True, blank=True)
    energy_wh = models.PositiveBigIntegerField(_("energy (Wh)"), default=0)
    # Where parking begins: what the tariff counts as time connected without charging.
    charging_ended_at = models.DateTimeField(_("charging ended at"), null=True, blank=True)
    signature = models.CharField(
        _("signed values"), max_length=12, choices=SignatureState, blank=True
    )
    stop_reason = models.CharField(_("stop reason"), max_length=30, blank=True)
    stop_token_uid = models.CharField(_("stopped with"), max_length=64, blank=True)

    seq_first = models.IntegerField(_("first message number"), null=True, blank=True)
    seq_last = models.IntegerField(_("last message number"), null=True, blank=True)
    seq_next = models.IntegerField(_("next message number"), default=0)
    seq_missing = ArrayField(
        models.IntegerField(),
        verbose_name=_("missing message numbers"),
        default=list,
        blank=True,
    )
    complete = models.BooleanField(_("complete"), default=False)
    flags = ArrayField(
        models.CharField(max_length=24),
        verbose_name=_("flags"),
        default=list,
        blank=True,
    )

    tariff_version = models.ForeignKey(
        "charging.TariffVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sessions",
        verbose_name=_("tariff version"),
    )
    price_cents = models.IntegerField(_("price"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    lines = models.JSONField(_("price lines"), default=list, blank=True)
    vat = models.JSONField(_("VAT"), default=list, blank=True)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    # When its charger was last told the cost without having said anything.
    cost_told_at = models.DateTimeField(_("cost told at"), null=True, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("charging session")
        verbose_name_plural = _("charging sessions")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "transaction_ref"],
                name="session_transaction",
            ),
            models.CheckConstraint(
                name="session_ends_after_start",
                condition=Q(ended_at__isnull=True)
                | Q(started_at__isnull=True)
                | Q(ended_at__gte=F("started_at")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["connector", "-started_at"],
                name="session_of_connector",
            ),
            models.Index(
                fields=["token_uid"],
                name="session_open_token",
                condition=Q(state__in=sorted(SESSION_OPEN)),
            ),
            models.Index(
                fields=["heard_at"],
                name="session_open_silent",
                condition=Q(state__in=sorted(SESSION_OPEN)),
            ),
            models.Index(
                fields=["end_reported_at"],
                name="session_to_settle",
                condition=Q(state="ended"),
            ),
            models.Index(fields=["owner_ref", "-id"], name="session_of_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.transaction_ref}"
