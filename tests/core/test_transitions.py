"""State moves: declared, conditional, audited."""

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from mobility.accounts.models import Organisation
from mobility.core import clock, outbox, transitions
from mobility.core.models import AuditEntry, HandledEvent, OutboxEvent
from mobility.core.principals import SYSTEM


class Switch(OutboxEvent):
    """A proxy with a state column to move: `name` goes off → on → off, never off → off."""

    moves = {"name": {"off": frozenset({"on"}), "on": frozenset({"off"})}}

    class Meta:
        proxy = True
        app_label = "mobility"


@dataclasses.dataclass(frozen=True)
class Lit(outbox.Event):
    """That the lamp is on."""

    name = "test.lit.v1"
    lamp: int = 7


@pytest.fixture
def switch(db: None) -> Switch:
    return Switch.objects.create(name="off", payload={}, at=clock.now())


def move(row: Switch, to: str) -> Switch:
    with transaction.atomic():
        return transitions.move(
            row, to=to, at=clock.now(), by=SYSTEM, field="name", error="why not"
        )


def test_a_declared_move_changes_row_memory_and_trail(switch: Switch) -> None:
    moved = move(switch, "on")
    switch.refresh_from_db()
    assert (moved.name, switch.name, switch.error) == ("on", "on", "why not")
    entry = AuditEntry.objects.get(action="name:on")
    assert entry.changes == {"from": "off", "to": "on"}
    assert entry.by == SYSTEM


def test_an_undeclared_move_is_refused_and_leaves_nothing(switch: Switch) -> None:
    with pytest.raises(transitions.IllegalMove) as refused:
        move(switch, "off")
    assert "state" in refused.value.detail
    assert not AuditEntry.objects.filter(action__startswith="name:").exists()


def test_who_loaded_an_older_state_loses_the_race(switch: Switch) -> None:
    mine, theirs = Switch.objects.get(), Switch.objects.get()
    move(theirs, "on")
    with pytest.raises(transitions.LostRace) as lost:
        move(mine, "on")
    assert "faster" in lost.value.detail
    assert AuditEntry.objects.filter(action="name:on").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_move_outside_a_transaction_is_a_mistake_of_ours() -> None:
    row = Switch.objects.create(name="off", payload={}, at=clock.now())
    with pytest.raises(RuntimeError, match="atomic"):
        transitions.move(row, to="on", at=clock.now(), by=SYSTEM, field="name")


@pytest.mark.django_db(transaction=True)
def test_a_move_that_is_alone_is_a_transaction_of_its_own(
    django_assert_num_queries: Callable[[int], AbstractContextManager[None]],
) -> None:
    row = Switch.objects.create(name="off", payload={}, at=clock.now())
    late = Switch.objects.get()
    with django_assert_num_queries(1):
        transitions.move(
            row, to="on", at=clock.now(), by=SYSTEM, field="name", tells=[Lit()], alone=True
        )
    assert AuditEntry.objects.filter(action="name:on").count() == 1
    with pytest.raises(transitions.LostRace):
        transitions.move(
            late, to="on", at=clock.now(), by=SYSTEM, field="name", tells=[Lit()], alone=True
        )
    assert AuditEntry.objects.filter(action="name:on").count() == 1
    assert OutboxEvent.objects.filter(name=Lit.name).count() == 1


def test_many_move_and_the_losers_are_left_out(db: None) -> None:
    rows = [Switch.objects.create(name="off", payload={}, at=clock.now()) for _ in range(3)]
    Switch.objects.filter(pk=rows[1].pk).update(name="on")
    with transaction.atomic():
        moved = transitions.move_many(rows, to="on", at=clock.now(), by=SYSTEM, field="name")
    assert [row.pk for row in moved] == [rows[0].pk, rows[2].pk]
    assert AuditEntry.objects.filter(action="name:on").count() == 2


def test_the_trail_cannot_be_rewritten(ruote: Organisation, switch: Switch) -> None:
    move(switch, "on")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditEntry.objects.all().delete()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditEntry.objects.update(by="user:nobody")


def test_what_is_told_and_left_comes_with_the_move(switch: Switch) -> None:
    left = transitions.Left(
        table="mobility_handledevent",
        columns=("event_id", "handler", "at"),
        values=(switch.event_id, "lamp", clock.now()),
    )
    with transaction.atomic():
        transitions.move(
            switch, to="on", at=clock.now(), by=SYSTEM, field="name", tells=[Lit()], leaves=[left]
        )
    told = OutboxEvent.objects.get(name="test.lit.v1")
    assert (told.payload, told.handled_at) == ({"lamp": 7}, None)
    assert HandledEvent.objects.get().handler == "lamp"
    assert AuditEntry.objects.filter(action="name:on").count() == 1


def test_who_loses_the_race_tells_and_leaves_nothing(switch: Switch) -> None:
    Switch.objects.update(name="on")
    left = transitions.Left(
        table="mobility_handledevent",
        columns=("event_id", "handler", "at"),
        values=(switch.event_id, "lamp", clock.now()),
    )
    with pytest.raises(transitions.LostRace), transaction.atomic():
        transitions.move(
            switch, to="on", at=clock.now(), by=SYSTEM, field="name", tells=[Lit()], leaves=[left]
        )
    assert not OutboxEvent.objects.filter(name="test.lit.v1").exists()
    assert not HandledEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_relay_is_woken_when_the_move_commits_and_not_before() -> None:
    row = Switch.objects.create(name="off", payload={}, at=clock.now())
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters, autocommit=True) as listener:
        listener.execute(f"LISTEN {outbox.CHANNEL}")
        with transaction.atomic():
            told: dict[str, Any] = {"field": "name", "tells": [Lit()]}
            transitions.move(row, to="on", at=clock.now(), by=SYSTEM, **told)
            assert not list(listener.notifies(timeout=0.1))
        assert list(listener.notifies(timeout=5, stop_after=1))
