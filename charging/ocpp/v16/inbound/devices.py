"""What a 1.6 station tells of jobs it was given, and private messages."""

from __future__ import annotations

from typing import Final

from charging.ocpp import replies
from charging.ocpp.deeds import Handler

HANDLERS: Final[dict[str, Handler]] = {
    "DataTransfer": replies.unknown_vendor,
    "DiagnosticsStatusNotification": replies.nothing,
    "FirmwareStatusNotification": replies.nothing,
    "LogStatusNotification": replies.nothing,
    "SignedFirmwareStatusNotification": replies.nothing,
}
