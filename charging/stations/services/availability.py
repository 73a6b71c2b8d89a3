"""Whether connectors shall serve drivers: what we asked, and when it came true."""

from __future__ import annotations

from datetime import datetime

from charging.stations.models import Connector, StationCommand
from charging.stations.states import Availability, CommandState


def note_availability(command: StationCommand, at: datetime) -> None:
    """A station took a change of availability; a scheduled one waits for the end of the charge."""
    if command.state != CommandState.ACCEPTED:
        return
    wanted = Availability.OPERATIVE if command.payload["operative"] else Availability.INOPERATIVE
    if command.result.get("status") == "Scheduled" and wanted == Availability.INOPERATIVE:
        wanted = Availability.SCHEDULED
    connectors = Connector.objects.filter(evse__station_id=command.station_id)
    if command.connector_id is not None:
        connectors = connectors.filter(pk=command.connector_id)
    connectors.update(availability=wanted)
