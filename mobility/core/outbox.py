"""Transactional outbox: a fact commits with the change that made it true, and is delivered later.

1. `publish` writes the event row inside the caller's transaction.
2. The relay process hands committed events to Celery in batches of up to 500 ids.
3. `deliver` runs every handler of an event, and every listener that wants it, in a transaction of
   its own, together with a row that says it is done: delivered at least once, effective once.
4. The sweeper hands out again what was dispatched and never finished, with growing pauses; after
   `MAX_ATTEMPTS` the event is marked failed and waits for staff.
"""

import dataclasses
import datetime
import functools
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

import structlog
from django.db import connection, models, transaction
from django.utils.dateparse import parse_datetime

from mobility.core import tracing
from mobility.core.ids import uuid7
from mobility.core.models import OutboxEvent
from mobility.core.prepared import prepared

log = structlog.get_logger(__name__)

BATCH = 500
# Where events are handled unless they say otherwise, and how many a task takes at once elsewhere: a
# flood there shares its worker with work of other kinds.
QUEUE = "default"
ELSEWHERE_AT_ONCE = 50
MAX_ATTEMPTS = 12
# Long enough to look back at what went wrong on Friday; the audit trail keeps what must be kept.
KEEP = datetime.timedelta(days=14)
FORGET_AT_ONCE = 20_000
CHANNEL = "outbox"
COLUMNS = "event_id, name, payload, at, request_id, attempts, error"
SELECTED = "%s, %s, %s::jsonb, %s, %s, 0, ''"
_PUBLISH = f"""
WITH fresh AS (
    INSERT INTO mobility_outboxevent ({COLUMNS}) VALUES {{values}} RETURNING 1
) SELECT pg_notify(%s, '') FROM fresh LIMIT 1
"""  # noqa: S608 - constants
_CLAIM = """
UPDATE mobility_outboxevent SET dispatched_at = %s WHERE id = ANY (ARRAY(
    SELECT id FROM mobility_outboxevent WHERE dispatched_at IS NULL
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
)) RETURNING id, name
"""
# Whoever wants to run a handler of an event first locks the event: of two who deliver it at once, the
# second sees what the first has done.
_FINISH = "UPDATE mobility_outboxevent SET handled_at = %s WHERE id = %s AND handled_at IS NULL"
_FINISH_ALL = "UPDATE mobility_outboxevent SET handled_at = %s WHERE id = ANY (%s)"
_NOTE = """
INSERT INTO mobility_handledevent (event_id, handler, at)
SELECT event_id, %s, %s FROM mobility_outboxevent WHERE id = %s AND handled_at IS NULL FOR UPDATE
ON CONFLICT DO NOTHING
"""
# An event goes together with the notes of its handlers: while it may still be delivered, both stay.
_FORGET = """
WITH old AS (
    DELETE FROM mobility_outboxevent WHERE id IN (
        SELECT id FROM mobility_outboxevent WHERE at < %s AND handled_at < %s ORDER BY id LIMIT %s
    ) RETURNING event_id
), notes AS (
    DELETE FROM mobility_handledevent note USING old WHERE note.event_id = old.event_id
)
SELECT count(*) FROM old
"""


@dataclasses.dataclass(frozen=True)
class Event:
    """Base of all facts: frozen, past tense, versioned name, fields that JSON can carry.

    `queue` is the Celery queue whose worker runs the handlers: facts that can come in floods, such
    as alarms when a network fails, must not keep those waiting whom somebody waits for.
    """

    name: ClassVar[str]
    queue: ClassVar[str] = QUEUE

    def payload(self) -> dict[str, Any]:
        """The fields, which JSON can carry."""
        return dict(vars(self))


