"""Celery's doors to stations."""

from __future__ import annotations

from celery import shared_task

from charging.stations import services
from mobility.core import clock


@shared_task(name="charging.stations.expire_commands", queue="sessions")
def expire_commands() -> int:
    """Finish commands that nobody finished."""
    return services.expire_commands(at=clock.now())


@shared_task(name="charging.stations.forget_refusals", queue="sessions")
def forget_refusals() -> int:
    """Drop refused handshakes that nobody looks for any more."""
    return services.forget_refused_handshakes(at=clock.now())


@shared_task(name="charging.stations.forget_commands", queue="sessions")
def forget_commands() -> int:
    """Drop commands that nobody looks for any more."""
    return services.forget_commands(at=clock.now())


@shared_task(name="charging.stations.tell_statuses", queue="sessions")
def tell_statuses() -> int:
    """Publish what stands in the end of connectors that flapped."""
    return services.tell_statuses(at=clock.now())
