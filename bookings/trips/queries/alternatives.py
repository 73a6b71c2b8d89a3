"""What to take instead of a vehicle that did not work."""

import datetime

from bookings.trips.models import Trip
from bookings.trips.states import EndReason, TripState
from fleet.telematics.queries import NearbyVehicle, vehicles_near

RADIUS_M = 1_000.0
# Who looks again tomorrow stands somewhere else.
OFFERED_FOR = datetime.timedelta(minutes=15)


def alternative_to(*, trip: Trip, at: datetime.datetime) -> NearbyVehicle | None:
    """The nearest rentable vehicle of the same kind, for a start that failed or a broken vehicle.

    One query, and none for trips that went well or are long past.
    """
    let_down = trip.state == TripState.START_FAILED or trip.end_reason == EndReason.BROKEN
    if not let_down or at - trip.requested_at > OFFERED_FOR:
        return None
    if trip.start_lon is None or trip.start_lat is None:
        return None
    near = vehicles_near(
        lon=trip.start_lon,
        lat=trip.start_lat,
        radius_m=RADIUS_M,
        kind=trip.vehicle.kind,
        at=at,
        limit=2,
    )
    return next((one for one in near if one.vehicle_id != trip.vehicle_id), None)
