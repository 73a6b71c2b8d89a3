"""Charging profiles in the words of 1.6."""

from __future__ import annotations

from typing import Any, Final

from charging.ocpp.deeds import Unspeakable
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import (
    Hearing,
    Saying,
    argument,
    by_status,
    filled,
    judged,
    schedule,
    word,
)
from charging.stations.facts import CommandResult, CommandToSend
from charging.stations.states import CommandAction, CommandState

_PURPOSES: Final = {
    # 1.6 calls the station a charge point.
    "ChargingStationMaxProfile": "ChargePointMaxProfile",
    "TxDefaultProfile": "TxDefaultProfile",
    "TxProfile": "TxProfile",
}


def _set_profile(command: CommandToSend) -> tuple[str, Payload]:
    profile = argument(command, "profile")
    return "SetChargingProfile", {
        "connectorId": command.evse_number or 0,
        "csChargingProfiles": filled(
            chargingProfileId=profile["id"],
            transactionId=_transaction(profile),
            stackLevel=profile["stack_level"],
            chargingProfilePurpose=word(_PURPOSES, profile["purpose"], of="purpose"),
            chargingProfileKind=profile.get("kind", "Absolute"),
            recurrencyKind=profile.get("recurrency"),
            validFrom=profile.get("valid_from"),
            validTo=profile.get("valid_to"),
            chargingSchedule=schedule(profile),
        ),
    }


def _transaction(profile: dict[str, Any]) -> int | None:
    reference = profile.get("transaction_ref")
    if profile["purpose"] != "TxProfile":
        return None
    if reference is None or not str(reference).isdecimal():
        raise Unspeakable("not_a_16_transaction")
    return int(reference)


def _clear_profile(command: CommandToSend) -> tuple[str, Payload]:
    wish = command.payload
    if "profile_id" in wish:
        return "ClearChargingProfile", {"id": wish["profile_id"]}
    purpose = wish.get("purpose")
    return "ClearChargingProfile", filled(
        connectorId=command.evse_number,
        chargingProfilePurpose=word(_PURPOSES, purpose, of="purpose") if purpose else None,
        stackLevel=wish.get("stack_level"),
    )


def _hear_cleared(command: CommandToSend, answer: Payload) -> CommandResult:
    """Unknown is as good: there is no such profile (any more)."""
    return judged(command, answer, yes=True)


def _get_composite(command: CommandToSend) -> tuple[str, Payload]:
    return "GetCompositeSchedule", filled(
        connectorId=command.evse_number or 0,
        duration=argument(command, "duration_s"),
        chargingRateUnit=command.payload.get("unit"),
    )


def _hear_composite(command: CommandToSend, answer: Payload) -> CommandResult:
    yes = by_status(command, answer).state == CommandState.ACCEPTED
    schedule = answer.get("chargingSchedule")
    details: dict[str, Any] = {}
    if schedule:
        details["schedule"] = {
            "start": answer.get("scheduleStart"),
            "unit": schedule["chargingRateUnit"],
            "periods": [
                {"start_s": period["startPeriod"], "limit": period["limit"]}
                for period in schedule["chargingSchedulePeriod"]
            ],
        }
    return judged(command, answer, yes=yes, details=details)


SAYINGS: Final[dict[str, Saying]] = {
    CommandAction.SET_PROFILE: _set_profile,
    CommandAction.CLEAR_PROFILE: _clear_profile,
    CommandAction.GET_COMPOSITE: _get_composite,
}
HEARINGS: Final[dict[str, Hearing]] = {
    CommandAction.CLEAR_PROFILE: _hear_cleared,
    CommandAction.GET_COMPOSITE: _hear_composite,
}
