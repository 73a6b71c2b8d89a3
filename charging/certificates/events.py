"""Facts about certificates that others may act on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from mobility.core.outbox import Event


@dataclass(frozen=True)
class CertificateAsked(Event):
    """A station asked for a certificate, and the request may be signed."""

    name: ClassVar[str] = "charging.certificate_asked.v1"

    request_id: str


@dataclass(frozen=True)
class SecurityAlarm(Event):
    """A station told of something critical about its own safety."""

    name: ClassVar[str] = "charging.security_alarm.v1"

    station_identity: str
    kind: str
    happened_at: datetime
    info: str


@dataclass(frozen=True)
class CertificateRevoked(Event):
    """A certificate of ours opens nothing any more: the list of such is to be signed anew."""

    name: ClassVar[str] = "charging.certificate_revoked.v1"

    serial: str
