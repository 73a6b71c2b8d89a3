"""Doors for Celery into payments."""

import uuid

from celery import shared_task

from bookings.payments import services
from mobility.core import clock


@shared_task(name="bookings.payments.capture")
def capture(*, payment_id: str) -> None:
    """Collect one payment."""
    services.capture_payment(payment_id=uuid.UUID(payment_id), at=clock.now())


@shared_task(name="bookings.payments.refund")
def refund(*, refund_id: str) -> None:
    """Give one refund back."""
    services.execute_refund(refund_id=uuid.UUID(refund_id), at=clock.now())


@shared_task(name="bookings.payments.collect")
def collect() -> dict[str, int]:
    """The collector's round: every payment and refund whose next attempt has come."""
    return services.collect_due(at=clock.now())
