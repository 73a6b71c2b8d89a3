"""Doors for Celery into passes."""

from celery import shared_task

from bookings.passes import services
from mobility.core import clock


@shared_task(name="bookings.passes.sweep")
def sweep() -> dict[str, int]:
    """Renew, end and lapse what is due."""
    return services.sweep_passes(at=clock.now())