AnyEvent = TypeVar("AnyEvent", bound=Event)
Answer = TypeVar("Answer")
Handler = Callable[..., None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Handling:
    """A handler and which events of its kind concern it."""

    run: Handler
    concerns: Callable[[Any], bool]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fact:
    """An event of whatever kind, as it lies in the outbox: for listeners, who pass facts on."""

    event_id: UUID
    name: str
    payload: dict[str, Any]
    at: datetime.datetime


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listening:
    """A listener and the names of events that it wants to hear of now."""

    run: Callable[..., None]
    wants: Callable[[str], bool]


_event_types: dict[str, type[Event]] = {}
_handlers: defaultdict[str, dict[str, Handling]] = defaultdict(dict)
_listeners: dict[str, Listening] = {}


def handles(
    event_type: type[AnyEvent],
    *,
    when: Callable[[AnyEvent], bool] = lambda _event: True,
) -> Callable[[Handler], Handler]:
    """Register a function `handler(event, *, at)` for a kind of event; it must bear being repeated.

    Events for which `when` is false cost the handler nothing, not even the note that it is done.
    """

    def register(handler: Handler) -> Handler:
        _event_types[event_type.name] = event_type
        _handlers[event_type.name][_full_name(handler)] = Handling(run=handler, concerns=when)
        return handler

    return register


def listens(*, wants: Callable[[str], bool]) -> Callable[[Handler], Handler]:
    """Register a function `listener(fact, *, at)` for every event whose name it `wants`.

    It is run like a handler, once effective for each event. `wants` is asked for every event of the
    house, so it must answer from memory; where it says no, listening costs nothing more.
    """

    def register(listener: Handler) -> Handler:
        _listeners[_full_name(listener)] = Listening(run=listener, wants=wants)
        return listener

    return register


def publish(*events: Event, at: datetime.datetime) -> None:
    """Write `events` into the outbox, in the caller's transaction and in one statement."""
    if not events:
        return
    if not connection.in_atomic_block:
        raise RuntimeError("an event is published only inside transaction.atomic()")
    rows = [values_of(event, at=at) for event in events]
    with connection.cursor() as cursor:
        # Plain SQL: every booking, ride and charge writes here, and the ORM costs more than the INSERT.
        # The NOTIFY is only a wake-up: PostgreSQL sends it at commit, and a lost one costs a second.
        cursor.execute(
            _PUBLISH.format(values=", ".join([f"({SELECTED})"] * len(rows))),
            [*(value for row in rows for value in row), CHANNEL],
        )


def values_of(event: Event, *, at: datetime.datetime) -> list[Any]:
    """An event's values in the order of `COLUMNS`: for who writes it in a statement with its cause."""
    payload = json.dumps(event.payload(), default=_plain)
    return [uuid7(), event.name, payload, at, tracing.current_request_id()]


def claim_undispatched(*, at: datetime.datetime, limit: int = BATCH) -> list[tuple[str, list[int]]]:
    """Mark up to `limit` waiting events as dispatched; (queue, ids) of each task to send, oldest first.

    Events that nobody hears are handled with that, and the next ones looked at.
    """
    while claimed := _claim(at=at, limit=limit):
        # Judged once: what a listener wants may change between two questions.
        unheard = {pk for pk, name in claimed if not _is_heard(name)}
        if unheard:
            _finish_all(unheard, at=at)
        by_queue: defaultdict[str, list[int]] = defaultdict(list)
        for pk, name in claimed:
            if pk not in unheard:
                by_queue[_event_types[name].queue if name in _event_types else QUEUE].append(pk)
        if by_queue:
            return [(queue, task) for queue, ids in by_queue.items() for task in _tasks(queue, ids)]
    return []


def _claim(*, at: datetime.datetime, limit: int) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [at, limit])
        return sorted(cursor.fetchall())


def _finish_all(ids: Collection[int], *, at: datetime.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FINISH_ALL, [at, list(ids)])


def _is_heard(name: str) -> bool:
    """Whether anybody may want to hear of events of this name."""
    return bool(_handlers.get(name)) or any(one.wants(name) for one in _listeners.values())


def _tasks(queue: str, ids: list[int]) -> list[list[int]]:
    size = BATCH if queue == QUEUE else ELSEWHERE_AT_ONCE
    return [ids[first : first + size] for first in range(0, len(ids), size)]


def release_overdue(*, at: datetime.datetime) -> int:
    """Put events whose delivery never finished back into the queue; returns how many.

    The pause doubles with every attempt: 30 s, 1 min, 2 min … at most an hour.
    """
    overdue = []
    unfinished = OutboxEvent.objects.filter(
        handled_at__isnull=True,
        failed_at__isnull=True,
        dispatched_at__lt=at - datetime.timedelta(seconds=30),
    ).order_by("dispatched_at")
    dues = unfinished.values_list("id", "attempts", "dispatched_at")
    for pk, attempts, dispatched_at in dues[: 10 * BATCH]:
        pause = datetime.timedelta(seconds=min(30 * 2**attempts, 3600))
        if dispatched_at is not None and dispatched_at < at - pause:
            overdue.append(pk)
    return OutboxEvent.objects.filter(id__in=overdue, handled_at__isnull=True).update(
        dispatched_at=None
    )


