"""Certificates and security events of a 1.6 station with the security extension."""

from __future__ import annotations

from typing import Final

from charging.ocpp import replies
from charging.ocpp.deeds import Handler

HANDLERS: Final[dict[str, Handler]] = {
    "SecurityEventNotification": replies.nothing,
    "SignCertificate": replies.rejected,
}
