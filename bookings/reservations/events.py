"""Facts about reservations and bookings that others may want to know."""

import datetime
from dataclasses import dataclass
from typing import ClassVar

from mobility.core.outbox import Event


@dataclass(frozen=True, kw_only=True)
class ReservationExpired(Event):
    """Nobody rode in time; `paid_minutes` of `held_s` seconds were beyond the free ones."""

    name: ClassVar[str] = "bookings.reservation_expired.v1"

    reservation_id: str
    vehicle_id: int
    user_principal: str
    held_s: int
    paid_minutes: int


@dataclass(frozen=True, kw_only=True)
class _AboutBooking(Event):
    booking_id: str
    vehicle_id: int
    user_principal: str
    starts_at: datetime.datetime
    ends_at: datetime.datetime


@dataclass(frozen=True, kw_only=True)
class BookingConfirmed(_AboutBooking):
    """A vehicle is kept for a person."""

    name: ClassVar[str] = "bookings.booking_confirmed.v1"

    estimate_cents: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class BookingChanged(_AboutBooking):
    """It ends at another time than it did; `by_rider` or by staff."""

    name: ClassVar[str] = "bookings.booking_changed.v1"

    before: datetime.datetime


@dataclass(frozen=True, kw_only=True)
class BookingMoved(_AboutBooking):
    """Another vehicle, as good or better, at the same price; `reason` says why."""

    name: ClassVar[str] = "bookings.booking_moved.v1"

    from_vehicle_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class BookingAtRisk(_AboutBooking):
    """The vehicle may not be there in time and there is no other one yet; cancelling is free."""

    name: ClassVar[str] = "bookings.booking_at_risk.v1"

    reason: str


@dataclass(frozen=True, kw_only=True)
class BookingWindowOpened(_AboutBooking):
    """The vehicle waits for its rider."""

    name: ClassVar[str] = "bookings.booking_window_opened.v1"


@dataclass(frozen=True, kw_only=True)
class BookingReminder(_AboutBooking):
    """It ends soon; `next_booked` says that somebody else waits for the vehicle then."""

    name: ClassVar[str] = "bookings.booking_reminder.v1"

    next_booked: bool


@dataclass(frozen=True, kw_only=True)
class BookingCancelled(_AboutBooking):
    """Given back by its owner or by staff; `fee_cents` is 0 in time."""

    name: ClassVar[str] = "bookings.booking_cancelled.v1"

    fee_cents: int


@dataclass(frozen=True, kw_only=True)
class BookingDisplaced(_AboutBooking):
    """There is no vehicle for it; nothing is charged."""

    name: ClassVar[str] = "bookings.booking_displaced.v1"

    reason: str


@dataclass(frozen=True, kw_only=True)
class BookingNoShow(_AboutBooking):
    """Nobody came for the vehicle."""

    name: ClassVar[str] = "bookings.booking_no_show.v1"

    fee_cents: int


@dataclass(frozen=True, kw_only=True)
class BookingCompleted(_AboutBooking):
    """The ride on it is over; `late_s` seconds after its end, for which `fee_cents` were asked."""

    name: ClassVar[str] = "bookings.booking_completed.v1"

    late_s: int
    fee_cents: int
