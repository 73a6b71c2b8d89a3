"""Starts and stops of 1.6."""

from __future__ import annotations

from charging.ocpp.deeds import Asked
from charging.ocpp.v16.mapping.metering import readings
from charging.ocpp.wire import connector, instant, meter_wh
from charging.sessions.facts import SessionStart, SessionStop


def session_start(asked: Asked) -> SessionStart:
    payload = asked.payload
    return SessionStart(
        station_id=asked.station_id,
        evse_number=connector(payload["connectorId"], at_least=1),
        uid=payload["idTag"],
        at=instant(payload["timestamp"]),
        meter_start_wh=meter_wh(payload["meterStart"]),
        reservation_id=payload.get("reservationId"),
        payload=payload,
    )


def session_stop(asked: Asked) -> SessionStop:
    payload = asked.payload
    return SessionStop(
        station_id=asked.station_id,
        transaction_ref=str(payload["transactionId"]),
        at=instant(payload["timestamp"]),
        meter_stop_wh=meter_wh(payload["meterStop"]),
        # 1.6 §6.43: a reason left out means Local.
        reason=payload.get("reason", "Local"),
        uid=payload.get("idTag"),
        readings=readings(payload.get("transactionData", ())),
        payload=payload,
    )
