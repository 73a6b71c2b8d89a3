"""Reads about the safety of stations."""

from __future__ import annotations

from typing import Any, Final

from charging.certificates.models import (
    CertificateRequest,
    InstalledCertificate,
    RevocationList,
    SecurityEvent,
)
from charging.stations.models import ChargingStation

LAST: Final = 50


def security_of(*, station: ChargingStation) -> dict[str, Any]:
    """A station's profile, its newest requests and events, and what it says it holds."""
    return {
        "security_profile": station.security_profile,
        "ordered_profile": station.next_security_profile,
        "password_change_open": bool(station.previous_password_hash),
        "requests": CertificateRequest.objects.filter(station=station).order_by("-pk")[:LAST],
        "installed": InstalledCertificate.objects.filter(station=station).order_by("use", "pk"),
        "events": SecurityEvent.objects.filter(station=station).order_by("-at", "-pk")[:LAST],
    }


def newest_revocations() -> RevocationList | None:
    """The list of revoked certificates that counts now; None where none was ever signed."""
    return RevocationList.objects.order_by("-number").first()
