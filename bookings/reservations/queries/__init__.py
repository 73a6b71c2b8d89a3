"""Reads before and around reservations and bookings."""

from bookings.reservations.queries.calendar import busy_spans, calendar_of
from bookings.reservations.queries.cars import Car, Place, free_cars
from bookings.reservations.queries.classes import BookingClass, booking_class, booking_classes
from bookings.reservations.queries.offers import Offer, offers_near, vehicle_by_ref, with_vehicle

__all__ = [
    "BookingClass",
    "Car",
    "Offer",
    "Place",
    "booking_class",
    "booking_classes",
    "busy_spans",
    "calendar_of",
    "free_cars",
    "offers_near",
    "vehicle_by_ref",
    "with_vehicle",
]
