"""Writes of reservations and bookings, one file for each group of verbs."""

from bookings.reservations.services.assign import assign_cars
from bookings.reservations.services.book import (
    BookingOffer,
    BookingSpanRefused,
    NoCarFree,
    NotBookable,
    TooManyBookings,
    Wish,
    book_car,
    booking_warnings,
    offer_booking,
)
from bookings.reservations.services.change import (
    BookingClosed,
    BookingInUse,
    BookingNotFound,
    ExtensionBlocked,
    cancel_booking,
    resize_booking,
)
from bookings.reservations.services.charge import note_charge
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
from bookings.reservations.services.connectors import NoConnectorFree
from bookings.reservations.services.extend import ExtensionRefused, extend_reservation
from bookings.reservations.services.relocate import (
    BookingNotMovable,
    NoOtherCar,
    exchange,
    move_booking,
)
from bookings.reservations.services.reserve import (
    AlreadyActive,
    TooManyReservations,
    VehicleCoolDown,
    reserve_vehicle,
)
from bookings.reservations.services.ride import BookedCarMissing, BookingOver, BookingTooEarly
from bookings.reservations.services.searches import count_waiting_searches
from bookings.reservations.services.tend import displace_booking, tend_bookings

__all__ = [
    "AlreadyActive",
    "BookedCarMissing",
    "BookingClosed",
    "BookingInUse",
    "BookingNotFound",
    "BookingNotMovable",
    "BookingOffer",
    "BookingOver",
    "BookingSpanRefused",
    "BookingTooEarly",
    "ExtensionBlocked",
    "ExtensionRefused",
    "NoCarFree",
    "NoConnectorFree",
    "NoOtherCar",
    "NotBookable",
    "ReservationClosed",
    "ReservationExpired",
    "ReservationInUse",
    "ReservationNotFound",
    "TooManyBookings",
    "TooManyReservations",
    "VehicleCoolDown",
    "Wish",
    "assign_cars",
    "book_car",
    "booking_warnings",
    "cancel_booking",
    "cancel_reservation",
    "claim_for_ride",
    "complete_reservation",
    "consume_reservation",
    "count_waiting_searches",
    "displace_booking",
    "displace_reservation",
    "exchange",
    "expire_reservations",
    "extend_reservation",
    "extend_ride_hold",
    "move_booking",
    "note_charge",
    "offer_booking",
    "reserve_vehicle",
    "resize_booking",
    "tend_bookings",
]
