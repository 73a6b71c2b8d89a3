"""Reading the log, batch after batch, and keeping how far it is stored beside what was stored."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg.errors
import structlog
from django.db import OperationalError, transaction

from fleet.telematics import records
from fleet.telematics.log import Entry, Left, LogAnew, PointLog, entry_order, point_log
from fleet.telematics.models import IngestOffset
from fleet.telematics.services.drain.batch import Drained, store_batch
from mobility.core import locks

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Sequence

log = structlog.get_logger(__name__)

_ENTRIES_AT_ONCE = 500
_WAIT_MS = 1_000
# No more than ten transactions a second while reports trickle in one by one.
_CYCLE_S = 0.1
# So long one shard is served while others may wait.
_SLICE_S = 1.0


def drain(*, shard: int, budget_s: float, now: Callable[[], datetime.datetime]) -> Drained:
    """Store what waits in the log, for about `budget_s` seconds, this shard first.

    Fair by itself, however few workers there are: with several shards each is served until it is
    empty or its slice is over, round and round. One drain at a time serves a shard; whoever finds
    no shard free returns at once. `now` is asked once per batch, because a drain outlives the
    moment at which its door was opened.
    """
    drained = Drained()
    deadline = time.monotonic() + budget_s
    while True:
        shards = _from(shard, point_log().shards())
        free = False
        began = time.monotonic()
        for one in shards:
            until = deadline if len(shards) == 1 else min(deadline, time.monotonic() + _SLICE_S)
            free |= _serve(one, until=until, alone=len(shards) == 1, drained=drained, now=now)
        if not free or time.monotonic() >= deadline:
            return drained
        time.sleep(max(0.0, began + _CYCLE_S - time.monotonic()))


def drain_all(*, shard: int, at: datetime.datetime) -> Drained:
    """Store everything that waits in a shard and return; for tests and tools."""
    drained = Drained()
    source = point_log()
    while source.backlog(shard=shard):
        entries = _read(source, shard=shard, wait_ms=1)
        if entries:
            _store_entries(entries, shard=shard, source=source, drained=drained, at=at)
    return drained


def _serve(
    shard: int,
    *,
    until: float,
    alone: bool,
    drained: Drained,
    now: Callable[[], datetime.datetime],
) -> bool:
    """Store one shard until then, or until it is empty if others wait; False if it is not free."""
    with locks.try_advisory(f"fleet.telematics.drain.{shard}") as held:
        if not held:
            return False
        source = point_log()
        while True:
            entries = _read(source, shard=shard, wait_ms=_wait_ms(until) if alone else 1)
            began = time.monotonic()
            if entries:
                _store_entries(entries, shard=shard, source=source, drained=drained, at=now())
            if time.monotonic() >= until or not (entries or alone):
                return True
            if entries and len(entries) < _ENTRIES_AT_ONCE:
                time.sleep(max(0.0, began + _CYCLE_S - time.monotonic()))


def _from(shard: int, shards: list[int]) -> list[int]:
    """The same shards in a circle, this one first, whether or not it is among them."""
    return [shard, *(one for one in shards if one > shard), *(one for one in shards if one < shard)]


def _read(source: PointLog, *, shard: int, wait_ms: int) -> list[Entry]:
    """Entries to store. Where nobody has read before, no offset of an earlier log counts.

    The offset goes before the log is readable: whoever is killed between the two leaves a log that
    is still new.
    """
    try:
        entries = source.read(shard=shard, count=_ENTRIES_AT_ONCE, wait_ms=wait_ms)
    except LogAnew:
        if IngestOffset.objects.filter(pk=shard).delete()[0]:
            log.error("telematics.log_lost", shard=shard)
        source.begin(shard=shard)
        entries = source.read(shard=shard, count=_ENTRIES_AT_ONCE, wait_ms=wait_ms)
    if entries and not isinstance(entries, Left):
        _set_back(shard, before=min((name for name, _payload in entries), key=entry_order))
    return entries


def _set_back(shard: int, *, before: str) -> None:
    """What is read for the first time cannot be stored: an offset beyond it is another log's.

    A stream lost or put back while the clock went back names its entries anew. What was stored
    after all does not double: points already known are compared, never written twice.
    """
    offset = IngestOffset.objects.filter(pk=shard).first()
    if offset is not None and entry_order(offset.last_id) >= entry_order(before):
        log.error("telematics.offset_ahead", shard=shard, offset=offset.last_id, entry=before)
        offset.delete()


def store_entries(*, shard: int, entries: Sequence[Entry], at: datetime.datetime) -> Drained:
    """Store a batch of log entries in one transaction, together with how far the log is stored.

    A device that changed its vehicle can bring two drains to the same vehicle, and both may then
    hold a point for new. The second to commit is refused by the key and compares every point. So
    does whom PostgreSQL chose to end a deadlock.
    """
    try:
        return _store_once(shard=shard, entries=entries, at=at, careful=False)
    except psycopg.errors.UniqueViolation:
        # As COPY raises it: Django translates the errors of `execute` only.
        log.warning("telematics.drains_met", shard=shard)
    except (OperationalError, psycopg.errors.DeadlockDetected) as reason:
        if not isinstance(reason.__cause__ or reason, psycopg.errors.DeadlockDetected):
            raise
        log.warning("telematics.deadlock", shard=shard)
    return _store_once(shard=shard, entries=entries, at=at, careful=True)


def _store_once(
    *,
    shard: int,
    entries: Sequence[Entry],
    at: datetime.datetime,
    careful: bool,
) -> Drained:
    with transaction.atomic():
        offset = IngestOffset.objects.select_for_update().filter(pk=shard).first()
        done = entry_order(offset.last_id) if offset else (-1, -1)
        new = [(entry_id, payload) for entry_id, payload in entries if entry_order(entry_id) > done]
        if not new:
            return Drained(entries=len(entries))
        received = records.unpack_entries([payload for _entry_id, payload in new])
        drained = store_batch(received, at=at, careful=careful)
        drained.entries = len(entries)
        last_id = max((entry_id for entry_id, _payload in new), key=entry_order)
        stored = IngestOffset(shard=shard, last_id=last_id, updated_at=at)
        stored.save(force_insert=offset is None, force_update=offset is not None)
    return drained


def _store_entries(
    entries: list[Entry],
    *,
    shard: int,
    source: PointLog,
    drained: Drained,
    at: datetime.datetime,
) -> None:
    stored = store_entries(shard=shard, entries=entries, at=at)
    source.acknowledge(shard=shard, entry_ids=[entry_id for entry_id, _payload in entries])
    drained.add(stored)


def _wait_ms(deadline: float) -> int:
    """How long to wait for the first entry: never zero, which would mean for ever."""
    return max(1, min(_WAIT_MS, int((deadline - time.monotonic()) * 1000)))
