"""Doors for Celery into telematics."""

from celery import shared_task

from fleet.telematics import services
from fleet.telematics.services import retention
from mobility.core import clock

# Beat sends the next one every few seconds; a worker that is killed stalls nothing for longer.
DRAIN_BUDGET_S = 8.0


@shared_task(name="fleet.telematics.drain", queue="telematics")
def drain(*, shard: int = 0, budget_s: float = DRAIN_BUDGET_S) -> int:
    """Store what waits in a shard of the telemetry log; returns the number of entries."""
    return services.drain(shard=shard, budget_s=budget_s, now=clock.now).entries


@shared_task(name="fleet.telematics.age_links")
def age_links() -> int:
    """Mark vehicles that fell silent; returns how many."""
    return services.age_links(at=clock.now())


@shared_task(name="fleet.telematics.tend_partitions")
def tend_partitions() -> None:
    """Make the days ahead, drop those for which nothing can come any more."""
    services.ensure_partitions(at=clock.now())
    services.drop_empty_days(at=clock.now())


@shared_task(name="fleet.telematics.correct_tracks")
def correct_tracks() -> int:
    """Compute tracks again that points came late for; returns how many distances changed."""
    return services.correct_tracks(at=clock.now())


@shared_task(name="fleet.telematics.retain")
def retain() -> None:
    """The nightly round: pack days away, drop what is over, cut links, forget what was put aside."""
    retention.retain(at=clock.now())
