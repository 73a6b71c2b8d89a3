"""Certificates and security events of a 2.0.1 station."""

from __future__ import annotations

from typing import Final

from charging.ocpp import replies
from charging.ocpp.deeds import Handler

HANDLERS: Final[dict[str, Handler]] = {
    "SecurityEventNotification": replies.nothing,
    "SignCertificate": replies.rejected,
}
