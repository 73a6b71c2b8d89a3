"""Meter values of 2.0.1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from charging.ocpp.deeds import Asked
from charging.ocpp.wire import connector, instant
from charging.sessions.facts import Reading, ReadingBatch, Sample, SignedData

_MAX_MULTIPLIER: Final = 12


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
        signed=_signed(value["signedMeterValue"]) if "signedMeterValue" in value else None,
    )


def _signed(value: dict[str, str]) -> SignedData:
    return SignedData(
        data=value["signedMeterData"],
        # Empty where the key was told before, or is on the meter's label.
        public_key=value.get("publicKey", ""),
        signing_method=value.get("signingMethod", ""),
        encoding_method=value.get("encodingMethod", ""),
    )
