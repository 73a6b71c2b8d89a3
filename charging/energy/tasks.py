"""Celery's doors to energy."""

from __future__ import annotations

from celery import shared_task

from charging.energy import services
from mobility.core import clock


@shared_task(name="charging.energy.plan", queue="sessions")
def plan() -> int:
    """Plan sites whose plan is some minutes old."""
    return services.plan_due_sites(at=clock.now())


@shared_task(name="charging.energy.forget", queue="sessions")
def forget() -> int:
    """Drop lifted limits and demands that are long over."""
    return services.forget_records(at=clock.now())
