"""What a 2.1 station tells beyond 2.0.1 of energy: grid support, priority, dynamic schedules."""

from __future__ import annotations

from typing import Final

from charging.devices.facts import SwapSaid
from charging.ocpp import replies
from charging.ocpp.deeds import Asked, Deed, Handler, Verb
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.v201.inbound.devices import told
from charging.ocpp.v201.mapping import reports
from charging.ocpp.wire import whole


def charging_needs(asked: Asked) -> Deed:
    def reply(planned: bool) -> Payload:  # noqa: FBT001 - the service's answer
        # 2.1 has a word for it: charge within your default, no plan of ours will come.
        return {"status": "Accepted" if planned else "NoChargingProfile"}

    return Deed(Verb.ENERGY, reports.charging_needs(asked), reply)


def battery_swap(asked: Asked) -> SwapSaid:
    return SwapSaid(
        station_id=asked.station_id,
        number=whole(asked.payload["requestId"]),
        event=asked.payload["eventType"],
        uid=asked.payload["idToken"]["idToken"],
        batteries=asked.payload["batteryData"],
    )


HANDLERS: Final[dict[str, Handler]] = {
    "BatterySwap": told(battery_swap),
    "NotifyDERAlarm": replies.nothing,
    "NotifyDERStartStop": replies.nothing,
    "NotifyEVChargingNeeds": charging_needs,
    "NotifyPriorityCharging": replies.nothing,
    # We push what changes; there is no dynamic schedule of ours to pull.
    "PullDynamicScheduleUpdate": replies.rejected,
    "ReportDERControl": told(reports.der_part),
}
