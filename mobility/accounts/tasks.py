"""Doors for Celery into accounts."""

from celery import shared_task

from mobility.accounts import rights
from mobility.core import clock


@shared_task(name="mobility.accounts.build_archive")
def build_archive(*, request_id: int) -> None:
    """Make the archive of a person's data."""
    rights.build_archive(request_id=request_id, at=clock.now())


@shared_task(name="mobility.accounts.build_waiting")
def build_waiting() -> int:
    """Send archives whose worker died to another one."""
    return rights.build_waiting(at=clock.now())
