"""Register: what the features do when a fact is reported."""

from bookings.payments import handlers as payments
from bookings.recharges import handlers as recharges
from bookings.trips import handlers as trips

__all__ = ["payments", "recharges", "trips"]
