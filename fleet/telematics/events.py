"""Facts about what vehicles reported that others may want to know."""

from dataclasses import dataclass
from typing import ClassVar

from mobility.core.outbox import Event


@dataclass(frozen=True, kw_only=True)
class TrackCorrected(Event):
    """Points that came later changed how far a trip went; whether that changes a price is not said."""

    name: ClassVar[str] = "fleet.track_corrected.v1"

    trip_ref: str
    vehicle_id: int
    distance_m_before: int
    distance_m_after: int
