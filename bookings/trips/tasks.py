"""Doors for Celery into trips."""

from celery import shared_task

from bookings.trips import services
from bookings.trips.services.rewards import release_unridden
from mobility.core import clock


@shared_task(name="bookings.trips.sweep")
def sweep() -> dict[str, int]:
    """Heal trips that got stuck, and look after those that nobody looks after."""
    return services.sweep_trips(at=clock.now())


@shared_task(name="bookings.trips.watch")
def watch() -> dict[str, int]:
    """Notice outages, disputes whose answer is late, and rewards of rides that never were."""
    at = clock.now()
    return {
        **services.watch_fleets(at=at),
        "reminded": services.remind_overdue(at=at),
        "rewards_released": release_unridden(at=at),
    }


@shared_task(name="bookings.trips.cover")
def cover() -> int:
    """Have what long rides may cost promised; asks banks, so it keeps nothing else waiting."""
    return services.cover_rides(at=clock.now())
