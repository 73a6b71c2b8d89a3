"""What money does when a fact is reported: it writes to the person."""

import datetime
import uuid

from bookings.payments import services
from bookings.payments.events import FeeNoticed, PaymentFailed, PromiseMissing
from mobility.core import outbox


@outbox.handles(PaymentFailed)
def on_payment_failed(event: PaymentFailed, *, at: datetime.datetime) -> None:
    """The card refused: the person hears of it, with an address to pay at."""
    services.remind_of_debt(payment_id=uuid.UUID(event.payment_id), at=at)


@outbox.handles(PromiseMissing)
def on_promise_missing(event: PromiseMissing, *, at: datetime.datetime) -> None:
    """The card no longer promises what a ride under way needs."""
    services.warn_of_missing_promise(payment_id=uuid.UUID(event.payment_id), at=at)


@outbox.handles(FeeNoticed)
def on_fee_noticed(event: FeeNoticed, *, at: datetime.datetime) -> None:
    """A fee was announced."""
    services.write_fee_notice(fee_id=uuid.UUID(event.fee_id), at=at)
