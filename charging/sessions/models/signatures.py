"""Signed meter values kept as they came, and the keys that verify them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.sessions.models.sessions import ChargingSession
from charging.sessions.states import KeySource, SignatureState
from charging.stations.scoping import operated_by
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


class MeterKeyQuerySet(models.QuerySet["MeterKey"]):
    """Keys by operator."""

    def visible_to(self, user: Person) -> Self:
        """Operators see the keys of their own stations."""
        return self.filter(operated_by(user, site="station__site"))


class MeterKey(PublicModel):
    """The public key of a meter: as staff read it off the device, or as the station first told it."""

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="meter_keys",
        verbose_name=_("station"),
    )
    evse = models.ForeignKey(
        "charging.Evse",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="meter_keys",
        verbose_name=_("EVSE"),
        help_text=_("Left out, the key is that of the whole station."),
    )
    public_key = models.TextField(_("public key (DER, hexadecimal)"))
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    curve = models.CharField(_("curve"), max_length=24, blank=True)
    source = models.CharField(
        _("source"), max_length=8, choices=KeySource, default=KeySource.OPERATOR
    )
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)

    objects = MeterKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("meter key")
        verbose_name_plural = _("meter keys")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "evse"],
                condition=Q(valid_until__isnull=True),
                nulls_distinct=False,
                name="meter_key_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.station} {self.fingerprint[:12]}"


class SignedValueQuerySet(models.QuerySet["SignedValue"]):
    """Signed values by operator."""

    def visible_to(self, user: Person) -> Self:
        """Operators see the values of their own stations."""
        return self.filter(operated_by(user, site="station__site"))


class SignedValue(PublicModel):
    """A signed reading: `signed_data` and `public_key` are what came, character for character.

    The database refuses to change what came; only the verdict on it and its session may.
    """

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.PROTECT,
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
        related_name="signed_values",
        verbose_name=_("session"),
    )
    at = models.DateTimeField(_("at"))
    context = models.CharField(_("context"), max_length=24, blank=True)
    fingerprint = models.UUIDField(_("fingerprint"))
    signed_data = models.TextField(_("signed data as sent"))
    public_key = models.TextField(_("public key as sent"), blank=True)
    signing_method = models.CharField(_("signing method"), max_length=50, blank=True)
    encoding_method = models.CharField(_("encoding"), max_length=50, blank=True)

    state = models.CharField(
        _("verification"),
        max_length=12,
        choices=SignatureState,
        default=SignatureState.UNCHECKED,
    )
    checked_at = models.DateTimeField(_("checked at"), null=True, blank=True)
    key = models.ForeignKey(
        MeterKey,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("checked with"),
    )
    register_wh = models.BigIntegerField(_("signed register (Wh)"), null=True, blank=True)
    meter_serial = models.CharField(_("meter"), max_length=60, blank=True)
    details = models.JSONField(_("what it says"), default=dict, blank=True)

    objects = SignedValueQuerySet.as_manager()

    class Meta:
        verbose_name = _("signed value")
        verbose_name_plural = _("signed values")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["station", "fingerprint"], name="signed_value_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["connector", "at"],
                name="signed_value_unattached",
                condition=Q(session__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.state}"
