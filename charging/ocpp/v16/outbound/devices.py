"""Configuration, local list, firmware, diagnostics and private messages in the words of 1.6."""

from __future__ import annotations

from typing import Any, Final

from charging.ocpp.deeds import Unspeakable
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import (
    Hearing,
    Saying,
    always,
    argument,
    by_status,
    data_transfer,
    filled,
    judged,
    one_variable,
)
from charging.ocpp.wire import MAX_INTEGER, whole
from charging.stations.facts import CommandResult, CommandToSend
from charging.stations.states import CommandAction

_MAX_ID_TAG: Final = 20
_PASSWORD_KEY: Final = "AuthorizationKey"  # noqa: S105 - the name of a key


def _get_variables(command: CommandToSend) -> tuple[str, Payload]:
    names = [variable["name"] for variable in command.payload.get("variables", ())]
    return "GetConfiguration", {"key": names} if names else {}


def _hear_variables(command: CommandToSend, answer: Payload) -> CommandResult:
    known = [
        {
            "name": key["key"],
            "value": key.get("value"),
            "mutability": "ReadOnly" if key["readonly"] else "ReadWrite",
        }
        for key in answer.get("configurationKey", ())
    ]
    unknown = [
        {"name": name, "problem": "UnknownVariable"} for name in answer.get("unknownKey", ())
    ]
    return judged(command, answer, yes=True, details={"variables": known + unknown})


def _set_variables(command: CommandToSend) -> tuple[str, Payload]:
    only = one_variable(command)
    return "ChangeConfiguration", {"key": only["name"], "value": str(only["value"])}


def _hear_change(command: CommandToSend, answer: Payload) -> CommandResult:
    result = by_status(command, answer)
    said = {**one_variable(command), "status": answer["status"]}
    return judged(command, answer, yes=result.state == "accepted", details={"variables": [said]})


def _set_password(command: CommandToSend) -> tuple[str, Payload]:
    return "ChangeConfiguration", {"key": _PASSWORD_KEY, "value": argument(command, "password")}


def _get_list_version(_: CommandToSend) -> tuple[str, Payload]:
    return "GetLocalListVersion", {}


def _hear_list_version(command: CommandToSend, answer: Payload) -> CommandResult:
    # -1 means that the station keeps no list.
    version = whole(answer["listVersion"], at_least=-1, at_most=MAX_INTEGER)
    return judged(command, answer, yes=True, details={"version": version})


def _send_list(command: CommandToSend) -> tuple[str, Payload]:
    entries = argument(command, "entries")
    if any(len(uid) > _MAX_ID_TAG for uid in entries):
        raise Unspeakable("token_too_long")
    return "SendLocalList", {
        "listVersion": argument(command, "version"),
        "updateType": "Full" if command.payload.get("full") else "Differential",
        "localAuthorizationList": [_entry(uid, info) for uid, info in entries.items()],
    }


def _entry(uid: str, info: dict[str, Any] | None) -> Payload:
    if info is None:
        return {"idTag": uid}
    group = info.get("group")
    return {
        "idTag": uid,
        "idTagInfo": filled(
            status=info["status"],
            expiryDate=info.get("expires_at"),
            parentIdTag=group if group and len(group) <= _MAX_ID_TAG else None,
        ),
    }


def _clear_cache(_: CommandToSend) -> tuple[str, Payload]:
    return "ClearCache", {}


def _update_firmware(command: CommandToSend) -> tuple[str, Payload]:
    wish = command.payload
    again = filled(retries=wish.get("retries"), retryInterval=wish.get("retry_interval_s"))
    location, retrieve_at = argument(command, "location"), argument(command, "retrieve_at")
    if not wish.get("certificate"):
        return "UpdateFirmware", {"location": location, "retrieveDate": retrieve_at, **again}
    firmware = filled(
        location=location,
        retrieveDateTime=retrieve_at,
        installDateTime=wish.get("install_at"),
        signingCertificate=wish["certificate"],
        signature=argument(command, "signature"),
    )
    return "SignedUpdateFirmware", {
        "requestId": wish["request_id"],
        "firmware": firmware,
        **again,
    }


def _hear_firmware(command: CommandToSend, answer: Payload) -> CommandResult:
    # The unsigned update's answer is empty: it has been heard.
    return by_status(command, answer) if answer else always(command, answer)


def _get_log(command: CommandToSend) -> tuple[str, Payload]:
    wish = command.payload
    again = filled(retries=wish.get("retries"), retryInterval=wish.get("retry_interval_s"))
    location = argument(command, "location")
    if wish.get("kind", "diagnostics") == "diagnostics":
        span = filled(startTime=wish.get("since"), stopTime=wish.get("until"))
        return "GetDiagnostics", {"location": location, **span, **again}
    log = filled(
        remoteLocation=location,
        oldestTimestamp=wish.get("since"),
        latestTimestamp=wish.get("until"),
    )
    return "GetLog", {
        "log": log,
        "logType": "SecurityLog",
        "requestId": wish["request_id"],
        **again,
    }


def _hear_log(command: CommandToSend, answer: Payload) -> CommandResult:
    name = answer.get("fileName", answer.get("filename", ""))
    yes = "status" not in answer or by_status(command, answer).state == "accepted"
    # GetDiagnostics answered without a file name: there is nothing to upload.
    return judged(command, answer, yes=yes, details={"file_name": name})


SAYINGS: Final[dict[str, Saying]] = {
    CommandAction.GET_VARIABLES: _get_variables,
    CommandAction.SET_VARIABLES: _set_variables,
    CommandAction.SET_PASSWORD: _set_password,
    CommandAction.GET_LIST_VERSION: _get_list_version,
    CommandAction.SEND_LIST: _send_list,
    CommandAction.CLEAR_CACHE: _clear_cache,
    CommandAction.UPDATE_FIRMWARE: _update_firmware,
    CommandAction.GET_LOG: _get_log,
    CommandAction.DATA_TRANSFER: data_transfer,
}
HEARINGS: Final[dict[str, Hearing]] = {
    CommandAction.GET_VARIABLES: _hear_variables,
    CommandAction.SET_VARIABLES: _hear_change,
    CommandAction.GET_LIST_VERSION: _hear_list_version,
    CommandAction.UPDATE_FIRMWARE: _hear_firmware,
    CommandAction.GET_LOG: _hear_log,
}
