"""Register: what the features do when a fact is reported."""

from bookings.passes import handlers as passes
from bookings.payments import handlers as payments
from bookings.recharges import handlers as recharges
from bookings.reservations import handlers as reservations
from bookings.reservations import letters as booking_letters
from bookings.riders import handlers as riders
from bookings.trips import handlers as trips

__all__ = ["booking_letters", "passes", "payments", "recharges", "reservations", "riders", "trips"]
