"""Doors for Celery into recharges."""

from celery import shared_task

from bookings.recharges import services
from mobility.core import clock


@shared_task(name="bookings.recharges.sweep")
def sweep() -> dict[str, int]:
    """Give up what chargers do not answer."""
    return services.sweep_recharges(at=clock.now())
