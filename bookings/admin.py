"""Register of the admin pages of this app's features."""

from bookings.passes import admin as passes
from bookings.payments import admin as payments
from bookings.payments.documents import admin as documents
from bookings.payments.reconciliation import admin as reconciliation
from bookings.pricing import admin as pricing
from bookings.recharges import admin as recharges
from bookings.reservations import admin as reservations
from bookings.rewards import admin as rewards
from bookings.riders import admin as riders
from bookings.support import admin as support
from bookings.trips import admin as trips

__all__ = [
    "documents",
    "passes",
    "payments",
    "pricing",
    "recharges",
    "reconciliation",
    "reservations",
    "rewards",
    "riders",
    "support",
    "trips",
]
