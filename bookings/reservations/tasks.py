"""Doors for Celery into reservations."""

from celery import shared_task

from bookings.reservations import services
from mobility.core import clock


@shared_task(name="bookings.reservations.expire")
def expire() -> int:
    """Expire what nobody rode in time."""
    return services.expire_reservations(at=clock.now())


@shared_task(name="bookings.reservations.tend_bookings")
def tend_bookings() -> dict[str, int]:
    """Make booked cars ready, exchange those that will not be there, give up who did not come."""
    return services.tend_bookings(at=clock.now())


@shared_task(name="bookings.reservations.assign_cars", queue="planning")
def assign_cars() -> int:
    """Which car serves which booking, anew; returns how many got another one."""
    return services.assign_cars(at=clock.now())


@shared_task(name="bookings.reservations.count_searches")
def count_searches() -> int:
    """Count the searches since the last time."""
    return services.count_waiting_searches(at=clock.now())
