"""Variables, reports, local list, firmware, logs and private messages in the words of 2.x."""

from __future__ import annotations

from typing import Any, Final

from charging.ocpp.deeds import Unspeakable
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import (
    Hearing,
    Saying,
    argument,
    by_status,
    data_transfer,
    filled,
    judged,
    word,
)
from charging.ocpp.v201.mapping.devices import named_variable, variable_place
from charging.ocpp.v201.outbound.charging import token_type
from charging.ocpp.wire import MAX_INTEGER, whole
from charging.stations.facts import CommandResult, CommandToSend
from charging.stations.states import CommandAction, CommandState

_MAX_ID_TOKEN: Final = 36
_DONE: Final = frozenset({"Accepted", "RebootRequired"})
_BASES: Final = {
    "configuration": "ConfigurationInventory",
    "full": "FullInventory",
    "summary": "SummaryInventory",
}
_LOGS: Final = {"diagnostics": "DiagnosticsLog", "security": "SecurityLog"}


def _variables(command: CommandToSend) -> list[dict[str, Any]]:
    variables: list[dict[str, Any]] = argument(command, "variables")
    if not variables:
        raise Unspeakable("no_variables")
    if any(not variable.get("component") for variable in variables):
        raise Unspeakable("missing_component")
    return variables


def _get_variables(command: CommandToSend) -> tuple[str, Payload]:
    return "GetVariables", {
        "getVariableData": [variable_place(variable) for variable in _variables(command)],
    }


def _hear_variables(command: CommandToSend, answer: Payload) -> CommandResult:
    said = []
    for one in answer["getVariableResult"]:
        known = one["attributeStatus"] == "Accepted"
        value = one.get("attributeValue", "") if known else None
        problem = "" if known else one["attributeStatus"]
        said.append({**named_variable(one), "value": value, "problem": problem})
    return judged(command, answer, yes=True, details={"variables": said})


def _set_variables(command: CommandToSend) -> tuple[str, Payload]:
    return "SetVariables", {
        "setVariableData": [
            {**variable_place(variable), "attributeValue": str(variable["value"])}
            for variable in _variables(command)
        ],
    }


def _hear_changes(command: CommandToSend, answer: Payload) -> CommandResult:
    asked = {_key(variable): variable["value"] for variable in _variables(command)}
    said = []
    for one in answer["setVariableResult"]:
        name = named_variable(one)
        said.append({**name, "value": asked.get(_key(name)), "status": one["attributeStatus"]})
    yes = all(one["status"] in _DONE for one in said)
    return judged(command, answer, yes=yes, details={"variables": said})


def _key(variable: dict[str, Any]) -> tuple[Any, ...]:
    names = ("component", "component_instance", "evse", "connector", "name", "instance")
    return (*(variable.get(name) or "" for name in names), variable.get("attribute") or "Actual")


def _set_password(command: CommandToSend) -> tuple[str, Payload]:
    place = variable_place({"component": "SecurityCtrlr", "name": "BasicAuthPassword"})
    return "SetVariables", {
        "setVariableData": [{**place, "attributeValue": argument(command, "password")}],
    }


def _hear_password(command: CommandToSend, answer: Payload) -> CommandResult:
    status = answer["setVariableResult"][0]["attributeStatus"]
    return judged(command, {"status": status}, yes=status in _DONE)


def _base_report(command: CommandToSend) -> tuple[str, Payload]:
    return "GetBaseReport", {
        "requestId": command.payload["request_id"],
        "reportBase": word(_BASES, command.payload.get("base", "full"), of="base"),
    }


def _get_list_version(_: CommandToSend) -> tuple[str, Payload]:
    return "GetLocalListVersion", {}


def _hear_list_version(command: CommandToSend, answer: Payload) -> CommandResult:
    version = whole(answer["versionNumber"], at_least=-1, at_most=MAX_INTEGER)
    return judged(command, answer, yes=True, details={"version": version})


def _send_list(command: CommandToSend) -> tuple[str, Payload]:
    entries = argument(command, "entries")
    if any(len(uid) > _MAX_ID_TOKEN for uid in entries):
        raise Unspeakable("token_too_long")
    full = bool(command.payload.get("full"))
    payload: Payload = {
        "versionNumber": argument(command, "version"),
        "updateType": "Full" if full else "Differential",
    }
    # An empty list is no list at all: 2.x wants the field left out then.
    if entries:
        payload["localAuthorizationList"] = [_entry(uid, info) for uid, info in entries.items()]
    return "SendLocalList", payload


def _entry(uid: str, info: dict[str, Any] | None) -> Payload:
    kind = (info or {}).get("kind", "rfid")
    token = {"idToken": uid, "type": token_type(kind)}
    if info is None:
        return {"idToken": token}
    group = info.get("group")
    return {
        "idToken": token,
        "idTokenInfo": filled(
            status=info["status"],
            cacheExpiryDateTime=info.get("expires_at"),
            groupIdToken={"idToken": group, "type": "Central"} if group else None,
        ),
    }


def _clear_cache(_: CommandToSend) -> tuple[str, Payload]:
    return "ClearCache", {}


def _update_firmware(command: CommandToSend) -> tuple[str, Payload]:
    wish = command.payload
    firmware = filled(
        location=argument(command, "location"),
        retrieveDateTime=argument(command, "retrieve_at"),
        installDateTime=wish.get("install_at"),
        signingCertificate=wish.get("certificate"),
        signature=wish.get("signature"),
    )
    return "UpdateFirmware", filled(
        requestId=wish["request_id"],
        firmware=firmware,
        retries=wish.get("retries"),
        retryInterval=wish.get("retry_interval_s"),
    )


def _get_log(command: CommandToSend) -> tuple[str, Payload]:
    wish = command.payload
    log = filled(
        remoteLocation=argument(command, "location"),
        oldestTimestamp=wish.get("since"),
        latestTimestamp=wish.get("until"),
    )
    return "GetLog", filled(
        logType=word(_LOGS, wish.get("kind", "diagnostics"), of="kind"),
        requestId=wish["request_id"],
        log=log,
        retries=wish.get("retries"),
        retryInterval=wish.get("retry_interval_s"),
    )


def _hear_log(command: CommandToSend, answer: Payload) -> CommandResult:
    yes = by_status(command, answer).state == CommandState.ACCEPTED
    return judged(command, answer, yes=yes, details={"file_name": answer.get("filename", "")})


SAYINGS: Final[dict[str, Saying]] = {
    CommandAction.GET_VARIABLES: _get_variables,
    CommandAction.SET_VARIABLES: _set_variables,
    CommandAction.SET_PASSWORD: _set_password,
    CommandAction.GET_BASE_REPORT: _base_report,
    CommandAction.GET_LIST_VERSION: _get_list_version,
    CommandAction.SEND_LIST: _send_list,
    CommandAction.CLEAR_CACHE: _clear_cache,
    CommandAction.UPDATE_FIRMWARE: _update_firmware,
    CommandAction.GET_LOG: _get_log,
    CommandAction.DATA_TRANSFER: data_transfer,
}
HEARINGS: Final[dict[str, Hearing]] = {
    CommandAction.GET_VARIABLES: _hear_variables,
    CommandAction.SET_VARIABLES: _hear_changes,
    CommandAction.SET_PASSWORD: _hear_password,
    CommandAction.GET_LIST_VERSION: _hear_list_version,
    CommandAction.GET_LOG: _hear_log,
}
