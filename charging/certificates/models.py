"""Certificates of stations, what they asked for and what they hold, and their security events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from charging.certificates.states import (
    CERTIFICATE_MOVES,
    REQUEST_MOVES,
    CertificateKind,
    CertificateState,
    RequestState,
)
from charging.stations.models import ChargingStation
from charging.stations.scoping import operated_by
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


class OfStationQuerySet(models.QuerySet[Any]):
    """Rows of stations by who operates the station."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(operated_by(user, site="station__site"))


class StationCertificate(PublicModel):
    """A certificate our authority signed for a station."""

    moves: ClassVar = {"state": CERTIFICATE_MOVES}

    station = models.ForeignKey(
        ChargingStation,
        on_delete=models.CASCADE,
        related_name="certificates",
        verbose_name=_("station"),
    )
    kind = models.CharField(_("purpose"), max_length=20, choices=CertificateKind)
    state = models.CharField(
        _("state"),
        max_length=12,
        choices=CertificateState,
        default=CertificateState.ISSUED,
    )
    serial = models.CharField(_("serial number"), max_length=40, unique=True)
    subject = models.CharField(_("subject"), max_length=300)
    pem = models.TextField(_("certificate"))
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"))
    issued_at = models.DateTimeField(_("issued at"))
    used_at = models.DateTimeField(_("first used"), null=True, blank=True)
    renewal_asked_at = models.DateTimeField(_("renewal asked for"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = OfStationQuerySet.as_manager()

    class Meta:
        verbose_name = _("station certificate")
        verbose_name_plural = _("station certificates")
        indexes: ClassVar = [
            models.Index(fields=["station", "kind", "-id"], name="certificate_of_station"),
            models.Index(fields=["valid_until"], name="certificate_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.serial}"


class CertificateRequest(PublicModel):
    """A station's wish for a certificate (CSR) and what became of it."""

    moves: ClassVar = {"state": REQUEST_MOVES}

    station = models.ForeignKey(
        ChargingStation,
        on_delete=models.CASCADE,
        related_name="certificate_requests",
        verbose_name=_("station"),
    )
    kind = models.CharField(_("purpose"), max_length=20, choices=CertificateKind)
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=RequestState,
        default=RequestState.ASKED,
    )
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    digest = models.CharField(_("digest of the request"), max_length=64)
    csr = models.TextField(_("request"))
    key_type = models.CharField(_("key"), max_length=30, blank=True)
    station_number = models.BigIntegerField(_("number given by the station"), null=True, blank=True)
    certificate = models.ForeignKey(
        StationCertificate,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="requests",
        verbose_name=_("certificate"),
    )
    asked_at = models.DateTimeField(_("asked at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = OfStationQuerySet.as_manager()

    class Meta:
        verbose_name = _("certificate request")
        verbose_name_plural = _("certificate requests")
        indexes: ClassVar = [
            models.Index(fields=["station", "-asked_at"], name="certificate_request_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class InstalledCertificate(models.Model):
    """A certificate that a station said it holds, by its hashes."""

    station = models.ForeignKey(
        ChargingStation,
        on_delete=models.CASCADE,
        related_name="installed_certificates",
        verbose_name=_("station"),
    )
    use = models.CharField(_("use"), max_length=40)
    hash_algorithm = models.CharField(_("hash algorithm"), max_length=10)
    issuer_name_hash = models.CharField(_("hash of the issuer's name"), max_length=128)
    issuer_key_hash = models.CharField(_("hash of the issuer's key"), max_length=128)
    serial = models.CharField(_("serial number"), max_length=40)
    seen_at = models.DateTimeField(_("seen at"))

    objects = OfStationQuerySet.as_manager()

    class Meta:
        verbose_name = _("installed certificate")
        verbose_name_plural = _("installed certificates")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "use", "issuer_key_hash", "serial"],
                name="installed_certificate_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use} {self.serial}"


class SecurityEvent(models.Model):
    """Something a station noticed about its own safety."""

    station = models.ForeignKey(
        ChargingStation,
        on_delete=models.CASCADE,
        related_name="security_events",
        verbose_name=_("station"),
    )
    kind = models.CharField(_("event"), max_length=50)
    at = models.DateTimeField(_("at"))
    received_at = models.DateTimeField(_("received at"))
    info = models.CharField(_("details"), max_length=255, blank=True)
    critical = models.BooleanField(_("critical"), default=False)

    objects = OfStationQuerySet.as_manager()

    class Meta:
        verbose_name = _("security event")
        verbose_name_plural = _("security events")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "kind", "at", "info"],
                name="security_event_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["station", "-received_at"], name="security_event_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class RevocationList(models.Model):
    """A list of revoked certificates as our authority signed it (RFC 5280); the newest counts."""

    number = models.BigIntegerField(_("number"), unique=True)
    der = models.BinaryField(_("list"))
    revoked = models.PositiveIntegerField(_("certificates in it"), default=0)
    made_at = models.DateTimeField(_("made at"))
    holds_until = models.DateTimeField(_("holds until"))

    class Meta:
        verbose_name = _("revocation list")
        verbose_name_plural = _("revocation lists")

    def __str__(self) -> str:
        return f"{self.number} {self.made_at:%Y-%m-%d %H:%M}"
