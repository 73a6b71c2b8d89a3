"""Doors for Celery into payments."""

import structlog
from celery import shared_task
from django.conf import settings

from bookings.payments import services
from bookings.payments.providers import ingest
from bookings.payments.providers.local import notices
from bookings.payments.queries import ledger_faults
from mobility.core import clock

log = structlog.get_logger(__name__)


@shared_task(name="bookings.payments.collect")
def collect() -> dict[str, int]:
    """The collector's round: every payment and refund whose next attempt has come."""
    return services.collect_due(at=clock.now())


@shared_task(name="bookings.payments.hear_webhook")
def hear_webhook(*, webhook_id: int) -> str:
    """One event that a provider has just told."""
    return ingest.hear_webhook(webhook_id=webhook_id, at=clock.now())


@shared_task(name="bookings.payments.hear_webhooks")
def hear_webhooks() -> int:
    """Events that nobody heard, or that came before what they are about."""
    return ingest.hear_open_webhooks(at=clock.now())


@shared_task(name="bookings.payments.forget_webhooks")
def forget_webhooks() -> int:
    """Events that were heard long ago."""
    return ingest.forget_webhooks(at=clock.now())


@shared_task(name="bookings.payments.forget_links")
def forget_links() -> int:
    """Addresses to pay by that are of no use any more."""
    return services.forget_links(at=clock.now())


@shared_task(name="bookings.payments.send_local_webhooks")
def send_local_webhooks() -> int:
    """The demonstration provider tells what it has to tell, over HTTP."""
    return notices.send_due(at=clock.now()) if settings.DEMO_PAYMENTS else 0


@shared_task(name="bookings.payments.check_books")
def check_books() -> int:
    """Every night: whether the books are sound; each fault is a line for somebody to look at."""
    faults = ledger_faults()
    for fault in faults:
        log.error("bookings.books_not_sound", fault=fault)
    return len(faults)
