"""The outbox: commits with the change, delivered at least once, effective once, never forgotten."""

import dataclasses
import datetime
import time
from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest
import structlog
from django.db import transaction

from mobility.core import clock, outbox, tracing
from mobility.core.models import HandledEvent, OutboxEvent
from tests.bookings.races import at_once


@dataclasses.dataclass(frozen=True)
class LampLit(outbox.Event):
    """A street lamp went on."""

    name: ClassVar[str] = "tests.lamp_lit.v1"
    lamp: int
    lit_at: datetime.datetime


@pytest.fixture
def heard() -> Iterator[list[tuple[LampLit, str]]]:
    """What a handler heard, with the request id it ran under."""
    notes: list[tuple[LampLit, str]] = []

    @outbox.handles(LampLit)
    def on_lamp_lit(event: LampLit, *, at: datetime.datetime) -> None:
        if event.lamp < 0:
            raise ValueError("no such lamp")
        notes.append((event, tracing.current_request_id()))

    yield notes
    outbox._handlers.pop(LampLit.name)


def light(lamp: int) -> LampLit:
    event = LampLit(lamp=lamp, lit_at=clock.now())
    with transaction.atomic():
        outbox.publish(event, at=clock.now())
    return event


@pytest.mark.django_db
def test_a_fact_arrives_with_its_types_and_the_request_id_that_caused_it(
    heard: list[tuple[LampLit, str]], relay: Callable[[], int]
) -> None:
    with structlog.contextvars.bound_contextvars(request_id="req-7"):
        event = light(7)
    relay()
    assert heard == [(event, "req-7")]


@pytest.mark.django_db
def test_a_handler_is_left_alone_with_facts_that_do_not_concern_it(
    relay: Callable[[], int],
) -> None:
    seen: list[int] = []

    @outbox.handles(LampLit, when=lambda event: event.lamp % 2 == 0)
    def on_even_lamp(event: LampLit, *, at: datetime.datetime) -> None:
        seen.append(event.lamp)

    try:
        odd, even = light(7), light(8)
        relay()
    finally:
        outbox._handlers.pop(LampLit.name)
    assert seen == [even.lamp]
    assert not OutboxEvent.objects.filter(handled_at=None).exists()
    assert not HandledEvent.objects.exists()
    assert not OutboxEvent.objects.filter(handled_at=None).exists(), odd


@pytest.mark.django_db
def test_a_listener_hears_facts_of_any_kind_once_and_only_those_it_wants(
    relay: Callable[[], int],
) -> None:
    seen: list[outbox.Fact] = []
    wanted: set[str] = set()

    @outbox.listens(wants=wanted.__contains__)
    def on_anything(fact: outbox.Fact, *, at: datetime.datetime) -> None:
        seen.append(fact)

    try:
        light(7)
        relay()
        assert not HandledEvent.objects.exists()
        wanted.add(LampLit.name)
        light(8)
        relay()
        OutboxEvent.objects.update(dispatched_at=None)
        relay()
    finally:
        outbox._listeners.pop(outbox._full_name(on_anything))
    assert [fact.payload["lamp"] for fact in seen] == [8]
    assert seen[0].event_id == OutboxEvent.objects.order_by("-id")[0].event_id


@pytest.mark.django_db
def test_delivering_again_has_one_effect(
    heard: list[tuple[LampLit, str]], relay: Callable[[], int]
) -> None:
    light(1)
    relay()
    OutboxEvent.objects.update(dispatched_at=None)
    relay()
    assert len(heard) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hearers", [1, 2])
def test_two_who_deliver_at_once_have_one_effect(hearers: int) -> None:
    notes: list[int] = []

    def on_lamp(event: LampLit, *, at: datetime.datetime) -> None:
        time.sleep(0.2)
        notes.append(event.lamp)

    def on_lamp_too(event: LampLit, *, at: datetime.datetime) -> None:
        notes.append(event.lamp)

    for hearer in (on_lamp, on_lamp_too)[:hearers]:
        outbox.handles(LampLit)(hearer)
    try:
        light(5)
        ids = list(OutboxEvent.objects.values_list("id", flat=True))
        at_once([lambda: outbox.deliver(ids=ids, at=clock.now()) for _worker in range(3)])
    finally:
        outbox._handlers.pop(LampLit.name)
    assert notes == [5] * hearers
    assert OutboxEvent.objects.get().handled_at is not None


@pytest.mark.django_db
def test_what_rolls_back_is_never_heard(
    heard: list[tuple[LampLit, str]], relay: Callable[[], int]
) -> None:
    with pytest.raises(KeyError), transaction.atomic():
        outbox.publish(LampLit(lamp=1, lit_at=clock.now()), at=clock.now())
        raise KeyError
    assert relay() == 0
    assert heard == []


@pytest.mark.django_db
def test_publishing_outside_a_transaction_is_a_mistake_of_ours(transactional_db: None) -> None:
    with pytest.raises(RuntimeError, match="atomic"):
        outbox.publish(LampLit(lamp=1, lit_at=clock.now()), at=clock.now())


@pytest.mark.django_db
def test_a_failing_handler_is_retried_with_pauses_and_then_waits_for_staff(
    heard: list[tuple[LampLit, str]], relay: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    light(-1)
    at = clock.now()
    relay()
    row = OutboxEvent.objects.get()
    assert (row.attempts, row.handled_at) == (1, None)
    assert "no such lamp" in row.error
    assert not HandledEvent.objects.exists()
    assert outbox.release_overdue(at=at + datetime.timedelta(seconds=45)) == 0, (
        "the pause is a minute by now"
    )
    for _attempt in range(outbox.MAX_ATTEMPTS):
        at += datetime.timedelta(hours=2)
        outbox.release_overdue(at=at)
        relay()
    row.refresh_from_db()
    assert row.failed_at is not None
    assert outbox.release_overdue(at=at + datetime.timedelta(days=1)) == 0


@pytest.mark.django_db
def test_a_dispatch_that_got_lost_is_found_again(
    heard: list[tuple[LampLit, str]], relay: Callable[[], int]
) -> None:
    light(3)
    at = clock.now()
    outbox.claim_undispatched(at=at)  # and then the broker loses it
    assert relay() == 0
    assert outbox.release_overdue(at=at + datetime.timedelta(minutes=1)) == 1
    relay()
    assert len(heard) == 1


@pytest.mark.django_db
def test_what_was_delivered_long_ago_is_forgotten_and_nothing_else(
    heard: list[tuple[LampLit, str]], relay: Callable[[], int]
) -> None:
    light(1)
    light(-1)  # nobody can handle it
    relay()
    at = clock.now()
    assert outbox.forget_delivered(at=at + outbox.KEEP - datetime.timedelta(minutes=1)) == 0
    assert outbox.forget_delivered(at=at + outbox.KEEP + datetime.timedelta(minutes=1)) == 1
    assert [row.payload["lamp"] for row in OutboxEvent.objects.all()] == [-1]
    assert not HandledEvent.objects.exists()
