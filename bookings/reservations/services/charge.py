"""What a booking needs in its car's battery, said to the fleet as soon as it is known."""

import datetime
import uuid

from bookings.reservations import assignment
from bookings.reservations.models import Booking
from bookings.reservations.states import WAITING_BOOKINGS
from fleet.energy.services import note_need, sync_demands

# The car is ready somewhat before its rider is.
AHEAD = datetime.timedelta(minutes=10)


def note_charge(*, booking_id: uuid.UUID, at: datetime.datetime, left: int | None = None) -> bool:
    """Note what a waiting booking needs, and let chargers know what its car wants now.

    Without a range that was asked for, the length of the booking says how far it may go. Of a
    booking that is over, or that left the car `left`, only the chargers are told. Returns whether
    it waits.
    """
    booking = (
        Booking.objects.select_related("vehicle__type", "hold").filter(public_id=booking_id).first()
    )
    if booking is None:
        return False
    waits = booking.state in WAITING_BOOKINGS and booking.hold.released_at is None
    if waits and booking.vehicle.type.max_range_m:
        note_need(
            hold_id=booking.hold_id,
            battery_pct=_needed_pct(booking),
            ready_by=booking.starts_at - AHEAD,
            at=at,
        )
    cars = {booking.vehicle_id} | ({left} if left is not None else set())
    sync_demands(vehicle_ids=cars, at=at)
    return waits


def _needed_pct(booking: Booking) -> int:
    """Percent of a full battery, rounded up."""
    need = booking.range_m or assignment.expected_m(booking.minutes)
    return min(100, -(-need * 100 // booking.vehicle.type.max_range_m))
