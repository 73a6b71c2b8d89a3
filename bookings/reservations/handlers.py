"""What reservations do when others report a fact."""

import datetime
import uuid

from bookings.reservations.services import displace_reservation
from fleet.vehicles.events import HoldDisplaced
from mobility.core import outbox

_PREFIX = "reservation:"


@outbox.handles(HoldDisplaced)
def on_hold_displaced(event: HoldDisplaced, *, at: datetime.datetime) -> None:
    """A vehicle went astray before its rider came."""
    if event.holder_ref.startswith(_PREFIX):
        public_id = uuid.UUID(event.holder_ref.removeprefix(_PREFIX))
        displace_reservation(public_id=public_id, reason=event.reason, at=at)
