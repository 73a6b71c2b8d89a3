"""Doors for Celery into vehicles."""

from celery import shared_task

from fleet.vehicles import services
from mobility.core import clock


@shared_task(name="fleet.vehicles.expire_commands")
def expire_commands() -> int:
    """End commands whose time is over; returns how many."""
    return len(services.expire_commands(at=clock.now()))
