"""Messages on displays, as far as commands and reports tell."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from charging.devices.models import DisplayMessage
from charging.devices.services.bounds import fitting
from charging.devices.states import Kept
from charging.stations.models import StationCommand
from charging.stations.rules import without_nul
from charging.stations.states import CommandState


def note_display_set(command: StationCommand, at: datetime) -> None:
    """The station shows it now."""
    message = command.payload.get("body", {}).get("message", {})
    if command.state == CommandState.ACCEPTED and "id" in message:
        keep_displays(station_id=command.station_id, messages=[message], at=at)


def note_display_cleared(command: StationCommand, at: datetime) -> None:
    """The station shows it no more, or never did."""
    number = command.payload.get("body", {}).get("id")
    if command.state in (CommandState.ACCEPTED, CommandState.REJECTED):
        shown = DisplayMessage.objects.filter(station_id=command.station_id, number=number)
        shown.update(shown=False, at=at)


def keep_displays(*, station_id: int, messages: list[dict[str, Any]], at: datetime) -> None:
    """Remember messages that a station shows."""
    told = {message["id"]: message for message in messages}
    kept = DisplayMessage.objects.filter(station_id=station_id)
    known = set(kept.filter(number__in=told).values_list("number", flat=True))
    fresh = fitting(
        [number for number in told if number not in known],
        kept=kept,
        kind=Kept.DISPLAYS,
        station_id=station_id,
        at=at,
    )
    messages = [told[number] for number in (*known, *fresh)]
    rows = {
        message["id"]: DisplayMessage(
            station_id=station_id,
            number=message["id"],
            content=without_nul(message),
            shown=True,
            at=at,
        )
        for message in messages
    }
    DisplayMessage.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["station", "number"],
        update_fields=["content", "shown", "at"],
    )
