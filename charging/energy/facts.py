"""What stations tell of limits, and who wants energy, free of any protocol's names.

Currents are tenths of an ampere on each phase (`_da`), energy is Wh.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSaid:
    """Somebody else limits a station: its own energy manager, the grid's operator."""

    station_id: int
    evse_number: int
    source: str
    """``EMS``, ``Other``, ``SO``, ``CSO``."""
    at: datetime
    grid_critical: bool = False
    schedules: list[dict[str, Any]] = field(default_factory=list)
    limit_a: float | None = None
    """The lowest limit named, where it is in amperes."""
    limit_w: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitClearedSaid:
    """That limit is gone."""

    station_id: int
    evse_number: int
    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsSaid:
    """A vehicle says how much it wants, and when it leaves. Energy None: it did not say."""

    station_id: int
    evse_number: int
    at: datetime
    energy_wh: int | None = None
    departure: datetime | None = None


EnergyFact = LimitSaid | LimitClearedSaid | NeedsSaid


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyWish:
    """So much energy at a connector by a time; whose it is, is a word to us."""

    connector_id: int
    owner_ref: str
    energy_wh: int
    ready_by: datetime
    priority: int = 5
    """1 comes before 9."""
