"""Doors for Celery into the core: delivering events, sweeping, forgetting what is old."""

from celery import shared_task

from mobility.core import clock, health, idempotency, outbox


@shared_task(name="mobility.core.deliver_events", acks_late=True)
def deliver_events(*, ids: list[int]) -> None:
    """Deliver up to 500 outbox events."""
    outbox.deliver(ids=ids, at=clock.now())


@shared_task(name="mobility.core.sweep_outbox")
def sweep_outbox() -> int:
    """Put events whose delivery never finished back into the queue."""
    return outbox.release_overdue(at=clock.now())


@shared_task(name="mobility.core.forget_answers")
def forget_answers() -> int:
    """Forget remembered answers that no client will ask for again."""
    return idempotency.forget_old(at=clock.now())


@shared_task(name="mobility.core.forget_events")
def forget_events() -> int:
    """Forget events that were delivered long ago."""
    return outbox.forget_delivered(at=clock.now())


@shared_task(name="mobility.core.heartbeat")
def heartbeat(*, of: str) -> None:
    """Leave a sign that the queue's worker is alive; beat sends one to each queue."""
    health.record_heartbeat(queue=of, at=clock.now())
