"""Doors for Celery into notifications."""

from celery import shared_task

from mobility.core import clock
from mobility.notifications import services


@shared_task(name="mobility.notifications.deliver", queue="webhooks")
def deliver() -> int:
    """Send what is due to people's devices; a second call at the same time leaves it to the first."""
    return services.deliver_due(at=clock.now())


@shared_task(name="mobility.notifications.forget")
def forget() -> int:
    """Forget what was told long ago."""
    return services.forget_old(at=clock.now())
