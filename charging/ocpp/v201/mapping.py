"""OCPP 2.0.1 wire shapes ↔ facts. Field names of the standard stop here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from charging.ocpp.deeds import Asked
from charging.ocpp.rpc.errors import Fault, RpcError
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.wire import connector, instant, instant_text
from charging.sessions.facts import (
    AuthorizationAsk,
    AuthorizationVerdict,
    EventAnswer,
    EventKind,
    Reading,
    ReadingBatch,
    Sample,
    TransactionEvent,
)
from charging.stations.facts import BootReport, StatusReport

_MAX_INTEGER: Final = 2**31 - 1
_MAX_ID_TOKEN: Final = 36
_MAX_MULTIPLIER: Final = 12


def boot_report(asked: Asked) -> BootReport:
    station = asked.payload["chargingStation"]
    modem = station.get("modem", {})
    return BootReport(
        station_id=asked.station_id,
        vendor=station["vendorName"],
        model=station["model"],
        serial=station.get("serialNumber", ""),
        firmware=station.get("firmwareVersion", ""),
        reason=asked.payload["reason"],
        iccid=modem.get("iccid", ""),
        imsi=modem.get("imsi", ""),
        details=asked.payload,
    )


def status_report(asked: Asked) -> StatusReport:
    payload = asked.payload
    return StatusReport(
        station_id=asked.station_id,
        evse_number=connector(payload["evseId"], at_least=0),
        connector_number=connector(payload["connectorId"], at_least=0),
        status=payload["connectorStatus"],
        at=instant(payload["timestamp"]),
    )


def authorization_ask(asked: Asked) -> AuthorizationAsk:
    token = asked.payload["idToken"]
    return AuthorizationAsk(
        station_id=asked.station_id,
        uid=token["idToken"],
        token_kind=token["type"],
    )


def transaction_event(asked: Asked) -> TransactionEvent:
    payload = asked.payload
    transaction = payload["transactionInfo"]
    token = payload.get("idToken", {})
    return TransactionEvent(
        station_id=asked.station_id,
        kind=EventKind(payload["eventType"]),
        transaction_ref=transaction["transactionId"],
        seq_no=_counter(payload["seqNo"]),
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


def reading_batch(asked: Asked) -> ReadingBatch:
    return ReadingBatch(
        station_id=asked.station_id,
        evse_number=connector(asked.payload["evseId"], at_least=0),
        readings=readings(asked.payload["meterValue"]),
    )


def readings(elements: Iterable[dict[str, Any]]) -> tuple[Reading, ...]:
    return tuple(
        Reading(
            at=instant(element["timestamp"]),
            samples=tuple(sample(value) for value in element["sampledValue"]),
            raw=element,
        )
        for element in elements
    )


def sample(value: dict[str, Any]) -> Sample:
    unit = value.get("unitOfMeasure", {})
    multiplier = unit.get("multiplier", 0)
    sane = abs(multiplier) <= _MAX_MULTIPLIER
    return Sample(
        # With an absurd power of ten the number says nothing; the raw element is kept.
        value=float(value["value"]) if sane else None,
        measurand=value.get("measurand", "Energy.Active.Import.Register"),
        unit=unit.get("unit", ""),
        multiplier=multiplier if sane else 0,
        phase=value.get("phase", ""),
        context=value.get("context", ""),
        location=value.get("location", ""),
    )


def event_reply(answer: EventAnswer) -> Payload:
    reply: Payload = {}
    if answer.verdict is not None:
        reply["idTokenInfo"] = id_token_info(answer.verdict)
    if answer.cost_cents is not None:
        # The standard wants a number in the station's currency; two decimals are exact here.
        reply["totalCost"] = answer.cost_cents / 100
    return reply


def id_token_info(verdict: AuthorizationVerdict) -> Payload:
    info: Payload = {"status": verdict.status.value}
    if verdict.expires_at is not None:
        info["cacheExpiryDateTime"] = instant_text(verdict.expires_at)
    if verdict.group is not None and len(verdict.group) <= _MAX_ID_TOKEN:
        info["groupIdToken"] = {"idToken": verdict.group, "type": "Central"}
    return info


def _place(evse: dict[str, Any] | None) -> dict[str, int | None]:
    if evse is None:
        return {"evse_number": None, "connector_number": None}
    plug = evse.get("connectorId")
    return {
        "evse_number": connector(evse["id"], at_least=0),
        "connector_number": None if plug is None else connector(plug, at_least=0),
    }


def _counter(value: int) -> int:
    if not 0 <= value <= _MAX_INTEGER:
        raise RpcError(Fault.PROPERTY, "seqNo: out of range")
    # To the schemas of 2.x 1.0 is an integer; to us it is no index.
    return int(value)
