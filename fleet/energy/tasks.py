"""Doors for Celery into what vehicles at a plug want."""

from __future__ import annotations

from celery import shared_task

from fleet.energy import services
from mobility.core import clock


@shared_task(name="fleet.energy.sync")
def sync() -> dict[str, int]:
    """What changed without a word: batteries that fill, hours that come nearer."""
    return services.sync_demands(at=clock.now())
