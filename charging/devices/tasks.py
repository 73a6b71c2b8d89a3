"""Celery's doors to devices."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings

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


@shared_task(name="charging.devices.tell_costs", queue="sessions")
def tell_costs() -> int:
    """Let 1.6 stations show what charges cost by now, unless the installation does not want it."""
    every = settings.OCPP_COST_SECONDS
    if not every:
        return 0
    return services.tell_running_costs(every=timedelta(seconds=every), at=clock.now())
