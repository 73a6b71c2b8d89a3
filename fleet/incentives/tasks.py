"""Doors for Celery into offers to riders."""

from __future__ import annotations

from celery import shared_task

from fleet.incentives import services
from mobility.core import clock
from mobility.core.principals import system_principal

PRICER = system_principal("offers")


@shared_task(name="fleet.incentives.refresh", queue="planning")
def refresh() -> dict[str, int]:
    """Make, keep and withdraw offers by what the city needs now."""
    return services.refresh_offers(at=clock.now(), by=PRICER)
