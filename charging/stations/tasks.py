"""Celery's doors to stations."""

from __future__ import annotations

from celery import shared_task

from charging.stations import services
from mobility.core import clock


@shared_task(name="charging.stations.expire_commands", queue="sessions")
def expire_commands() -> int:
    """Finish commands that nobody finished."""
    return services.expire_commands(at=clock.now())
