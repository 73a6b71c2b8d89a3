"""Our commands in the words of 1.6, and what a station's answer to them means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from charging.ocpp.deeds import Unspeakable
from charging.ocpp.rpc.frames import Payload
from charging.stations.facts import CommandResult, CommandToSend
from charging.stations.states import CommandAction, CommandState

_MAX_ID_TAG: Final = 20
_YES: Final = frozenset({"Accepted", "Scheduled", "Unlocked"})
"""``Scheduled`` means: will be done when the running transaction allows it."""

_MESSAGES: Final = {
    "status": "StatusNotification",
    "boot": "BootNotification",
    "heartbeat": "Heartbeat",
    "meter_values": "MeterValues",
}


def say(command: CommandToSend) -> tuple[str, Payload]:
    """Action and payload of ``command``; Unspeakable where 1.6 has no way to say it."""
    return _SAYINGS[command.action](command)


def hear(command: CommandToSend, answer: Payload) -> CommandResult:
    """Accepted or rejected, with the answer kept as it came."""
    state = CommandState.ACCEPTED if answer["status"] in _YES else CommandState.REJECTED
    return CommandResult(command_id=command.command_id, state=state, result=answer)


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
    message = _MESSAGES[command.payload["message"]]
    return "TriggerMessage", {"requestedMessage": message, **_connector(command)}


def _reserve(command: CommandToSend) -> tuple[str, Payload]:
    token = command.payload["token_uid"]
    if len(token) > _MAX_ID_TAG:
        raise Unspeakable("token_too_long")
    return "ReserveNow", {
        "connectorId": command.evse_number or 0,
        "expiryDate": command.payload["until"],
        "idTag": token,
        "reservationId": command.payload["reservation_id"],
    }


def _cancel_reservation(command: CommandToSend) -> tuple[str, Payload]:
    return "CancelReservation", {"reservationId": command.payload["reservation_id"]}


def _connector(command: CommandToSend) -> dict[str, Any]:
    return {"connectorId": command.evse_number} if command.evse_number else {}


_SAYINGS: Final[dict[str, Callable[[CommandToSend], tuple[str, Payload]]]] = {
    CommandAction.REMOTE_START: _remote_start,
    CommandAction.REMOTE_STOP: _remote_stop,
    CommandAction.RESET: _reset,
    CommandAction.UNLOCK: _unlock,
    CommandAction.CHANGE_AVAILABILITY: _change_availability,
    CommandAction.TRIGGER: _trigger,
    CommandAction.RESERVE: _reserve,
    CommandAction.CANCEL_RESERVATION: _cancel_reservation,
}
