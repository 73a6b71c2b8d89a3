"""The parts of a station's page, each rendered by itself so that a script can put in newer ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from django.template.loader import render_to_string

from charging.desk import queries, texts
from charging.desk.rules import checklist
from charging.desk.states import PartName
from charging.stations.models import ChargingStation
from mobility.core.money import format_money

Facts = Callable[[ChargingStation, datetime], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page as it is now; the digest tells a script whether it has this one."""

    name: PartName
    html: str
    digest: str

    @property
    def title(self) -> str:
        """What stands above it."""
        return str(self.name.label)


def render_parts(
    *,
    station: ChargingStation,
    names: Iterable[str],
    operates: bool,
    at: datetime,
) -> list[Part]:
    """Render parts of a station's page; who does not operate it gets its hardware alone."""
    allowed = [PartName(name) for name in names if name in _FACTS]
    shown = allowed if operates else [name for name in allowed if name == PartName.NOW]
    return [_rendered(name, station, operates=operates, at=at) for name in shown]


def _rendered(name: PartName, station: ChargingStation, *, operates: bool, at: datetime) -> Part:
    facts: Mapping[str, Any] = {
        **_FACTS[name](station, at),
        "station": station,
        "operates": operates,
        "is_online": station.is_online(at=at),
    }
    html = render_to_string(f"admin/charging/parts/{name}.html", dict(facts))
    return Part(name, html, sha256(html.encode()).hexdigest()[:16])


def _checklist(station: ChargingStation, at: datetime) -> dict[str, Any]:
    steps = checklist(queries.first_contact(station=station))
    return {
        "steps": [(step, texts.remark(step)) for step in steps],
        "done": sum(step.done for step in steps),
        "total": len(steps),
    }


def _now(station: ChargingStation, at: datetime) -> dict[str, Any]:
    return queries.happenings(station=station)


def _tickets(station: ChargingStation, at: datetime) -> dict[str, Any]:
    return queries.tickets(station=station)


def _commands(station: ChargingStation, at: datetime) -> dict[str, Any]:
    rows = list(
        station.commands.select_related("connector__evse").order_by("-id")[: queries.LATEST]
    )
    return {"commands": rows, "newest": rows[0] if rows else None}


def _sessions(station: ChargingStation, at: datetime) -> dict[str, Any]:
    return {"sessions": queries.latest_sessions(station=station)}


def _frames(station: ChargingStation, at: datetime) -> dict[str, Any]:
    return queries.talk(station=station)


def _refused(station: ChargingStation, at: datetime) -> dict[str, Any]:
    rows = queries.refusals(station=station)
    return {"refusals": [(row, texts.refusal(row.reason)) for row in rows]}


def _quirks(station: ChargingStation, at: datetime) -> dict[str, Any]:
    return queries.breaches(station=station)


def _safety(station: ChargingStation, at: datetime) -> dict[str, Any]:
    return queries.safety(station=station, at=at)


def _device(station: ChargingStation, at: datetime) -> dict[str, Any]:
    return queries.device(station=station)


def _records(station: ChargingStation, at: datetime) -> dict[str, Any]:
    rows = queries.latest_records(station=station)
    return {"records": [(row, format_money(row.gross_cents, row.currency)) for row in rows]}


_FACTS: Final[dict[str, Facts]] = {
    PartName.NOW: _now,
    PartName.CHECKLIST: _checklist,
    PartName.TICKETS: _tickets,
    PartName.COMMANDS: _commands,
    PartName.SESSIONS: _sessions,
    PartName.FRAMES: _frames,
    PartName.REFUSED: _refused,
    PartName.QUIRKS: _quirks,
    PartName.SAFETY: _safety,
    PartName.DEVICE: _device,
    PartName.RECORDS: _records,
}