def forget_delivered(*, at: datetime.datetime) -> int:
    """Drop events that were handled long ago, a batch at a time; returns how many.

    Events that nobody could handle stay until somebody has decided about them.
    """
    before, total = at - KEEP, 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_FORGET, [before, before, FORGET_AT_ONCE])
            (forgotten,) = cursor.fetchone() or (0,)
            total += int(forgotten)
            if forgotten < FORGET_AT_ONCE:
                return total


def deliver(*, ids: Sequence[int], at: datetime.datetime) -> None:
    """Run every handler of the events `ids`; an event whose handler fails is tried again later."""
    done = []
    for row in _undelivered.all(ids=list(ids)):
        with tracing.request_scope(row.request_id):
            if _deliver_one(row, at=at):
                done.append(row.id)
    if done:
        _finish_all(done, at=at)


@prepared
def _undelivered(*, ids: list[int]) -> "models.QuerySet[OutboxEvent]":
    waiting = OutboxEvent.objects.filter(handled_at__isnull=True, failed_at__isnull=True)
    return waiting.filter(id__any_of=ids).order_by("id")


def _deliver_one(row: OutboxEvent, *, at: datetime.datetime) -> bool:
    """Tell everybody whom an event concerns; whether it still has to be marked as handled."""
    hearers, failures = _try(row, "hearers", lambda: list(_hearers(row)))
    if hearers is not None and len(hearers) == 1 and not row.attempts:
        # The usual case: the event's own mark is the note that its only handler is done.
        _done, failures = _try(row, hearers[0].name, partial(_run_only, row, hearers[0], at=at))
        if not failures:
            return False
    else:
        for hearer in hearers or ():
            _done, failed = _try(row, hearer.name, partial(_run_once, row, hearer, at=at))
            failures += failed
    if not failures:
        return True
    attempts = row.attempts + 1
    OutboxEvent.objects.filter(id=row.id).update(
        attempts=attempts,
        error="\n".join(failures)[:4000],
        failed_at=at if attempts >= MAX_ATTEMPTS else None,
    )
    return False


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Hearer:
    """Somebody who has to hear of an event, and what they are told."""

    name: str
    run: Handler
    event: Event | Fact


def _hearers(row: OutboxEvent) -> Iterator[_Hearer]:
    """Everybody whom an event concerns."""
    for name, handling in _handlers.get(row.name, {}).items():
        event = _typed(row)
        if handling.concerns(event):
            yield _Hearer(name=name, run=handling.run, event=event)
    for name, listening in _listeners.items():
        if listening.wants(row.name):
            fact = Fact(event_id=row.event_id, name=row.name, payload=row.payload, at=row.at)
            yield _Hearer(name=name, run=listening.run, event=fact)


def _try(
    row: OutboxEvent, name: str, deed: Callable[[], Answer]
) -> tuple[Answer | None, list[str]]:
    """What a deed answers, or its failure in words: one must not keep the others from hearing."""
    try:
        return deed(), []
    except Exception as problem:
        log.exception(
            "outbox.handler_failed",
            event_name=row.name,
            event_id=str(row.event_id),
            handler=name,
        )
        return None, [f"{name}: {problem!r}"]


def _run_only(row: OutboxEvent, hearer: _Hearer, *, at: datetime.datetime) -> None:
    """The only handler and the mark of the event, in one transaction; a second runner waits, then skips."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_FINISH, [at, row.id])
            first = cursor.rowcount == 1
        if first:
            hearer.run(hearer.event, at=at)


def _run_once(row: OutboxEvent, hearer: _Hearer, *, at: datetime.datetime) -> None:
    """A handler and the row that says it is done, in one transaction; a second runner waits, then skips."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, [hearer.name, at, row.id])
            first = cursor.rowcount == 1
        if first:
            hearer.run(hearer.event, at=at)


def _full_name(function: Handler) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _typed(row: OutboxEvent) -> Event:
    payload, event_type = row.payload, cast("Any", _event_types[row.name])
    told: Event = event_type(
        **{
            name: read(payload[name]) if isinstance(payload[name], str) else payload[name]
            for name, read in _readers(event_type)
            if name in payload
        }
    )
    return told


@functools.cache
def _readers(event_type: Any) -> tuple[tuple[str, Callable[[str], Any]], ...]:
    """How each field of a kind of event is read where JSON has it as text."""
    return tuple((field.name, _reader(str(field.type))) for field in dataclasses.fields(event_type))


def _reader(declared: str) -> Callable[[str], Any]:
    if "datetime" in declared:
        return parse_datetime
    return UUID if "UUID" in declared else str


def _plain(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"an event carries plain values, not {type(value).__name__}")
