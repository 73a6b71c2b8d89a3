"""What a 1.6 station tells of jobs it was given, and private messages."""

from __future__ import annotations

from typing import Final

from charging.ocpp import replies
from charging.ocpp.deeds import Asked, Deed, Handler, Verb
from charging.ocpp.v16.mapping import devices


def firmware_status(asked: Asked) -> Deed:
    return Deed(Verb.DEVICE, devices.firmware_status(asked), replies.nothing)


def log_status(asked: Asked) -> Deed:
    return Deed(Verb.DEVICE, devices.log_status(asked), replies.nothing)


HANDLERS: Final[dict[str, Handler]] = {
    "DataTransfer": replies.unknown_vendor,
    "DiagnosticsStatusNotification": log_status,
    "FirmwareStatusNotification": firmware_status,
    "LogStatusNotification": log_status,
    "SignedFirmwareStatusNotification": firmware_status,
}
