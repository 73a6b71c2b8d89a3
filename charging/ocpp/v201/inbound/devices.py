"""What a 2.0.1 station tells of itself and of jobs it was given, and private messages."""

from __future__ import annotations

from typing import Final

from charging.ocpp import replies
from charging.ocpp.deeds import Handler

HANDLERS: Final[dict[str, Handler]] = {
    "DataTransfer": replies.unknown_vendor,
    "FirmwareStatusNotification": replies.nothing,
    "LogStatusNotification": replies.nothing,
    "NotifyEvent": replies.nothing,
    "NotifyReport": replies.nothing,
}
