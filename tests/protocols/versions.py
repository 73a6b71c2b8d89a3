"""The same thing said in each version."""

from __future__ import annotations

from typing import Any, Final

from tests.charging.ocpp.peer import TIME, boot_16, boot_201

V16, V201, V21 = "ocpp1.6", "ocpp2.0.1", "ocpp2.1"
ALL: Final = (V16, V201, V21)
TWO: Final = (V201, V21)
"""The versions of OCPP 2."""


def boot(version: str, **extra: Any) -> dict[str, Any]:
    """BootNotification."""
    if version == V16:
        return boot_16(**extra)
    payload = boot_201()
    station: Any = payload["chargingStation"]
    station.update(extra)
    return payload


def status(version: str, word: str = "Available", *, connector: int = 1) -> dict[str, Any]:
    """StatusNotification of a connector."""
    if version == V16:
        return {"connectorId": connector, "errorCode": "NoError", "status": word, "timestamp": TIME}
    return {
        "timestamp": TIME,
        "connectorStatus": word,
        "evseId": connector,
        "connectorId": 1,
    }


def begin(version: str, token: str, *, reference: str = "T1", **extra: Any) -> tuple[str, Any]:
    """Action and payload of the message that begins a charge on connector 1."""
    if version == V16:
        start = {"connectorId": 1, "idTag": token, "meterStart": 1000, "timestamp": TIME, **extra}
        return "StartTransaction", start
    return "TransactionEvent", {
        "eventType": "Started",
        "timestamp": TIME,
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": reference},
        "idToken": {"idToken": token, "type": "ISO14443"},
        "evse": {"id": 1, "connectorId": 1},
        **extra,
    }


def spelled(version: str, code: str) -> str:
    """An error code of 2.x as the version writes it."""
    if version != V16:
        return code
    return {
        "FormatViolation": "FormationViolation",
        "RpcFrameworkError": "FormationViolation",
        "MessageTypeNotSupported": "FormationViolation",
        "OccurrenceConstraintViolation": "OccurenceConstraintViolation",
    }.get(code, code)
