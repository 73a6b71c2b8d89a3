"""Facts about stations that others may act on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from mobility.core.outbox import Event


@dataclass(frozen=True)
class StationCommandFinished(Event):
    """A command to a station reached its end, whatever end."""

    name: ClassVar[str] = "charging.command_finished.v1"

    command_id: str
    station_identity: str
    action: str
    state: str
    purpose_ref: str
    result: dict[str, Any]


@dataclass(frozen=True)
class ConnectorStatusChanged(Event):
    """A connector's status is another than before."""

    name: ClassVar[str] = "charging.connector_status_changed.v1"

    connector_id: str
    station_identity: str
    evse_number: int
    connector_number: int
    old_status: str
    status: str
    status_at: datetime
    error_code: str
