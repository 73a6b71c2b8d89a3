"""What reservations and bookings do when others report a fact."""

import datetime
import uuid

from bookings.reservations.services import displace_booking, displace_reservation
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
