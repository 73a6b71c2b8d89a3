"""Doors for Celery into trips."""

from celery import shared_task

from bookings.trips import services
from mobility.core import clock


@shared_task(name="bookings.trips.sweep")
def sweep() -> dict[str, int]:
    """Heal trips that got stuck."""
    return services.sweep_trips(at=clock.now())
