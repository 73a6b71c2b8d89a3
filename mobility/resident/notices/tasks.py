"""Doors for Celery into notices."""

from celery import shared_task

from mobility.core import clock
from mobility.resident.notices import services


@shared_task(name="mobility.resident.notices.remind")
def remind() -> int:
    """Tell people what is about to happen."""
    return services.remind(at=clock.now())
