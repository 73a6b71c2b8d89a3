"""Doors for Celery into support."""

from celery import shared_task

from bookings.support import services
from mobility.core import clock


@shared_task(name="bookings.support.close_resolved")
def close_resolved() -> int:
    """Close cases that nobody opened again."""
    return services.close_resolved(at=clock.now())
