"""Starting and stopping, reservations, availability and triggers in the words of 2.0.1."""

from __future__ import annotations

from typing import Any, Final

from charging.ocpp.deeds import Unspeakable
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import Saying, word
from charging.stations.facts import CommandToSend
from charging.stations.states import CommandAction

_MAX_ID_TOKEN: Final = 36
_MESSAGES: Final = {
    "status": "StatusNotification",
    "boot": "BootNotification",
    "heartbeat": "Heartbeat",
    "meter_values": "MeterValues",
    "firmware": "FirmwareStatusNotification",
    "log": "LogStatusNotification",
    "sign_certificate": "SignChargingStationCertificate",
    "sign_v2g_certificate": "SignV2GCertificate",
    "transaction": "TransactionEvent",
}
_TOKEN_TYPES: Final = frozenset(
    {
        "Central",
        "eMAID",
        "ISO14443",
        "ISO15693",
        "KeyCode",
        "Local",
        "MacAddress",
        "NoAuthorization",
    },
)


def _remote_start(command: CommandToSend) -> tuple[str, Payload]:
    token = command.payload["token_uid"]
    if len(token) > _MAX_ID_TOKEN:
        raise Unspeakable("token_too_long")
    payload: Payload = {
        "idToken": {"idToken": token, "type": token_type(command.payload.get("token_kind", ""))},
        "remoteStartId": command.payload["remote_start_id"],
    }
    if command.evse_number:
        payload["evseId"] = command.evse_number
    return "RequestStartTransaction", payload


def _remote_stop(command: CommandToSend) -> tuple[str, Payload]:
    return "RequestStopTransaction", {"transactionId": str(command.payload["transaction_ref"])}


def _reset(command: CommandToSend) -> tuple[str, Payload]:
    return "Reset", {"type": "Immediate" if command.payload.get("kind") == "hard" else "OnIdle"}


def _unlock(command: CommandToSend) -> tuple[str, Payload]:
    return "UnlockConnector", {
        "evseId": command.evse_number or 1,
        "connectorId": command.connector_number or 1,
    }


def _change_availability(command: CommandToSend) -> tuple[str, Payload]:
    status = "Operative" if command.payload["operative"] else "Inoperative"
    return "ChangeAvailability", {"operationalStatus": status, **_evse(command)}


def _trigger(command: CommandToSend) -> tuple[str, Payload]:
    message = word(_MESSAGES, command.payload["message"], of="message")
    return "TriggerMessage", {"requestedMessage": message, **_evse(command)}


def _reserve(command: CommandToSend) -> tuple[str, Payload]:
    token = command.payload["token_uid"]
    payload: Payload = {
        "id": command.payload["reservation_id"],
        "expiryDateTime": command.payload["until"],
        "idToken": {"idToken": token, "type": token_type(command.payload.get("token_kind", ""))},
    }
    if command.evse_number:
        payload["evseId"] = command.evse_number
    if command.payload.get("group"):
        payload["groupIdToken"] = {"idToken": command.payload["group"], "type": "Central"}
    return "ReserveNow", payload


def _cancel_reservation(command: CommandToSend) -> tuple[str, Payload]:
    return "CancelReservation", {"reservationId": command.payload["reservation_id"]}


def _evse(command: CommandToSend) -> dict[str, Any]:
    if not command.evse_number:
        return {}
    evse = {"id": command.evse_number}
    if command.connector_number:
        evse["connectorId"] = command.connector_number
    return {"evse": evse}


def token_type(kind: str) -> str:
    """The wire's type of one of our token kinds; a type of the wire's own passes as it is."""
    if kind in _TOKEN_TYPES:
        return kind
    return "ISO14443" if kind == "rfid" else "Central"


SAYINGS: Final[dict[str, Saying]] = {
    CommandAction.REMOTE_START: _remote_start,
    CommandAction.REMOTE_STOP: _remote_stop,
    CommandAction.RESET: _reset,
    CommandAction.UNLOCK: _unlock,
    CommandAction.CHANGE_AVAILABILITY: _change_availability,
    CommandAction.TRIGGER: _trigger,
    CommandAction.RESERVE: _reserve,
    CommandAction.CANCEL_RESERVATION: _cancel_reservation,
}
