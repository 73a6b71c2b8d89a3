"""How long a reservation lasts, who wins at its edge, and how many are too many."""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING

from fleet.vehicles.states import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bookings.pricing.rules import Fare
    from bookings.reservations.models.policy import ReservationPolicy

# A start within this time after the expiry still wins: the sweep waits it out.
TIE = datetime.timedelta(seconds=2)

# Room for the start to extend the vehicle's hold before anybody else can have it.
HOLD_MARGIN = datetime.timedelta(seconds=10)

# What can be booked ahead, so that who takes one now may have to give it back.
BOOKABLE = frozenset({Kind.CAR})

# Reserving without riding keeps vehicles from others.
HOUR = datetime.timedelta(hours=1)


def still_startable(*, expires_at: datetime.datetime, at: datetime.datetime) -> bool:
    """Whether a start at `at` is in time; at the edge the rider wins."""
    return at < expires_at + TIE


def overdue_before(at: datetime.datetime) -> datetime.datetime:
    """Reservations that ended at or before this instant may be expired at `at`."""
    return at - TIE


def first_minutes(fare: Fare) -> int:
    """How long a reservation lasts at first: as long as it is free, where longer ones are paid.

    Nobody pays for reserved time without having asked for it, unless there is no free time at all.
    """
    free = fare.hold_free_minutes
    return (
        min(free, fare.hold_max_minutes)
        if free and fare.hold_minute_cents
        else fare.hold_max_minutes
    )


def longest_minutes(fare: Fare) -> int:
    """How long it may last with all its extensions."""
    return max(fare.hold_longest_minutes, fare.hold_max_minutes, first_minutes(fare))


def extension_minutes(fare: Fare) -> int:
    """How much one extension adds: what the tariff says, else all that is left."""
    return fare.hold_extend_minutes or longest_minutes(fare) - first_minutes(fare)


def with_time(fare: Fare, *, minutes: int) -> Fare:
    """The same fare with so many more free reserved minutes."""
    free = fare.hold_free_minutes + minutes
    most = max(fare.hold_max_minutes, first_minutes(fare) + minutes)
    return dataclasses.replace(fare, hold_free_minutes=free, hold_max_minutes=most)


def free_slot(taken: Iterable[int], *, limit: int) -> int | None:
    """The first place from 0 to `limit` − 1 that is not taken, or None."""
    used = set(taken)
    return next((slot for slot in range(limit) if slot not in used), None)


def hoarding_until(
    times: Collection[datetime.datetime], *, policy: ReservationPolicy
) -> datetime.datetime | None:
    """Until when somebody reserves nothing any more who let reservations of these times go."""
    if len(times) < policy.unused_per_hour:
        return None
    return sorted(times)[-policy.unused_per_hour] + HOUR


def cooling_until(
    closed: Collection[datetime.datetime], *, policy: ReservationPolicy
) -> datetime.datetime | None:
    """Until when a vehicle is not for somebody who let it go at these times."""
    if len(closed) < policy.cool_down_after or not policy.cool_down_minutes:
        return None
    return max(closed) + datetime.timedelta(minutes=policy.cool_down_minutes)
