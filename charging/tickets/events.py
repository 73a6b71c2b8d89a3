"""Facts about tickets of chargers that others may act on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from mobility.core.outbox import Event


@dataclass(frozen=True)
class TicketOpened(Event):
    """Something is wrong with a charger; `evse_number` is None for the whole station."""

    name: ClassVar[str] = "charging.ticket_opened.v1"

    ticket_id: str
    station_identity: str
    evse_number: int | None
    kind: str
    error_code: str
    opened_at: datetime


@dataclass(frozen=True)
class TicketClosed(Event):
    """It is well again, or somebody saw to it."""

    name: ClassVar[str] = "charging.ticket_closed.v1"

    ticket_id: str
    station_identity: str
    kind: str
    outcome: str
    times: int
    closed_at: datetime
