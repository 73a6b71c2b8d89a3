"""Stations: a charger, its identity, its password, its connection."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.stations.models.sites import Site
from charging.stations.scoping import operated_by, seen_by
from charging.stations.states import REGISTRATION_MOVES, ConnectorStatus, Registration
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person

OCPP_VERSIONS = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")
# A station that sent nothing for this many heartbeat intervals is offline, socket or not.
SILENT_INTERVALS = 3


def all_ocpp_versions() -> list[str]:
    """Subprotocols that a new station may speak."""
    return list(OCPP_VERSIONS)


class StationQuerySet(models.QuerySet["ChargingStation"]):
    """Stations by owner."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(seen_by(user, site="site"))

    def operated_by(self, user: Person) -> Self:
        """What this person may command."""
        return self.filter(operated_by(user, site="site"))


class ChargingStation(PublicModel):
    """A charger: one OCPP identity, one password, one socket at a time.

    `connection_epoch` counts connections; the newest owns the station, and everything an older
    one still does (closing, finishing commands) is recognised by its epoch and changes nothing.
    """

    moves: ClassVar = {"registration": REGISTRATION_MOVES}

    site = models.ForeignKey(
        Site,
        on_delete=models.PROTECT,
        related_name="stations",
        verbose_name=_("site"),
    )
    identity = models.CharField(_("identity"), max_length=48, unique=True)
    vendor = models.CharField(_("vendor"), max_length=50, blank=True)
    model = models.CharField(_("model"), max_length=50, blank=True)
    serial = models.CharField(_("serial number"), max_length=50, blank=True)
    firmware = models.CharField(_("firmware"), max_length=50, blank=True)
    boot_reason = models.CharField(_("boot reason"), max_length=30, blank=True)
    boot_details = models.JSONField(_("boot details"), default=dict, blank=True)
    booted_at = models.DateTimeField(_("booted at"), null=True, blank=True)
    boot_interval_s = models.PositiveIntegerField(_("heartbeat interval (s)"), default=300)

    security_profile = models.PositiveSmallIntegerField(_("security profile"), default=1)
    next_security_profile = models.PositiveSmallIntegerField(
        _("ordered security profile"),
        null=True,
        blank=True,
        help_text=_("Becomes the station's profile when it first connects with it."),
    )
    revoked_certificates = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("revoked client certificates"),
        default=list,
        blank=True,
        help_text=_("Serial numbers, hexadecimal."),
    )
    password_hash = models.CharField(_("password hash"), max_length=200, blank=True)
    previous_password_hash = models.CharField(
        _("previous password hash"),
        max_length=200,
        blank=True,
    )
    registration = models.CharField(
        _("registration"),
        max_length=10,
        choices=Registration,
        default=Registration.ACCEPTED,
    )
    ocpp_versions = ArrayField(
        models.CharField(max_length=12),
        verbose_name=_("allowed OCPP versions"),
        default=all_ocpp_versions,
    )

    connection_epoch = models.PositiveBigIntegerField(_("connection number"), default=0)
    connected_at = models.DateTimeField(_("connected at"), null=True, blank=True)
    disconnected_at = models.DateTimeField(_("disconnected at"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    ocpp_version = models.CharField(_("OCPP version"), max_length=12, blank=True)
    gateway = models.CharField(_("gateway"), max_length=80, blank=True)
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=ConnectorStatus,
        default=ConnectorStatus.UNKNOWN,
    )
    status_at = models.DateTimeField(_("status since"), null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=50, blank=True)

    objects = StationQuerySet.as_manager()

    class Meta:
        verbose_name = _("charging station")
        verbose_name_plural = _("charging stations")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="station_security_profile_known",
                condition=Q(security_profile__lte=3),
            ),
            models.CheckConstraint(
                name="station_security_profile_only_rises",
                condition=Q(next_security_profile__isnull=True)
                | Q(
                    next_security_profile__gt=models.F("security_profile"),
                    next_security_profile__lte=3,
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["gateway"],
                name="station_connected",
                condition=Q(connected_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.identity

    @property
    def every_connector(self) -> list[models.Model]:
        """All connectors, EVSE by EVSE; no query where `evses__connectors` was fetched."""
        return [connector for evse in self.evses.all() for connector in evse.connectors.all()]

    def is_online(self, *, at: datetime) -> bool:
        """Whether the station has a socket and was heard within three heartbeat intervals."""
        if self.connected_at is None or self.last_seen_at is None:
            return False
        silence = timedelta(seconds=SILENT_INTERVALS * self.boot_interval_s)
        return at - self.last_seen_at <= silence
