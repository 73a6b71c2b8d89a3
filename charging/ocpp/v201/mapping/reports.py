"""Reports, events, jobs and limits of 2.x → facts."""

from __future__ import annotations

from typing import Any, Final

from charging.devices.facts import (
    EventsSaid,
    JobStatusSaid,
    PartSaid,
    ReservationEndSaid,
    VariableSaid,
)
from charging.devices.states import ReportKind
from charging.energy.facts import LimitClearedSaid, LimitSaid, NeedsSaid
from charging.frames.rules import mask
from charging.ocpp.deeds import Asked
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.v201.mapping.devices import named_variable
from charging.ocpp.wire import connector, instant, with_wholes

_NUMBERS: Final = ("eventId", "cause", "variableMonitoringId", "severity")
"""The numbers of an event."""


def report_part(asked: Asked) -> PartSaid:
    items = asked.payload.get("reportData", [])
    variables = tuple(said for item in items for said in _variables(item))
    # Passwords are no news to us, and nobody else's business.
    mask(items)
    return _part(asked, ReportKind.BASE, items, variables=variables)


def monitoring_part(asked: Asked) -> PartSaid:
    items = asked.payload.get("monitor", [])
    monitors = tuple(
        {
            **with_wholes(monitor, "id"),
            "component": item["component"],
            "variable": item["variable"],
        }
        for item in items
        for monitor in item["variableMonitoring"]
    )
    return _part(asked, ReportKind.MONITORING, items, monitors=monitors)


def customer_part(asked: Asked) -> PartSaid:
    return _part(asked, ReportKind.CUSTOMER, [{"data": asked.payload["data"]}])


def display_part(asked: Asked) -> PartSaid:
    shown = [with_wholes(one, "id") for one in asked.payload.get("messageInfo", [])]
    return _part(asked, ReportKind.DISPLAY, shown)


def profiles_part(asked: Asked) -> PartSaid:
    payload = asked.payload
    item = {
        "evseId": payload["evseId"],
        "chargingLimitSource": payload["chargingLimitSource"],
        "chargingProfile": payload["chargingProfile"],
    }
    return _part(asked, ReportKind.PROFILES, [item])


def der_part(asked: Asked) -> PartSaid:
    controls = {k: v for k, v in asked.payload.items() if k not in {"requestId", "tbc"}}
    return _part(asked, ReportKind.DER, [controls])


def _part(asked: Asked, kind: str, items: list[Any], **more: Any) -> PartSaid:
    payload = asked.payload
    sequence = payload.get("seqNo")
    return PartSaid(
        station_id=asked.station_id,
        kind=kind,
        number=int(payload["requestId"]),
        at=instant(payload["generatedAt"]) if "generatedAt" in payload else asked.at,
        last=not payload.get("tbc", False),
        items=items,
        seq_no=None if sequence is None else int(sequence),
        **more,
    )


def _variables(item: Payload) -> list[VariableSaid]:
    place = named_variable(item)
    return [
        VariableSaid(
            **{**place, "attribute": attribute.get("type", "Actual")},
            value=attribute.get("value"),
            mutability=attribute.get("mutability", "ReadWrite"),
            characteristics=item.get("variableCharacteristics", {}),
        )
        for attribute in item["variableAttribute"]
    ]


def events(asked: Asked) -> EventsSaid:
    items = asked.payload["eventData"]
    return EventsSaid(
        station_id=asked.station_id,
        at=asked.at,
        items=tuple((instant(item["timestamp"]), with_wholes(item, *_NUMBERS)) for item in items),
    )


def firmware_status(asked: Asked) -> JobStatusSaid:
    return _job(asked, "firmware")


def log_status(asked: Asked) -> JobStatusSaid:
    return _job(asked, "log")


def _job(asked: Asked, kind: str) -> JobStatusSaid:
    number = asked.payload.get("requestId")
    return JobStatusSaid(
        station_id=asked.station_id,
        kind=kind,
        status=asked.payload["status"],
        number=None if number is None else int(number),
        at=asked.at,
    )


def reservation_end(asked: Asked) -> ReservationEndSaid:
    return ReservationEndSaid(
        station_id=asked.station_id,
        reservation_id=int(asked.payload["reservationId"]),
        status=asked.payload["reservationUpdateStatus"],
        at=asked.at,
    )


def charging_limit(asked: Asked) -> LimitSaid:
    payload = asked.payload
    limit, schedules = payload["chargingLimit"], payload.get("chargingSchedule", [])
    lowest: dict[str, float | None] = {
        unit: min(
            (
                period["limit"]
                for schedule in schedules
                if schedule["chargingRateUnit"] == unit
                for period in schedule["chargingSchedulePeriod"]
                if "limit" in period
            ),
            default=None,
        )
        for unit in ("A", "W")
    }
    return LimitSaid(
        station_id=asked.station_id,
        evse_number=connector(payload.get("evseId", 0), at_least=0),
        source=limit["chargingLimitSource"][:20],
        at=asked.at,
        grid_critical=limit.get("isGridCritical", False),
        schedules=schedules,
        limit_a=lowest["A"],
        limit_w=lowest["W"],
    )


def cleared_limit(asked: Asked) -> LimitClearedSaid:
    return LimitClearedSaid(
        station_id=asked.station_id,
        evse_number=connector(asked.payload.get("evseId", 0), at_least=0),
        source=asked.payload["chargingLimitSource"][:20],
        at=asked.at,
    )


def charging_needs(asked: Asked) -> NeedsSaid:
    needs = asked.payload["chargingNeeds"]
    ac, dc = needs.get("acChargingParameters", {}), needs.get("dcChargingParameters", {})
    energy = ac.get("energyAmount", dc.get("energyAmount"))
    departure = needs.get("departureTime")
    return NeedsSaid(
        station_id=asked.station_id,
        evse_number=connector(asked.payload["evseId"], at_least=1),
        at=asked.at,
        energy_wh=None if energy is None else int(energy),
        departure=None if departure is None else instant(departure),
    )
