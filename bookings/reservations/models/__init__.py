"""Reservations for now, bookings for later, and the rules an operator sets for both."""

from bookings.reservations.models.booking import Booking
from bookings.reservations.models.policy import ReservationPolicy
from bookings.reservations.models.reservation import Reservation

__all__ = ["Booking", "Reservation", "ReservationPolicy"]
