"""What passes do when money is reported."""

import datetime
import uuid

from bookings.passes import services
from bookings.payments.events import PaymentCaptured, PaymentRefused
from bookings.payments.states import Purpose
from mobility.core import outbox


def _of_a_pass(event: PaymentCaptured | PaymentRefused) -> bool:
    return event.purpose == Purpose.PASS


@outbox.handles(PaymentCaptured, when=_of_a_pass)
def on_payment_captured(event: PaymentCaptured, *, at: datetime.datetime) -> None:
    """The money for a pass came."""
    services.note_pass_paid(pass_id=uuid.UUID(event.purpose_ref), at=at)


@outbox.handles(PaymentRefused, when=_of_a_pass)
def on_payment_refused(event: PaymentRefused, *, at: datetime.datetime) -> None:
    """The card refused to pay for a pass."""
    services.note_pass_refused(pass_id=uuid.UUID(event.purpose_ref), at=at)
