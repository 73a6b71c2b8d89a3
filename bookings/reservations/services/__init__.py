"""Writes of reservations and bookings, one file for each group of verbs."""

from bookings.reservations.services.claim import (
    ReservationExpired,
    ReservationNotFound,
    claim_for_ride,
    complete_reservation,
    consume_reservation,
    extend_ride_hold,
)
from bookings.reservations.services.close import (
    ReservationClosed,
    ReservationInUse,
    cancel_reservation,
    displace_reservation,
    expire_reservations,
)
from bookings.reservations.services.reserve import (
    AlreadyActive,
    TooManyReservations,
    VehicleCoolDown,
    reserve_vehicle,
)
from bookings.reservations.services.searches import count_waiting_searches

__all__ = [
    "AlreadyActive",
    "ReservationClosed",
    "ReservationExpired",
    "ReservationInUse",
    "ReservationNotFound",
    "TooManyReservations",
    "VehicleCoolDown",
    "cancel_reservation",
    "claim_for_ride",
    "complete_reservation",
    "consume_reservation",
    "count_waiting_searches",
    "displace_reservation",
    "expire_reservations",
    "extend_ride_hold",
    "reserve_vehicle",
]
