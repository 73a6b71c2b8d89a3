"""Doors for Celery into recharges."""

from celery import shared_task

from bookings.recharges import services
from bookings.recharges.services.guests import GUESTS
from mobility.core import clock


@shared_task(name="bookings.recharges.sweep")
def sweep() -> dict[str, int]:
    """Tend what chargers leave undone: starts, stops, limits, kept connectors."""
    return services.sweep_recharges(at=clock.now())


@shared_task(name="bookings.recharges.send_receipts")
def send_receipts() -> int:
    """Send the receipts of drivers without an account."""
    return services.send_guest_receipts(at=clock.now())


@shared_task(name="bookings.recharges.issue_codes")
def issue_codes() -> int:
    """Give new connectors their codes."""
    return services.issue_missing_codes(at=clock.now(), by=GUESTS)


@shared_task(name="bookings.recharges.forget_guests")
def forget_guests() -> dict[str, int]:
    """Drop what drivers without an account need no more."""
    return services.forget_guests(at=clock.now())
