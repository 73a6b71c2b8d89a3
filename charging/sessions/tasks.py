"""Celery's doors to sessions; beat knocks, every one may be repeated."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from charging.sessions import services
from mobility.core import clock


@shared_task(name="charging.sessions.settle_due", queue="sessions")
def settle_due() -> int:
    """Settle ended sessions that their event did not settle."""
    return services.settle_due(at=clock.now())


@shared_task(name="charging.sessions.close_lost", queue="sessions")
def close_lost() -> int:
    """End sessions whose stations will not end them any more."""
    return services.close_lost_sessions(at=clock.now())


@shared_task(name="charging.sessions.tell_costs", queue="sessions")
def tell_costs() -> int:
    """Let 2.x stations show what quiet sessions cost by now, unless the installation does not want it."""
    every = settings.OCPP_COST_SECONDS
    if not every:
        return 0
    return services.tell_costs(every=timedelta(seconds=every), at=clock.now())
