"""Facts about devices that others may act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mobility.core.outbox import Event


@dataclass(frozen=True)
class ReservationEnded(Event):
    """A station gave up a reservation by itself, before anybody used it."""

    name: ClassVar[str] = "charging.reservation_ended.v1"

    station_identity: str
    reservation_id: int
    status: str


@dataclass(frozen=True)
class FirmwareJobFinished(Event):
    """An update of a station's firmware is over, well or not."""

    name: ClassVar[str] = "charging.firmware_job_finished.v1"

    job_id: str
    station_identity: str
    state: str
