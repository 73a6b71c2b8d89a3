"""Register: what the features do when a fact is reported."""

from bookings.payments import handlers as payments
from bookings.trips import handlers as trips

__all__ = ["payments", "trips"]
