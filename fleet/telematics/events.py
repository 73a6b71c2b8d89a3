"""Facts about what vehicles reported that others may want to know."""

import datetime
from dataclasses import dataclass
from typing import Any, ClassVar

from mobility.core.outbox import Event


@dataclass(frozen=True, kw_only=True)
class TrackCorrected(Event):
    """Points that came later changed how far a trip went; whether that changes a price is not said."""

    name: ClassVar[str] = "fleet.track_corrected.v1"

    trip_ref: str
    vehicle_id: int
    distance_m_before: int
    distance_m_after: int


@dataclass(frozen=True, kw_only=True)
class AlarmOpened(Event):
    """Something is wrong with a vehicle (`AlarmKind`); `details` depend on the kind."""

    name: ClassVar[str] = "fleet.alarm_opened.v1"
    # When a network fails there is one for each vehicle.
    queue: ClassVar[str] = "planning"

    alarm_id: str
    vehicle_id: int
    kind: str
    at: datetime.datetime
    details: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class AlarmClosed(Event):
    """It is over, by itself or because somebody said so; `details` are those it was opened with."""

    name: ClassVar[str] = "fleet.alarm_closed.v1"
    # When a network fails there is one for each vehicle.
    queue: ClassVar[str] = "planning"

    alarm_id: str
    vehicle_id: int
    kind: str
    at: datetime.datetime
    details: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ZoneViolated(Event):
    """A vehicle on a trip went where it may not: `kind` no_ride_entered or left_service_area."""

    name: ClassVar[str] = "fleet.zone_violated.v1"

    vehicle_id: int
    # None where the line was the edge of the service area itself.
    zone_id: int | None
    kind: str
    at: datetime.datetime
    lon: float
    lat: float
