"""Reading vehicles: what happened to one, told in one list."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal

from fleet.vehicles.models import VehicleCommand, VehicleEvent, VehicleHold

What = Literal["state", "command", "hold"]


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """One thing that happened to a vehicle; `details` depends on `what`."""

    at: datetime.datetime
    what: What
    by: str
    details: dict[str, Any] = field(default_factory=dict)


def timeline(
    *,
    vehicle_id: int,
    until: datetime.datetime | None = None,
    limit: int = 50,
) -> list[TimelineEntry]:
    """The newest `limit` things that happened to a vehicle, newest first; three queries.

    State changes, commands and holds in one list, so that cause and effect stand together.
    `until` leaves out that moment and what came after it, to page backwards.
    """
    entries = [
        *_states(vehicle_id, until, limit),
        *_commands(vehicle_id, until, limit),
        *_holds(vehicle_id, until, limit),
    ]
    entries.sort(key=attrgetter("at"), reverse=True)
    return entries[:limit]


def _states(
    vehicle_id: int,
    until: datetime.datetime | None,
    limit: int,
) -> list[TimelineEntry]:
    events = VehicleEvent.objects.filter(vehicle=vehicle_id)
    if until is not None:
        events = events.filter(at__lt=until)
    return [_state_entry(event) for event in events.order_by("-at", "-id")[:limit]]


def _state_entry(event: VehicleEvent) -> TimelineEntry:
    details = {
        "state": event.mds_state,
        "events": event.mds_events,
        "life_state": event.life_state,
        "rental_state": event.rental_state,
        "link_state": event.link_state,
        "blocks": event.blocks,
        "lat": event.lat,
        "lon": event.lon,
        "battery_pct": event.battery_pct,
        "trip": event.trip_ref,
    }
    return TimelineEntry(at=event.at, what="state", by=event.by, details=details)


def _commands(
    vehicle_id: int,
    until: datetime.datetime | None,
    limit: int,
) -> list[TimelineEntry]:
    commands = VehicleCommand.objects.filter(vehicle=vehicle_id)
    if until is not None:
        commands = commands.filter(created_at__lt=until)
    return [_command_entry(command) for command in commands.order_by("-created_at")[:limit]]


def _command_entry(command: VehicleCommand) -> TimelineEntry:
    details = {
        "id": str(command.public_id),
        "sequence": command.sequence,
        "kind": command.kind,
        "state": command.state,
        "purpose": command.purpose_ref,
        "finished_at": command.finished_at,
    }
    return TimelineEntry(
        at=command.created_at,
        what="command",
        by=command.requested_by,
        details=details,
    )


def _holds(
    vehicle_id: int,
    until: datetime.datetime | None,
    limit: int,
) -> list[TimelineEntry]:
    holds = VehicleHold.objects.filter(vehicle=vehicle_id)
    if until is not None:
        holds = holds.filter(during__startswith__lt=until)
    return [_hold_entry(hold) for hold in holds.order_by("-id")[:limit]]


def _hold_entry(hold: VehicleHold) -> TimelineEntry:
    details = {
        "purpose": hold.purpose,
        "holder": hold.holder_ref,
        "until": hold.until,
        "released_at": hold.released_at,
    }
    return TimelineEntry(at=hold.during.lower, what="hold", by=hold.holder_ref, details=details)
