"""Celery's doors to devices."""

from __future__ import annotations

from celery import shared_task

from charging.devices import services
from mobility.core import clock


@shared_task(name="charging.devices.tend", queue="sessions")
def tend() -> int:
    """Say of reports and jobs that fell silent that they did; keep local lists up to date."""
    at = clock.now()
    given_up = services.give_up_reports(at=at) + services.give_up_jobs(at=at)
    return given_up + services.tend_lists(at=at)


@shared_task(name="charging.devices.forget", queue="sessions")
def forget() -> int:
    """Drop what stations told long ago."""
    return services.forget_records(at=clock.now())
