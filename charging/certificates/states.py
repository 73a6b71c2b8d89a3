"""The words of certificates and their declared moves."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CertificateKind(models.TextChoices):
    """What a station's certificate is for, in OCPP 2's meaning."""

    STATION = "charging_station", _("Charging station (TLS to us)")
    V2G = "v2g", _("ISO 15118 (TLS to vehicles)")


class RequestState(models.TextChoices):
    """Where a station's wish for a certificate stands."""

    ASKED = "asked", pgettext_lazy("certificate", "Asked for")
    SIGNED = "signed", pgettext_lazy("certificate", "Signed, on its way")
    INSTALLED = "installed", pgettext_lazy("certificate", "Installed")
    REFUSED = "refused", pgettext_lazy("certificate", "Refused by us")
    DECLINED = "declined", pgettext_lazy("certificate", "Declined by the station")


REQUEST_MOVES: Final[dict[str, frozenset[str]]] = {
    RequestState.ASKED: frozenset({RequestState.SIGNED, RequestState.REFUSED}),
    # A chain that could not be delivered is brought again when the station asks again.
    RequestState.SIGNED: frozenset({RequestState.INSTALLED, RequestState.DECLINED}),
    # So is one that the station took or declined, and asks for again.
    RequestState.INSTALLED: frozenset({RequestState.SIGNED}),
    RequestState.DECLINED: frozenset({RequestState.SIGNED}),
}


class CertificateState(models.TextChoices):
    """Whether a certificate opens the door."""

    ISSUED = "issued", pgettext_lazy("certificate", "Issued")
    IN_USE = "in_use", pgettext_lazy("certificate", "In use")
    SUPERSEDED = "superseded", pgettext_lazy("certificate", "Superseded")
    REVOKED = "revoked", pgettext_lazy("certificate", "Revoked")
    EXPIRED = "expired", pgettext_lazy("certificate", "Expired")


CERTIFICATE_MOVES: Final[dict[str, frozenset[str]]] = {
    CertificateState.ISSUED: frozenset(
        {CertificateState.IN_USE, CertificateState.REVOKED, CertificateState.EXPIRED},
    ),
    CertificateState.IN_USE: frozenset(
        {CertificateState.SUPERSEDED, CertificateState.REVOKED, CertificateState.EXPIRED},
    ),
    # Until it ends it still opens the door: a station may fall back to the one it had.
    CertificateState.SUPERSEDED: frozenset(
        {CertificateState.IN_USE, CertificateState.REVOKED, CertificateState.EXPIRED},
    ),
}
LIVING: Final[frozenset[str]] = frozenset(CERTIFICATE_MOVES)
"""Neither revoked nor over."""
