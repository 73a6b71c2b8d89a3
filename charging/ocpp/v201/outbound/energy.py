"""Charging profiles in the words of 2.x."""

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

# Limits of the grid come from the grid (K01.FR.22): a fourth purpose exists, and we have no word for it.
_PURPOSES: Final = {
    purpose: purpose for purpose in ("ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile")
}


def _set_profile(command: CommandToSend) -> tuple[str, Payload]:
    profile = argument(command, "profile")
    purpose = word(_PURPOSES, profile["purpose"], of="purpose")
    reference = profile.get("transaction_ref") if purpose == "TxProfile" else None
    if purpose == "TxProfile" and (reference is None or not command.evse_number):
        raise Unspeakable("missing_transaction")
    return "SetChargingProfile", {
        "evseId": command.evse_number or 0,
        "chargingProfile": filled(
            id=profile["id"],
            stackLevel=profile["stack_level"],
            chargingProfilePurpose=purpose,
            chargingProfileKind=profile.get("kind", "Absolute"),
            recurrencyKind=profile.get("recurrency"),
            validFrom=profile.get("valid_from"),
            validTo=profile.get("valid_to"),
            transactionId=reference,
            chargingSchedule=[schedule(profile, id=profile["id"])],
        ),
    }


def _clear_profile(command: CommandToSend) -> tuple[str, Payload]:
    wish = command.payload
    if "profile_id" in wish:
        return "ClearChargingProfile", {"chargingProfileId": wish["profile_id"]}
    purpose = wish.get("purpose")
    criteria = filled(
        evseId=command.evse_number,
        chargingProfilePurpose=word(_PURPOSES, purpose, of="purpose") if purpose else None,
        stackLevel=wish.get("stack_level"),
    )
    return "ClearChargingProfile", filled(chargingProfileCriteria=criteria or None)


def _hear_cleared(command: CommandToSend, answer: Payload) -> CommandResult:
    """Unknown is as good: there is no such profile (any more)."""
    return judged(command, answer, yes=True)


def _get_composite(command: CommandToSend) -> tuple[str, Payload]:
    return "GetCompositeSchedule", filled(
        evseId=command.evse_number or 0,
        duration=argument(command, "duration_s"),
        chargingRateUnit=command.payload.get("unit"),
    )


def _hear_composite(command: CommandToSend, answer: Payload) -> CommandResult:
    yes = by_status(command, answer).state == CommandState.ACCEPTED
    schedule = answer.get("schedule")
    details: dict[str, Any] = {}
    if schedule:
        details["schedule"] = {
            "start": schedule["scheduleStart"],
            "unit": schedule["chargingRateUnit"],
            "periods": [
                {"start_s": period["startPeriod"], "limit": period.get("limit")}
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
