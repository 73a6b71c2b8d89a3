"""How long a reservation lasts, who wins at its edge, and how many are too many."""

import datetime

# A start within this time after the expiry still wins: the sweep waits it out.
TIE = datetime.timedelta(seconds=2)

# Room for the start to extend the vehicle's hold before anybody else can have it.
HOLD_MARGIN = datetime.timedelta(seconds=10)

# Reserving without riding keeps vehicles from others.
UNUSED_PER_HOUR = 6
HOUR = datetime.timedelta(hours=1)


def still_startable(*, expires_at: datetime.datetime, at: datetime.datetime) -> bool:
    """Whether a start at `at` is in time; at the edge the rider wins."""
    return at < expires_at + TIE


def overdue_before(at: datetime.datetime) -> datetime.datetime:
    """Reservations that ended at or before this instant may be expired at `at`."""
    return at - TIE


def too_many_unused(count: int) -> bool:
    """Whether `count` unused reservations within an hour are hoarding."""
    return count >= UNUSED_PER_HOUR
