"""Celery's doors to certificates."""

from __future__ import annotations

from celery import shared_task

from charging.certificates import services
from mobility.core import clock


@shared_task(name="charging.certificates.renew", queue="sessions")
def renew() -> int:
    """Ask for renewals in time, end what has ended, list what is revoked."""
    at = clock.now()
    services.renew_revocations(at=at)
    return services.renew_certificates(at=at)


@shared_task(name="charging.certificates.forget_events", queue="sessions")
def forget_events() -> int:
    """Drop old security events and requests for certificates."""
    at = clock.now()
    return services.forget_security_events(at=at) + services.forget_requests(at=at)
