"""A 2.0.1 station introduces itself and speaks of its connectors."""

from __future__ import annotations

from charging.ocpp.deeds import Asked
from charging.ocpp.wire import connector, instant
from charging.stations.facts import BootReport, StatusReport


def boot_report(asked: Asked) -> BootReport:
    station = asked.payload["chargingStation"]
    return BootReport(
        station_id=asked.station_id,
        vendor=station["vendorName"],
        model=station["model"],
        serial=station.get("serialNumber", ""),
        firmware=station.get("firmwareVersion", ""),
        reason=asked.payload["reason"],
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
