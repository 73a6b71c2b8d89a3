"""Doors for Celery into riders."""

from celery import shared_task

from bookings.riders import services
from bookings.riders.states import PaperKind
from mobility.core import clock


@shared_task(name="bookings.riders.check")
def check(*, kind: str, document_id: int) -> None:
    """Let the automatic checker look at a document."""
    services.check_document(kind=PaperKind(kind), document_id=document_id, at=clock.now())


@shared_task(name="bookings.riders.tend")
def tend() -> int:
    """Close blocks whose time is over, and ask checkers again that never answered."""
    at = clock.now()
    return services.close_outlived_blocks(at=at) + services.ask_again(at=at)


@shared_task(name="bookings.riders.follow_calendar")
def follow_calendar() -> int:
    """Warn of documents that end soon, end those whose last day is over, forget those long gone."""
    at = clock.now()
    return services.follow_calendar(at=at) + services.forget_old_papers(at=at)
