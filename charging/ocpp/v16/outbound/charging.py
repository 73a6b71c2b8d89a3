"""Starting and stopping, reservations, availability and triggers in the words of 1.6."""

from __future__ import annotations

from typing import Any, Final

from charging.ocpp.deeds import Unspeakable
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import Saying, word
from charging.stations.facts import CommandToSend
from charging.stations.states import CommandAction

_MAX_ID_TAG: Final = 20
_MESSAGES: Final = {
    "status": "StatusNotification",
    "boot": "BootNotification",
    "heartbeat": "Heartbeat",
    "meter_values": "MeterValues",
    "firmware": "FirmwareStatusNotification",
    "log": "DiagnosticsStatusNotification",
}


def _remote_start(command: CommandToSend) -> tuple[str, Payload]:
    token = command.payload["token_uid"]
    if len(token) > _MAX_ID_TAG:
        raise Unspeakable("token_too_long")
    return "RemoteStartTransaction", {"idTag": token, **_connector(command)}


def _remote_stop(command: CommandToSend) -> tuple[str, Payload]:
    reference = str(command.payload["transaction_ref"])
    if not reference.isdecimal():
        raise Unspeakable("not_a_16_transaction")
    return "RemoteStopTransaction", {"transactionId": int(reference)}


def _reset(command: CommandToSend) -> tuple[str, Payload]:
    return "Reset", {"type": "Hard" if command.payload.get("kind") == "hard" else "Soft"}


def _unlock(command: CommandToSend) -> tuple[str, Payload]:
    return "UnlockConnector", {"connectorId": command.evse_number or 1}


def _change_availability(command: CommandToSend) -> tuple[str, Payload]:
    kind = "Operative" if command.payload["operative"] else "Inoperative"
    # Connector 0 is the whole station.
    return "ChangeAvailability", {"connectorId": command.evse_number or 0, "type": kind}


def _trigger(command: CommandToSend) -> tuple[str, Payload]:
    wanted = command.payload["message"]
    if wanted == "sign_certificate":
        # The security extension has a trigger of its own, for all its messages.
        return "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}
    message = word(_MESSAGES, wanted, of="message")
    return "TriggerMessage", {"requestedMessage": message, **_connector(command)}


def _reserve(command: CommandToSend) -> tuple[str, Payload]:
    token = command.payload["token_uid"]
    if len(token) > _MAX_ID_TAG:
        raise Unspeakable("token_too_long")
    group = command.payload.get("group")
    return "ReserveNow", {
        "connectorId": command.evse_number or 0,
        "expiryDate": command.payload["until"],
        "idTag": token,
        "reservationId": command.payload["reservation_id"],
        **({"parentIdTag": group} if group and len(group) <= _MAX_ID_TAG else {}),
    }


def _cancel_reservation(command: CommandToSend) -> tuple[str, Payload]:
    return "CancelReservation", {"reservationId": command.payload["reservation_id"]}


def _connector(command: CommandToSend) -> dict[str, Any]:
    return {"connectorId": command.evse_number} if command.evse_number else {}


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
