"""Celery's door to tickets."""

from __future__ import annotations

from celery import shared_task

from charging.tickets import services
from mobility.core import clock


@shared_task(name="charging.tickets.sync", queue="sessions")
def sync() -> dict[str, int]:
    """Open tickets for what broke or fell silent, close those of what is well again."""
    return services.sync_tickets(at=clock.now())
