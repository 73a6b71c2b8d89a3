"""Doors for Celery into zones."""

from celery import shared_task

from fleet.zones import services
from mobility.core import clock


@shared_task(name="fleet.zones.supersede_ended")
def supersede_ended() -> int:
    """Mark sets whose time is over; returns how many."""
    return len(services.supersede_ended(at=clock.now()))
