"""Tokens, charging sessions, meter readings, and the inbox that makes repeats harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from charging.sessions.states import (
    SESSION_MOVES,
    SESSION_OPEN,
    TOKEN_MOVES,
    SessionState,
    TokenKind,
    TokenState,
)
from charging.stations.scoping import operated_by
from mobility.accounts.scoping import OrganisationScoped
from mobility.accounts.states import Role
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from datetime import datetime

    from mobility.accounts.scoping import Person


class TokenQuerySet(OrganisationScoped["Token"]):
    """Tokens by issuer; people's own app tokens are on no operator's list."""

    staff_roles = frozenset({Role.CHARGE_POINT_OPERATOR})


class Token(PublicModel):
    """A card, an app's or a vehicle's identifier; `uid` is stored in capitals (`normal_uid`)."""

    moves: ClassVar = {"state": TOKEN_MOVES}

    uid = models.CharField(_("identifier"), max_length=64, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=TokenKind, default=TokenKind.RFID)
    state = models.CharField(
        _("state"),
        max_length=8,
        choices=TokenState,
        default=TokenState.ACCEPTED,
    )
    # Why it is blocked: a debt lifts its own block, and no other.
    block_reason = models.CharField(_("blocked because of"), max_length=20, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    group = models.CharField(
        _("group"),
        max_length=36,
        blank=True,
        help_text=_("Tokens of one group may stop each other's sessions."),
    )
    allows_parallel = models.BooleanField(
        _("several sessions at a time"),
        default=False,
    )
    owner_ref = models.CharField(_("owner"), max_length=100, blank=True)
    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="charging_tokens",
        verbose_name=_("issued by"),
    )
    label = models.CharField(_("label"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("created at"))

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        indexes: ClassVar = [models.Index(fields=["owner_ref"], name="token_owner")]

    def __str__(self) -> str:
        return self.label or f"…{self.uid[-4:]}"


class InboxQuerySet(models.QuerySet["InboxMessage"]):
    """Messages by operator."""

    def visible_to(self, user: Person) -> Self:
        """Operators see the messages of their own stations."""
        return self.filter(operated_by(user, site="station__site"))


class InboxMessage(models.Model):
    """One business fact from a station and the answer it got; a repeat gets the same answer.

    The unique key is the fact's own identity (what happened, when, where), not the message's:
    stations repeat facts under new message ids after a reconnect.
    """

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("station"),
    )
    business_key = models.CharField(_("business key"), max_length=200)
    action = models.CharField(_("action"), max_length=30)
    payload = models.JSONField(_("payload"))
    answer = models.JSONField(_("answer"))
    at = models.DateTimeField(_("received at"))
    problem = models.CharField(
        _("problem"),
        max_length=200,
        blank=True,
        help_text=_("Why this message could not be processed; empty if it was."),
    )

    objects = InboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("inbox message")
        verbose_name_plural = _("inbox messages")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "business_key"],
                name="inbox_business_key",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["station", "-id"],
                name="inbox_unprocessed",
                condition=~Q(problem=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.business_key}"


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
    verdict = models.CharField(_("authorisation"), max_length=12, blank=True)

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
    price_cents = models.IntegerField(_("price (cents)"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    lines = models.JSONField(_("price lines"), default=list, blank=True)
    vat = models.JSONField(_("VAT"), default=list, blank=True)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

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


class MeterReading(models.Model):
    """What a meter said at one instant; `raw` is the element as sent, signed values included.

    The fingerprint of (connector, instant, content) makes a repeated reading one row.
    """

    id = models.BigAutoField(primary_key=True)
    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("station"),
    )
    connector = models.ForeignKey(
        "charging.Connector",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("connector"),
    )
    session = models.ForeignKey(
        ChargingSession,
        on_delete=models.SET_NULL,
        null=True,
        related_name="readings",
        db_index=False,
        verbose_name=_("session"),
    )
    at = models.DateTimeField(_("at"))
    fingerprint = models.UUIDField(_("fingerprint"))
    context = models.CharField(_("context"), max_length=24, blank=True)
    register_wh = models.BigIntegerField(_("register (Wh)"), null=True)
    power_w = models.IntegerField(_("power (W)"), null=True)
    soc_pct = models.SmallIntegerField(_("vehicle battery (%)"), null=True)
    suspect = models.BooleanField(_("suspect"), default=False)
    raw = models.JSONField(_("as sent"), default=dict)

    class Meta:
        verbose_name = _("meter reading")
        verbose_name_plural = _("meter readings")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "fingerprint"],
                name="reading_fingerprint",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["session", "at"],
                name="reading_of_session",
                condition=Q(session__isnull=False),
            ),
            models.Index(
                fields=["connector", "at"],
                name="reading_unattached",
                condition=Q(session__isnull=True),
            ),
            BrinIndex(fields=["at"], name="reading_at_brin"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.register_wh}"
