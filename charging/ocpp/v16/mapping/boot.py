"""A 1.6 station introduces itself and speaks of its connectors."""

from __future__ import annotations

from charging.ocpp.deeds import Asked
from charging.ocpp.wire import connector, instant
from charging.stations.facts import BootReport, StatusReport


def boot_report(asked: Asked) -> BootReport:
    payload = asked.payload
    return BootReport(
        station_id=asked.station_id,
        vendor=payload["chargePointVendor"],
        model=payload["chargePointModel"],
        serial=payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber", ""),
        firmware=payload.get("firmwareVersion", ""),
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
