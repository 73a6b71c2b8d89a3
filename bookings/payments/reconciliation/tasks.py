"""Doors for Celery into reconciliation."""

import datetime

import structlog
from celery import shared_task

from bookings.payments.providers import providers_serving
from bookings.payments.providers.wire import ProviderUnavailable
from bookings.payments.reconciliation.services.match import reconcile_day
from bookings.payments.reconciliation.services.stuck import report_stuck
from mobility.core import clock, locks

log = structlog.get_logger(__name__)

# Yesterday, and the days before it whose statement may have grown since.
DAYS = 3


@shared_task(name="bookings.payments.reconcile")
def reconcile() -> dict[str, int]:
    """Compare the last days of every provider with the books; a second worker finds it done."""
    with locks.try_advisory("bookings.payments.reconcile") as mine:
        return {"days": _reconcile() if mine else 0}


@shared_task(name="bookings.payments.watch_stuck")
def watch_stuck() -> int:
    """Report money that should have moved long ago."""
    return report_stuck(at=clock.now())


def _reconcile() -> int:
    at, compared = clock.now(), 0
    for provider in providers_serving():
        for back in range(DAYS, 0, -1):
            day = clock.service_day(at) - datetime.timedelta(days=back)
            try:
                reconcile_day(provider=provider, day=day, at=at)
            except ProviderUnavailable:
                log.warning("payments.statement_not_read", provider=provider, day=str(day))
            else:
                compared += 1
    return compared
