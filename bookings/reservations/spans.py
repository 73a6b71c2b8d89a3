"""What a booking's span must be, when cancelling it is free, and when it is somebody else's turn."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bookings.pricing.rules import Fare
    from bookings.reservations.models import ReservationPolicy

# A phone takes a moment to send what it shows.
LATE_TAP = datetime.timedelta(minutes=2)
# Whoever books for tonight can still think better of it.
SECOND_THOUGHTS = datetime.timedelta(minutes=10)
# How early a car that will not be there is exchanged for another one.
LOOK_AHEAD = datetime.timedelta(minutes=30)
REMIND_BEFORE = datetime.timedelta(minutes=10)

IN_PAST = "in_past"
NO_LENGTH = "no_length"
TOO_SHORT = "too_short"
TOO_LONG = "too_long"
TOO_FAR = "too_far_ahead"


def span_faults(
    *,
    starts_at: datetime.datetime,
    ends_at: datetime.datetime,
    at: datetime.datetime,
    policy: ReservationPolicy,
) -> tuple[str, ...]:
    """Everything that is wrong with a span, in a stable order; empty for one that can be booked."""
    if ends_at <= starts_at:
        return (NO_LENGTH,)
    length = ends_at - starts_at
    found = []
    if starts_at < at - LATE_TAP:
        found.append(IN_PAST)
    if length < datetime.timedelta(minutes=policy.booking_minutes):
        found.append(TOO_SHORT)
    if length > datetime.timedelta(hours=policy.booking_hours):
        found.append(TOO_LONG)
    if starts_at > at + datetime.timedelta(days=policy.days_ahead):
        found.append(TOO_FAR)
    return tuple(found)


def cancelled_free_until(
    *, fare: Fare, starts_at: datetime.datetime, at: datetime.datetime
) -> datetime.datetime:
    """Until when a booking made `at` costs nothing to cancel; never after it begins."""
    limit = starts_at - datetime.timedelta(hours=fare.free_cancel_before_h)
    return min(max(limit, at + SECOND_THOUGHTS), max(starts_at, at))


def hold_until(ends_at: datetime.datetime, *, policy: ReservationPolicy) -> datetime.datetime:
    """Until when a booking keeps its car from others: its end and the pause after it."""
    return ends_at + datetime.timedelta(minutes=policy.buffer_minutes)


def opens_at(starts_at: datetime.datetime, *, policy: ReservationPolicy) -> datetime.datetime:
    """From when on the car may be taken, if it stands there free."""
    return starts_at - datetime.timedelta(minutes=policy.early_minutes)


def no_show_at(starts_at: datetime.datetime, *, policy: ReservationPolicy) -> datetime.datetime:
    """When nobody comes any more."""
    return starts_at + datetime.timedelta(minutes=policy.grace_minutes)


def late_s(
    *, ends_at: datetime.datetime, returned_at: datetime.datetime, policy: ReservationPolicy
) -> int:
    """Seconds after the end at which the car came back; 0 within what the operator tolerates."""
    late = returned_at - ends_at
    tolerated = datetime.timedelta(minutes=policy.late_minutes)
    return int(late.total_seconds()) if late > tolerated else 0
