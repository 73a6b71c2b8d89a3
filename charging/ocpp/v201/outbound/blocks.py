"""Blocks that only 2.x has; their requests are handed through as the standard writes them.

They are checked against the published schemas before anything is queued, and again before it is
sent; the number that ties later messages to the request is always ours.
"""

from __future__ import annotations

from typing import Final

from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import Hearing, Saying, always, argument, by_status, filled, judged
from charging.ocpp.wire import with_wholes
from charging.stations.facts import CommandResult, CommandToSend
from charging.stations.states import CommandAction, CommandState


def through(action: str, *, numbered: bool = False) -> Saying:
    """A saying that passes `body`; with `numbered` the request's number goes with it."""

    def saying(command: CommandToSend) -> tuple[str, Payload]:
        body: Payload = dict(command.payload.get("body", {}))
        if numbered:
            body["requestId"] = command.payload["request_id"]
        return action, body

    return saying


def hear_each(name: str) -> Hearing:
    """A hearing for answers that list one status for each thing asked."""

    def hearing(command: CommandToSend, answer: Payload) -> CommandResult:
        said = answer.get(name, [])
        yes = all(one.get("status") == "Accepted" for one in said)
        return judged(command, answer, yes=yes)

    return hearing


def _transaction(command: CommandToSend) -> tuple[str, Payload]:
    reference = command.payload.get("transaction_ref")
    return "GetTransactionStatus", filled(transactionId=reference)


def _cost(command: CommandToSend) -> tuple[str, Payload]:
    return "CostUpdated", {
        "totalCost": argument(command, "total_cost"),
        "transactionId": argument(command, "transaction_ref"),
    }


def _hear_monitors(command: CommandToSend, answer: Payload) -> CommandResult:
    said = answer["setMonitoringResult"]
    asked = command.payload.get("body", {}).get("setMonitoringData", [])
    # Answers come in the order of the questions and repeat all of them but the value.
    values = [one.get("value") for one in asked] if len(asked) == len(said) else [None] * len(said)
    monitors = [
        {**with_wholes(one, "id"), "value": value} for one, value in zip(said, values, strict=True)
    ]
    yes = all(one["status"] == "Accepted" for one in said)
    return judged(command, answer, yes=yes, details={"monitors": monitors})


def hear_report(command: CommandToSend, answer: Payload) -> CommandResult:
    """An empty result is a result: there is nothing to report."""
    empty = answer["status"] == "EmptyResultSet"
    yes = empty or by_status(command, answer).state == CommandState.ACCEPTED
    return judged(command, answer, yes=yes, details={"empty": True} if empty else None)


def _hear_profiles(command: CommandToSend, answer: Payload) -> CommandResult:
    empty = answer["status"] == "NoProfiles"
    yes = empty or by_status(command, answer).state == CommandState.ACCEPTED
    return judged(command, answer, yes=yes, details={"empty": True} if empty else None)


def _hear_displays(command: CommandToSend, answer: Payload) -> CommandResult:
    empty = answer["status"] == "Unknown"
    return judged(command, answer, yes=True, details={"empty": True} if empty else None)


SAYINGS: Final[dict[str, Saying]] = {
    CommandAction.GET_REPORT: through("GetReport", numbered=True),
    CommandAction.SET_MONITORING: through("SetVariableMonitoring"),
    CommandAction.CLEAR_MONITORING: through("ClearVariableMonitoring"),
    CommandAction.GET_MONITORING: through("GetMonitoringReport", numbered=True),
    CommandAction.SET_MONITORING_BASE: through("SetMonitoringBase"),
    CommandAction.SET_MONITORING_LEVEL: through("SetMonitoringLevel"),
    CommandAction.GET_TRANSACTION: _transaction,
    CommandAction.SET_DISPLAY: through("SetDisplayMessage"),
    CommandAction.GET_DISPLAYS: through("GetDisplayMessages", numbered=True),
    CommandAction.CLEAR_DISPLAY: through("ClearDisplayMessage"),
    CommandAction.CUSTOMER_INFORMATION: through("CustomerInformation", numbered=True),
    CommandAction.GET_PROFILES: through("GetChargingProfiles", numbered=True),
    CommandAction.SET_NETWORK_PROFILE: through("SetNetworkProfile"),
    CommandAction.PUBLISH_FIRMWARE: through("PublishFirmware", numbered=True),
    CommandAction.UNPUBLISH_FIRMWARE: through("UnpublishFirmware"),
    CommandAction.COST_UPDATED: _cost,
}
HEARINGS: Final[dict[str, Hearing]] = {
    CommandAction.GET_BASE_REPORT: hear_report,
    CommandAction.GET_REPORT: hear_report,
    CommandAction.GET_MONITORING: hear_report,
    CommandAction.SET_MONITORING: _hear_monitors,
    CommandAction.CLEAR_MONITORING: hear_each("clearMonitoringResult"),
    CommandAction.GET_TRANSACTION: always,
    CommandAction.GET_DISPLAYS: _hear_displays,
    CommandAction.GET_PROFILES: _hear_profiles,
    CommandAction.UNPUBLISH_FIRMWARE: lambda command, answer: judged(
        command, answer, yes=answer["status"] in {"Unpublished", "NoFirmware"}
    ),
    CommandAction.COST_UPDATED: always,
}
