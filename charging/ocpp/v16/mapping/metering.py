"""Meter values of 1.6."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from charging.ocpp.deeds import Asked
from charging.ocpp.wire import connector, instant, number
from charging.sessions.facts import Reading, ReadingBatch, Sample, SignedData


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
        signed=SignedData(data=value["value"]) if signed else None,
    )
