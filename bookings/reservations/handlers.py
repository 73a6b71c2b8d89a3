"""What reservations and bookings do when others report a fact."""

import datetime
import uuid

from bookings.reservations.events import (
    BookingCancelled,
    BookingChanged,
    BookingConfirmed,
    BookingDisplaced,
    BookingMoved,
    BookingNoShow,
)
from bookings.reservations.services import displace_booking, displace_reservation, note_charge
from fleet.vehicles.events import HoldDisplaced
from mobility.core import outbox

_RESERVATION = "reservation:"
_BOOKING = "booking:"


@outbox.handles(HoldDisplaced)
def on_hold_displaced(event: HoldDisplaced, *, at: datetime.datetime) -> None:
    """A vehicle went astray or to the workshop before its rider came."""
    if event.holder_ref.startswith(_RESERVATION):
        public_id = uuid.UUID(event.holder_ref.removeprefix(_RESERVATION))
        displace_reservation(public_id=public_id, reason=event.reason, at=at)
    elif event.holder_ref.startswith(_BOOKING):
        public_id = uuid.UUID(event.holder_ref.removeprefix(_BOOKING))
        displace_booking(public_id=public_id, reason=event.reason, at=at)


@outbox.handles(BookingConfirmed)
def on_booking_confirmed(event: BookingConfirmed, *, at: datetime.datetime) -> None:
    """Its car has to be charged by then."""
    note_charge(booking_id=uuid.UUID(event.booking_id), at=at)


@outbox.handles(BookingChanged)
def on_booking_changed(event: BookingChanged, *, at: datetime.datetime) -> None:
    """A longer ride may need more."""
    note_charge(booking_id=uuid.UUID(event.booking_id), at=at)


@outbox.handles(BookingMoved)
def on_booking_moved(event: BookingMoved, *, at: datetime.datetime) -> None:
    """Another car has to be charged, and the first one no more."""
    note_charge(booking_id=uuid.UUID(event.booking_id), left=event.from_vehicle_id, at=at)


@outbox.handles(BookingCancelled)
def on_booking_cancelled(event: BookingCancelled, *, at: datetime.datetime) -> None:
    """Nobody waits for the charge any more."""
    note_charge(booking_id=uuid.UUID(event.booking_id), at=at)


@outbox.handles(BookingDisplaced)
def on_booking_displaced(event: BookingDisplaced, *, at: datetime.datetime) -> None:
    """Nobody waits for the charge any more."""
    note_charge(booking_id=uuid.UUID(event.booking_id), at=at)


@outbox.handles(BookingNoShow)
def on_booking_no_show(event: BookingNoShow, *, at: datetime.datetime) -> None:
    """Nobody waits for the charge any more."""
    note_charge(booking_id=uuid.UUID(event.booking_id), at=at)
