"""Doors for Celery into reservations."""

from celery import shared_task

from bookings.reservations import services
from mobility.core import clock


@shared_task(name="bookings.reservations.expire")
def expire() -> int:
    """Expire what nobody rode in time."""
    return services.expire_reservations(at=clock.now())
