"""Facts about energy that others may act on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from mobility.core.outbox import Event


@dataclass(frozen=True)
class SiteLoadChanged(Event):
    """Something that a site's plan depends on is other than before."""

    name: ClassVar[str] = "charging.site_load_changed.v1"
    queue: ClassVar[str] = "sessions"

    site_id: int
    why: str


@dataclass(frozen=True)
class EnergyDemandFinished(Event):
    """A demand got its energy, missed its time, or was withdrawn."""

    name: ClassVar[str] = "charging.energy_demand_finished.v1"

    demand_id: str
    connector_id: str
    owner_ref: str
    state: str
    delivered_wh: int


@dataclass(frozen=True)
class NeedsTold(Event):
    """A vehicle said how much energy it wants, and by when."""

    name: ClassVar[str] = "charging.needs_told.v1"
    queue: ClassVar[str] = "sessions"

    session_id: str
    connector_id: int
    station_identity: str
    energy_wh: int
    ready_by: datetime
