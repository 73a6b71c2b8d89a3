"""Our commands in the words of 2.1: those of 2.0.1, and what came new."""

from __future__ import annotations

from typing import Final

from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import Hearing, Saying, always, filled, teller
from charging.ocpp.v21 import tariffs
from charging.ocpp.v201 import outbound as v201
from charging.ocpp.v201.outbound.blocks import hear_each, through
from charging.ocpp.v201.outbound.charging import token_type
from charging.stations.facts import CommandToSend
from charging.stations.states import CommandAction


def _certificate_signed(command: CommandToSend) -> tuple[str, Payload]:
    action, payload = v201.SAYINGS[CommandAction.CERTIFICATE_SIGNED](command)
    # A station that numbered its request wants the number back.
    return action, filled(**payload, requestId=command.payload.get("request_id"))


def _battery_swap(command: CommandToSend) -> tuple[str, Payload]:
    kind = token_type(command.payload.get("token_kind", ""))
    return "RequestBatterySwap", {
        "requestId": command.payload["request_id"],
        "idToken": {"idToken": command.payload["token_uid"], "type": kind},
    }


SAYINGS: Final[dict[str, Saying]] = {
    **v201.SAYINGS,
    CommandAction.CERTIFICATE_SIGNED: _certificate_signed,
    CommandAction.SET_DEFAULT_TARIFF: tariffs.set_default_tariff,
    CommandAction.GET_TARIFFS: through("GetTariffs"),
    CommandAction.CLEAR_TARIFFS: through("ClearTariffs"),
    CommandAction.CHANGE_TARIFF: tariffs.change_tariff,
    CommandAction.UPDATE_SCHEDULE: through("UpdateDynamicSchedule"),
    CommandAction.PRIORITY_CHARGING: through("UsePriorityCharging"),
    CommandAction.ALLOW_TRANSFER: through("NotifyAllowedEnergyTransfer"),
    CommandAction.SET_DER_CONTROL: through("SetDERControl"),
    CommandAction.GET_DER_CONTROL: through("GetDERControl", numbered=True),
    CommandAction.CLEAR_DER_CONTROL: through("ClearDERControl"),
    CommandAction.AFRR_SIGNAL: through("AFRRSignal"),
    CommandAction.GET_STREAMS: through("GetPeriodicEventStream"),
    CommandAction.ADJUST_STREAM: through("AdjustPeriodicEventStream"),
    CommandAction.WEB_PAYMENT: through("NotifyWebPaymentStarted"),
    CommandAction.BATTERY_SWAP: _battery_swap,
}
HEARINGS: Final[dict[str, Hearing]] = {
    **v201.HEARINGS,
    CommandAction.CLEAR_TARIFFS: hear_each("clearTariffsResult"),
    CommandAction.GET_STREAMS: always,
    CommandAction.WEB_PAYMENT: always,
}

say, hear = teller(SAYINGS, HEARINGS)
