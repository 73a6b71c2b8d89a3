"""What reservations cost by themselves: reserved minutes beyond the free ones."""

import datetime

from bookings.pricing.rules import hold_lines
from bookings.reservations.models import Reservation
from mobility.core.principals import Principal


def charge_hold(
    reservation: Reservation, *, until: datetime.datetime, at: datetime.datetime, by: Principal
) -> int:
    """Charge the minutes reserved beyond the free ones without a ride; returns how many."""
    held_s = int((until - reservation.reserved_at).total_seconds())
    lines = hold_lines(fare=reservation.fare, hold_s=held_s)
    return sum(int(line.quantity) for line in lines)
