"""What every event about a booking says."""

import datetime
from typing import Any

from bookings.reservations.models import Booking
from mobility.core import outbox
from mobility.core.outbox import Event


def tell(kind: type[Event], booking: Booking, *, at: datetime.datetime, **more: Any) -> None:
    """Publish an event of this kind about a booking (loaded with its user), in its transaction."""
    about: dict[str, Any] = {
        "booking_id": str(booking.public_id),
        "vehicle_id": booking.vehicle_id,
        "user_principal": booking.user.principal,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
    }
    outbox.publish(kind(**about, **more), at=at)
