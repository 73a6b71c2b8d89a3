"""What stations tell of themselves and of jobs they were given, free of any protocol's names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableSaid:
    """One attribute of one variable. EVSE and connector 0 mean the whole station."""

    name: str
    component: str = ""
    component_instance: str = ""
    evse: int = 0
    connector: int = 0
    instance: str = ""
    attribute: str = "Actual"
    value: str | None = None
    mutability: str = ""
    characteristics: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def place(self) -> tuple[str, str, int, int, str, str, str]:
        """What tells it from all others of its station."""
        return (
            self.component,
            self.component_instance,
            self.evse,
            self.connector,
            self.name,
            self.instance,
            self.attribute,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSaid:
    """One part of a report. Without a `seq_no` parts count in the order in which they came."""

    station_id: int
    kind: str
    """A value of ``states.ReportKind``."""
    number: int
    """The request's number."""
    at: datetime
    last: bool
    items: list[dict[str, Any]]
    """As the station sent them."""
    seq_no: int | None = None
    variables: tuple[VariableSaid, ...] = ()
    monitors: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatusSaid:
    """How far a station is with new firmware or with the upload of its log."""

    station_id: int
    kind: str
    """``firmware`` or ``log``."""
    status: str
    """The words of OCPP 2.x."""
    at: datetime
    number: int | None = None
    """The request's number; OCPP 1.6 has none in its older messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsSaid:
    """Things a station noticed; `items` as it sent them, each with its own instant."""

    station_id: int
    at: datetime
    items: tuple[tuple[datetime, dict[str, Any]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationEndSaid:
    """A station gave up a reservation by itself: ``Expired``, ``Removed``, ``NoTransaction``."""

    station_id: int
    reservation_id: int
    status: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapSaid:
    """Batteries went into a station's locker or out of it."""

    station_id: int
    number: int
    """What joins the two halves of a swap."""
    event: str
    """A value of ``states.SwapEvent``."""
    uid: str
    batteries: list[dict[str, Any]]
    """As the station sent them."""


DeviceFact = PartSaid | JobStatusSaid | EventsSaid | ReservationEndSaid | SwapSaid
