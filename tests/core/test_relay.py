"""The relay: it outlives a broker that is away."""

import datetime
import threading
from typing import Any

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from mobility.core import clock, outbox, relay
from mobility.core.models import OutboxEvent
from mobility.core.tasks import deliver_events


class BellRung(outbox.Event):
    """A fact like most."""

    name = "tests.bell_rung.v1"


class LeafFell(outbox.Event):
    """Nobody listens to it."""

    name = "tests.leaf_fell.v1"


class FloodCame(outbox.Event):
    """Comes by the thousand when it comes."""

    name = "tests.flood_came.v1"
    queue = "planning"


@outbox.handles(FloodCame)
def on_flood(_event: FloodCame, *, at: datetime.datetime) -> None:
    """Somebody listens, so its queue is known."""


@outbox.handles(BellRung)
def on_bell(_event: BellRung, *, at: datetime.datetime) -> None:
    """Somebody listens to this as well."""


@pytest.mark.django_db(transaction=True)
def test_a_flood_waits_on_a_queue_of_its_own_in_small_tasks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(
        deliver_events,
        "apply_async",
        lambda *, kwargs, queue: sent.append((queue, len(kwargs["ids"]))),
    )
    with transaction.atomic():
        outbox.publish(*[FloodCame() for _drop in range(120)], BellRung(), at=clock.now())
    assert relay.relay_once() == 121
    assert sent == [("planning", 50), ("planning", 50), ("planning", 20), ("default", 1)]


@pytest.mark.django_db(transaction=True)
def test_what_nobody_hears_is_done_without_a_task_and_keeps_nothing_waiting() -> None:
    with transaction.atomic():
        outbox.publish(*[LeafFell() for _leaf in range(5)], BellRung(), at=clock.now())
    [(_queue, ids)] = outbox.claim_undispatched(at=clock.now(), limit=5)
    assert ids == [OutboxEvent.objects.get(name=BellRung.name).pk]
    assert OutboxEvent.objects.filter(name=LeafFell.name, handled_at=None).count() == 0
    assert outbox.claim_undispatched(at=clock.now()) == []


def ring() -> None:
    with transaction.atomic():
        outbox.publish(BellRung(), at=clock.now())


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    sent: list[list[int]] = []

    def away(*, kwargs: dict[str, Any], queue: str) -> None:
        monkeypatch.setattr(deliver_events, "apply_async", back)
        ring()
        raise OperationalError("connection refused")

    def back(*, kwargs: dict[str, Any], queue: str) -> None:
        sent.append(kwargs["ids"])
        stop.set()

    monkeypatch.setattr(deliver_events, "apply_async", away)
    ring()
    relay.run(stop=stop)
    lost, second = OutboxEvent.objects.order_by("id")
    assert sent == [[second.pk]]
    # What was claimed for the broker that was away comes again with the sweep.
    outbox.release_overdue(at=clock.now() + datetime.timedelta(minutes=1))
    [(_queue, ids)] = outbox.claim_undispatched(at=clock.now())
    assert lost.pk in ids
