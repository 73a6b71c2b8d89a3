"""What telematics does when others report a fact."""

import datetime

from fleet.telematics.services import tracks
from fleet.vehicles.events import TripEnded
from mobility.core.outbox import handles


@handles(TripEnded)
def record_track(event: TripEnded, *, at: datetime.datetime) -> None:
    """A trip is over: its track is computed from the points that are stored by now."""
    tracks.record_track(
        trip_ref=event.trip_ref,
        vehicle_id=event.vehicle_id,
        started_at=event.started_at,
        ended_at=event.ended_at,
        at=at,
    )
