"""Monitors and the events they raise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from charging.devices.facts import EventsSaid
from charging.devices.models import DeviceEvent, VariableMonitor
from charging.devices.services.bounds import by_station, fitting, of_today
from charging.devices.states import Kept
from charging.stations.models import StationCommand
from charging.stations.rules import without_nul
from charging.stations.states import CommandState

_MAX_SEVERITY: Final = 9


def keep_monitors(*, station_id: int, monitors: Sequence[dict[str, Any]], at: datetime) -> None:
    """Remember monitors that a station reported or accepted, each a flat map of its fields."""
    told = {int(monitor["id"]): monitor for monitor in monitors}
    kept = VariableMonitor.objects.filter(station_id=station_id)
    known = set(kept.filter(number__in=told).values_list("number", flat=True))
    fresh = fitting(
        [number for number in told if number not in known],
        kept=kept,
        kind=Kept.MONITORS,
        station_id=station_id,
        at=at,
    )
    monitors = [told[number] for number in (*known, *fresh)]
    rows = {
        int(monitor["id"]): VariableMonitor(
            station_id=station_id,
            number=int(monitor["id"]),
            component=without_nul(monitor["component"]),
            variable=without_nul(monitor["variable"]),
            kind=monitor["type"],
            value=float(monitor.get("value") or 0.0),
            severity=min(max(int(monitor["severity"]), 0), _MAX_SEVERITY),
            only_in_transaction=bool(monitor.get("transaction", False)),
            preset=monitor.get("eventNotificationType", ""),
            at=at,
        )
        for monitor in monitors
    }
    VariableMonitor.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["station", "number"],
        update_fields=[
            "component",
            "variable",
            "kind",
            "value",
            "severity",
            "only_in_transaction",
            "preset",
            "cleared_at",
            "at",
        ],
    )


def note_monitors_set(command: StationCommand, at: datetime) -> None:
    """Monitors the station accepted; refused ones stay out."""
    said = command.result.get("details", {}).get("monitors", ())
    taken = [one for one in said if one["status"] == "Accepted" and "id" in one]
    keep_monitors(station_id=command.station_id, monitors=taken, at=at)


def note_monitors_cleared(command: StationCommand, at: datetime) -> None:
    """Monitors that are gone, or were never there."""
    if command.state not in (CommandState.ACCEPTED, CommandState.REJECTED):
        return
    said = command.result.get("clearMonitoringResult", ())
    gone = [one["id"] for one in said if one.get("status") in {"Accepted", "NotFound"}]
    VariableMonitor.objects.filter(
        station_id=command.station_id, number__in=gone, cleared_at__isnull=True
    ).update(cleared_at=at)


def keep_events(*, facts: Sequence[EventsSaid], at: datetime) -> None:
    """Remember what stations noticed; the same event at the same instant is one row."""
    told = [
        _event(fact.station_id, without_nul(item), happened=happened, at=at)
        for fact in facts
        for happened, item in fact.items
    ]
    rows = [row for pk, of_one in by_station(told).items() for row in _in_a_day(of_one, pk, at=at)]
    _name_severity(rows)
    DeviceEvent.objects.bulk_create(rows, ignore_conflicts=True)


def _in_a_day(rows: list[DeviceEvent], station_id: int, *, at: datetime) -> Sequence[DeviceEvent]:
    kept = of_today(DeviceEvent.objects.filter(station_id=station_id), at=at)
    return fitting(rows, kept=kept, kind=Kept.EVENTS, station_id=station_id, at=at)


def _event(
    station_id: int, item: dict[str, Any], *, happened: datetime, at: datetime
) -> DeviceEvent:
    return DeviceEvent(
        station_id=station_id,
        number=item["eventId"],
        at=happened,
        trigger=item["trigger"],
        component=item["component"],
        variable=item["variable"],
        actual_value=item["actualValue"],
        cleared=item.get("cleared", False),
        monitor_number=item.get("variableMonitoringId"),
        severity=item.get("severity"),
        cause=item.get("cause"),
        notification=item["eventNotificationType"],
        transaction_ref=item.get("transactionId", ""),
        tech_code=item.get("techCode", ""),
        tech_info=item.get("techInfo", ""),
        received_at=at,
    )


def _name_severity(rows: Sequence[DeviceEvent]) -> None:
    """2.0.1 events name their monitor only; how bad it is stands there."""
    wanted = {(row.station_id, row.monitor_number) for row in rows if row.severity is None}
    known = {
        (station_id, number): severity
        for station_id, number, severity in VariableMonitor.objects.filter(
            station_id__in={station for station, number in wanted if number is not None},
            number__in={number for _station, number in wanted if number is not None},
        ).values_list("station_id", "number", "severity")
    }
    for row in rows:
        if row.severity is None and row.monitor_number is not None:
            row.severity = known.get((row.station_id, row.monitor_number))
