"""Doors for Celery into rewards."""

from celery import shared_task

from bookings.rewards import services
from mobility.core import clock


@shared_task(name="bookings.rewards.sweep")
def sweep() -> int:
    """Release promises that nobody kept in time."""
    return services.sweep_rewards(at=clock.now())


@shared_task(name="bookings.rewards.score", queue="planning")
def score() -> int:
    """Compare the days that are over with what happened; returns how many."""
    return len(services.score_rewards(at=clock.now()))
