"""Doors for Celery into maintenance."""

from __future__ import annotations

from celery import shared_task

from fleet.maintenance import services
from mobility.core import clock


@shared_task(name="fleet.maintenance.open_due_orders")
def open_due_orders() -> int:
    """Open the orders of all service that is due; returns how many."""
    return len(services.open_due_orders(at=clock.now()))
