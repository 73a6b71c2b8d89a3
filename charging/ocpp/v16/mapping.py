"""OCPP 1.6 wire shapes ↔ facts. Field names of the standard stop here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from charging.ocpp.deeds import Asked
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.wire import connector, instant, instant_text, meter_wh, number
from charging.sessions.facts import (
    AuthorizationVerdict,
    Reading,
    ReadingBatch,
    Sample,
    SessionStart,
    SessionStop,
)
from charging.stations.facts import BootReport, StatusReport

_MAX_ID_TAG: Final = 20


def boot_report(asked: Asked) -> BootReport:
    payload = asked.payload
    return BootReport(
        station_id=asked.station_id,
        vendor=payload["chargePointVendor"],
        model=payload["chargePointModel"],
        serial=payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber", ""),
        firmware=payload.get("firmwareVersion", ""),
        iccid=payload.get("iccid", ""),
        imsi=payload.get("imsi", ""),
        details=payload,
    )


def status_report(asked: Asked) -> StatusReport:
    payload = asked.payload
    notes = (payload.get("info", ""), payload.get("vendorErrorCode", ""))
    return StatusReport(
        station_id=asked.station_id,
        evse_number=connector(payload["connectorId"], at_least=0),
        status=payload["status"],
        # The timestamp is optional in 1.6; without one the status is of now.
        at=instant(payload["timestamp"]) if "timestamp" in payload else asked.at,
        error_code="" if payload["errorCode"] == "NoError" else payload["errorCode"],
        info=" ".join(note for note in notes if note),
    )


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


def reading_batch(asked: Asked) -> ReadingBatch:
    payload = asked.payload
    transaction_id = payload.get("transactionId", 0)
    return ReadingBatch(
        station_id=asked.station_id,
        evse_number=connector(payload["connectorId"], at_least=0),
        readings=readings(payload["meterValue"]),
        # Stations that know no transaction say 0 or -1 as often as nothing.
        transaction_ref=str(transaction_id) if transaction_id > 0 else None,
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
    signed = value.get("format") == "SignedData"
    return Sample(
        value=None if signed else number(value["value"]),
        measurand=value.get("measurand", "Energy.Active.Import.Register"),
        unit=value.get("unit", ""),
        phase=value.get("phase", ""),
        context=value.get("context", ""),
        location=value.get("location", ""),
    )


def id_tag_info(verdict: AuthorizationVerdict) -> Payload:
    info: Payload = {"status": verdict.status.value}
    if verdict.expires_at is not None:
        info["expiryDate"] = instant_text(verdict.expires_at)
    if verdict.group is not None and len(verdict.group) <= _MAX_ID_TAG:
        info["parentIdTag"] = verdict.group
    return info
