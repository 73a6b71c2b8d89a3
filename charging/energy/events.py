"""Facts about energy that others may act on."""

from __future__ import annotations

from dataclasses import dataclass
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
