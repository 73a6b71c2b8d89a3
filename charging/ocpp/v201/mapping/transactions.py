"""Transaction events of 2.0.1."""

from __future__ import annotations

from typing import Any

from charging.ocpp.deeds import Asked
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.v201.mapping.authorization import id_token_info
from charging.ocpp.v201.mapping.metering import readings
from charging.ocpp.wire import MAX_INTEGER, connector, instant, whole
from charging.sessions.facts import EventAnswer, EventKind, TransactionEvent


def transaction_event(asked: Asked) -> TransactionEvent:
    payload = asked.payload
    transaction = payload["transactionInfo"]
    token = payload.get("idToken", {})
    return TransactionEvent(
        station_id=asked.station_id,
        kind=EventKind(payload["eventType"]),
        transaction_ref=transaction["transactionId"],
        seq_no=whole(payload["seqNo"], at_least=0, at_most=MAX_INTEGER),
        at=instant(payload["timestamp"]),
        trigger=payload["triggerReason"],
        uid=token.get("idToken"),
        token_kind=token.get("type", ""),
        charging_state=transaction.get("chargingState", ""),
        stop_reason=transaction.get("stoppedReason", ""),
        remote_start_id=transaction.get("remoteStartId"),
        offline=payload.get("offline", False),
        readings=readings(payload.get("meterValue", ())),
        payload=payload,
        **_place(payload.get("evse")),
    )


def event_reply(answer: EventAnswer) -> Payload:
    reply: Payload = {}
    if answer.verdict is not None:
        reply["idTokenInfo"] = id_token_info(answer.verdict)
    if answer.cost_cents is not None:
        # The standard wants a number in the station's currency; two decimals are exact here.
        reply["totalCost"] = answer.cost_cents / 100
    return reply


def _place(evse: dict[str, Any] | None) -> dict[str, int | None]:
    if evse is None:
        return {"evse_number": None, "connector_number": None}
    plug = evse.get("connectorId")
    return {
        "evse_number": connector(evse["id"], at_least=0),
        "connector_number": None if plug is None else connector(plug, at_least=0),
    }
