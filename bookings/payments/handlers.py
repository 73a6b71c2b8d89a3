"""What payments do when a fact is reported: ask the provider, outside of the event's transaction."""

import datetime

from bookings.payments.events import CaptureRequested, RefundRequested
from mobility.core import jobs, outbox


@outbox.handles(CaptureRequested)
def on_capture_requested(event: CaptureRequested, *, at: datetime.datetime) -> None:
    """Collect soon; if this is lost, the collector's round finds the payment."""
    jobs.enqueue("bookings.payments.capture", payment_id=event.payment_id)


@outbox.handles(RefundRequested)
def on_refund_requested(event: RefundRequested, *, at: datetime.datetime) -> None:
    """Give back soon; if this is lost, the collector's round finds the refund."""
    jobs.enqueue("bookings.payments.refund", refund_id=event.refund_id)
