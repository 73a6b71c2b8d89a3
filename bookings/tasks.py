"""Register of the Celery tasks of this app's features."""

from bookings.passes import tasks as passes
from bookings.payments import tasks as payments
from bookings.payments.reconciliation import tasks as reconciliation
from bookings.recharges import tasks as recharges
from bookings.reservations import tasks as reservations
from bookings.rewards import tasks as rewards
from bookings.riders import tasks as riders
from bookings.support import tasks as support
from bookings.trips import tasks as trips

__all__ = [
    "passes",
    "payments",
    "recharges",
    "reconciliation",
    "reservations",
    "rewards",
    "riders",
    "support",
    "trips",
]
