"""The life of a reservation, from the first tap to the end, and of a booking made ahead."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class ReservationState(models.TextChoices):
    """`held` waits for its rider, `consumed` is being ridden; both occupy the rider."""

    HELD = "held", _("held")
    CONSUMED = "consumed", _("in use")
    COMPLETED = "completed", _("completed")
    EXPIRED = "expired", _("expired")
    CANCELLED = "cancelled", _("cancelled")
    DISPLACED = "displaced", _("taken away")


RESERVATION_MOVES: Moves = {
    ReservationState.HELD: frozenset(
        {
            ReservationState.CONSUMED,
            ReservationState.EXPIRED,
            ReservationState.CANCELLED,
            ReservationState.DISPLACED,
        }
    ),
    ReservationState.CONSUMED: frozenset({ReservationState.COMPLETED}),
    ReservationState.COMPLETED: frozenset(),
    ReservationState.EXPIRED: frozenset(),
    ReservationState.CANCELLED: frozenset(),
    ReservationState.DISPLACED: frozenset(),
}

ACTIVE = (ReservationState.HELD, ReservationState.CONSUMED)
# Let go by the person; what the fleet took away does not count.
UNUSED = (ReservationState.EXPIRED, ReservationState.CANCELLED)


class BookingState(models.TextChoices):
    """`confirmed` has a vehicle, `window_open` has it waiting, `in_use` is being ridden."""

    REQUESTED = "requested", _("requested")
    CONFIRMED = "confirmed", _("confirmed")
    WINDOW_OPEN = "window_open", _("vehicle waiting")
    IN_USE = "in_use", _("in use")
    COMPLETED = "completed", _("completed")
    CANCELLED_FREE = "cancelled_free", _("cancelled")
    CANCELLED_LATE = "cancelled_late", _("cancelled late")
    NO_SHOW = "no_show", _("not shown up")
    DISPLACED = "displaced", _("no vehicle left")


_EXITS = frozenset(
    {BookingState.CANCELLED_FREE, BookingState.CANCELLED_LATE, BookingState.DISPLACED}
)

BOOKING_MOVES: Moves = {
    BookingState.REQUESTED: frozenset({BookingState.CONFIRMED}),
    BookingState.CONFIRMED: _EXITS | {BookingState.WINDOW_OPEN, BookingState.NO_SHOW},
    BookingState.WINDOW_OPEN: _EXITS
    # Back, when it gets another vehicle that is not ready yet.
    | {BookingState.IN_USE, BookingState.NO_SHOW, BookingState.CONFIRMED},
    # Back, when the vehicle did not start: nobody pays for that, and the car may be tried again.
    BookingState.IN_USE: frozenset({BookingState.COMPLETED, BookingState.CONFIRMED}),
    BookingState.COMPLETED: frozenset(),
    BookingState.CANCELLED_FREE: frozenset(),
    BookingState.CANCELLED_LATE: frozenset(),
    BookingState.NO_SHOW: frozenset(),
    BookingState.DISPLACED: frozenset(),
}

WAITING_BOOKINGS = (BookingState.REQUESTED, BookingState.CONFIRMED, BookingState.WINDOW_OPEN)
OPEN_BOOKINGS = (*WAITING_BOOKINGS, BookingState.IN_USE)
