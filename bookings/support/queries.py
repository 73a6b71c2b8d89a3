"""What a person has to do with a vehicle."""

from __future__ import annotations

import datetime

from bookings.trips.models import Trip
from bookings.trips.services.orders import trip_ref

# Who comes back later to say that the brake was loose still means this ride.
REMEMBERED = datetime.timedelta(days=2)


def own_trip_ref(*, user_id: int, vehicle_id: int, at: datetime.datetime) -> str:
    """The reference of the person's running or last ride on this vehicle, of the last two days.

    As the fleet's own history spells it, or empty when there was none: a person may also report
    what they only walked past.
    """
    trips = Trip.objects.filter(user=user_id, vehicle=vehicle_id, requested_at__gt=at - REMEMBERED)
    last = trips.order_by("-id").first()
    return trip_ref(last) if last is not None else ""
