"""Register: what the features do when a fact is reported."""

from bookings.passes import handlers as passes
from bookings.payments import handlers as payments
from bookings.recharges import handlers as recharges
from bookings.reservations import handlers as reservations
from bookings.riders import handlers as riders
from bookings.trips import handlers as trips

__all__ = ["passes", "payments", "recharges", "reservations", "riders", "trips"]
