"""Doors for Celery into payments."""

from celery import shared_task

from bookings.payments import services
from mobility.core import clock


@shared_task(name="bookings.payments.collect")
def collect() -> dict[str, int]:
    """The collector's round: every payment and refund whose next attempt has come."""
    return services.collect_due(at=clock.now())
