"""Register: what the features keep about people."""

from bookings.passes import privacy as passes
from bookings.payments import privacy as payments
from bookings.recharges import privacy as recharges
from bookings.reservations import privacy as reservations
from bookings.rewards import privacy as rewards
from bookings.riders import privacy as riders
from bookings.support import privacy as support
from bookings.trips import privacy as trips

__all__ = [
    "passes",
    "payments",
    "recharges",
    "reservations",
    "rewards",
    "riders",
    "support",
    "trips",
]
