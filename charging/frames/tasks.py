"""Celery's door to the days of frames."""

from __future__ import annotations

from celery import shared_task

from charging.frames import services
from mobility.core import clock


@shared_task(name="charging.frames.tend_partitions", queue="sessions")
def tend_partitions() -> list[str]:
    """Make the days to come, drop the old ones."""
    now = clock.now()
    return services.ensure_partitions(at=now) + services.drop_old_days(at=now)
