"""Doors for Celery into vehicles."""

from celery import shared_task

from fleet.vehicles import services
from mobility.core import clock


@shared_task(name="fleet.vehicles.expire_commands")
def expire_commands() -> int:
    """End commands whose time is over; returns how many."""
    return len(services.expire_commands(at=clock.now()))


@shared_task(name="fleet.vehicles.refresh_document_blocks")
def refresh_document_blocks() -> int:
    """Block vehicles whose papers ran out, free those that have them again; returns how many."""
    return services.refresh_document_blocks(at=clock.now())
