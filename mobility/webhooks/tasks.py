"""Doors for Celery into webhooks."""

from celery import shared_task

from mobility.core import clock
from mobility.webhooks import services


@shared_task(name="mobility.webhooks.deliver", queue="webhooks")
def deliver() -> int:
    """Send everything that is due; a second call at the same time leaves it to the first."""
    return services.deliver_due(at=clock.now())


@shared_task(name="mobility.webhooks.forget")
def forget() -> int:
    """Forget facts that were told long ago."""
    return services.forget_old(at=clock.now())
