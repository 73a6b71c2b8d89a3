"""Group commit: the deeds of many stations in one transaction, the answers after it.

One thread, one database connection. A batch that fails is run again deed by deed, so that one
impossible row costs nobody else anything; a database that is away is waited for. Who needs a row
that somebody else holds waits aside, and is tried again. Every deed is idempotent by its business
key, so a commit whose confirmation got lost may be run again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final

from django.db import connection, transaction
from psycopg.errors import LockNotAvailable

from charging.ocpp.deeds import Verb
from charging.ocpp.gateway import metrics
from charging.ocpp.gateway.verbs import BATCHES, quarantine
from mobility.core import clock

logger = logging.getLogger(__name__)

_RETRY_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0)
_TRIES_ALONE: Final = 3
_LOCK_PATIENCE: Final = "1s"
"""How long a batch waits for a row that somebody else holds; transactions of ours take less."""
_LOCK_PATIENCE_ALONE: Final = "50ms"
"""The same for a deed by itself: all other stations wait meanwhile."""
_LOCKED_S: Final = 0.5
"""After this long a deed that needs such a row is tried again, by itself."""
_MOST_LOCKED: Final = 3
"""More deeds than this at once do not wait for a row each, but for a whole table."""


class NotStored(Exception):
    """The deed could not be committed; the station must not believe it was."""


class StorageAway(NotStored):
    """The database, or a row that somebody holds in it, did not come back in time."""


class Poisoned(NotStored):
    """This deed fails whatever its company; a person has to look at it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A deed on its way to the database and back."""

    verb: Verb
    fact: Any
    answer: asyncio.Future[Any]
    give_up_s: float
    aside: bool = False
    """It needs a row that somebody holds, and goes into no batch."""


Outcome = tuple[asyncio.Future[Any], Any]


class Writer:
    """The thread and its queue. ``do`` is called on the loop; everything else in the thread."""

    def __init__(
        self,
        *,
        batch_size: int,
        linger_s: float,
        patience_s: float,
    ) -> None:
        self._batch_size = batch_size
        self._linger_s = linger_s
        self._patience_s = patience_s
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="ocpp-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    async def stop(self) -> None:
        """Commit everything handed in so far, then end the thread."""
        self._queue.put(None)
        await self._loop.run_in_executor(None, self._thread.join)

    async def do(self, verb: Verb, fact: Any) -> Any:
        """Have ``fact`` committed and return the service's answer, or raise NotStored."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(Job(verb, fact, answer, time.monotonic() + self._patience_s))
        return await answer

    def _run(self) -> None:
        stopping = False
        while not stopping:
            jobs, stopping = self._collect()
            if jobs:
                self._loop.call_soon_threadsafe(_hand_out, self._commit_or_refuse(jobs))
        connection.close()

    def _collect(self) -> tuple[list[Job], bool]:
        """Wait for a first job, then for its company, up to the linger or the batch size."""
        job = self._queue.get()
        if job is None:
            return [], True
        jobs = [job]
        deadline = time.monotonic() + self._linger_s
        while len(jobs) < self._batch_size:
            try:
                job = self._queue.get(timeout=max(deadline - time.monotonic(), 0.0))
            except Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False

    def _commit_or_refuse(self, jobs: list[Job]) -> list[Outcome]:
        """The thread must outlive everything: without it nobody is answered any more."""
        try:
            return self._commit(jobs)
        except Exception:
            logger.exception("a batch of %d deeds failed in an unknown way", len(jobs))
            return [(job.answer, NotStored()) for job in jobs]

    def _commit(self, jobs: list[Job]) -> list[Outcome]:
        """Run the batch; wait while the database is away; row by row where it fails."""
        started = time.perf_counter()
        metrics.BATCH_SIZE.observe(len(jobs))
        outcomes: list[Outcome] = []
        aside = [job for job in jobs if job.aside]
        jobs = [job for job in jobs if not job.aside] + self._run_alone(aside, outcomes)
        for pause_s in _pauses():
            jobs = self._drop_impatient(jobs, outcomes)
            if not jobs:
                break
            try:
                outcomes += _run_together(jobs)
                break
            except Exception as error:  # noqa: BLE001 — any failure leads to the rows alone
                if _database_is_away():
                    logger.warning("database away, %d deeds wait: %s", len(jobs), error)
                    time.sleep(pause_s)
                    continue
                jobs = self._run_alone(jobs, outcomes)
        metrics.COMMIT_S.observe(time.perf_counter() - started)
        return outcomes

    def _run_alone(self, jobs: list[Job], outcomes: list[Outcome]) -> list[Job]:
        """One transaction each; return the jobs that are left because the database is not there."""
        locked = 0
        for index, job in enumerate(jobs):
            error = _try_alone(job, outcomes)
            if error is None:
                continue
            if _database_is_away():
                return jobs[index:]
            if _is_locked(error):
                self._wait_aside(job, outcomes)
                locked += 1
                if locked == _MOST_LOCKED:
                    return jobs[index + 1 :]
                continue
            self._set_aside(job, error)
            outcomes.append((job.answer, Poisoned()))
        return []

    def _wait_aside(self, job: Job, outcomes: list[Outcome]) -> None:
        if job.give_up_s < time.monotonic() + _LOCKED_S:
            outcomes.append((job.answer, StorageAway()))
        else:
            job = replace(job, aside=True)
            again = partial(self._loop.call_later, _LOCKED_S, self._queue.put, job)
            self._loop.call_soon_threadsafe(again)

    @staticmethod
    def _set_aside(job: Job, error: Exception) -> None:
        metrics.POISONED.labels(verb=job.verb).inc()
        # Frames are cleaned of secrets only on their way into the table.
        shown = f"{len(job.fact)} frames" if job.verb == Verb.FRAMES else job.fact
        logger.error("deed %s could not be stored: %r", job.verb, shown, exc_info=error)
        try:
            quarantine(verb=job.verb, fact=job.fact, error=error, at=clock.now())
        except Exception:
            logger.exception("the poisoned deed could not be kept either")

    def _drop_impatient(self, jobs: list[Job], outcomes: list[Outcome]) -> list[Job]:
        now_s = time.monotonic()
        late = [job for job in jobs if job.give_up_s < now_s]
        outcomes += [(job.answer, StorageAway()) for job in late]
        return [job for job in jobs if job.give_up_s >= now_s] if late else jobs


def _pauses() -> Iterable[float]:
    yield from _RETRY_S
    while True:
        yield _RETRY_S[-1]


def _run_together(jobs: Sequence[Job], *, lock_patience: str = "") -> list[Outcome]:
    at = clock.now()
    by_verb: dict[Verb, list[Job]] = {}
    for job in jobs:
        by_verb.setdefault(job.verb, []).append(job)
    outcomes: list[Outcome] = []
    _connect()
    with transaction.atomic():
        if lock_patience:
            _wait_for_locks(lock_patience, once=True)
        for verb, batch in BATCHES.items():
            group = by_verb.get(verb)
            if group is None:
                continue
            answers = batch([job.fact for job in group], at)
            outcomes += [(job.answer, answer) for job, answer in zip(group, answers, strict=True)]
    return outcomes


def _try_alone(job: Job, outcomes: list[Outcome]) -> Exception | None:
    """Deadlocks and lost races go away by themselves; what fails three times will not."""
    last: Exception | None = None
    for _ in range(_TRIES_ALONE):
        try:
            outcomes += _run_together([job], lock_patience=_LOCK_PATIENCE_ALONE)
        except Exception as error:  # noqa: BLE001 — whatever it is, its station gets an answer
            last = error
            if _is_locked(error) or _database_is_away():
                return error
        else:
            return None
    return last


def _connect() -> None:
    if connection.connection is None:
        _wait_for_locks(_LOCK_PATIENCE, once=False)


def _wait_for_locks(patience: str, *, once: bool) -> None:
    """No longer than this; `once` in this transaction alone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, %s)", [patience, once])


def _is_locked(error: Exception) -> bool:
    return isinstance(error.__cause__, LockNotAvailable)


def _database_is_away() -> bool:
    """Whether the failure was the connection's; closes it, so that the next try reconnects."""
    if connection.connection is not None and connection.is_usable():
        return False
    connection.close()
    return True


def _hand_out(outcomes: Iterable[Outcome]) -> None:
    """On the loop: wake those who wait. A waiter whose socket went away is cancelled, not there."""
    for answer, outcome in outcomes:
        if answer.done():
            continue
        if isinstance(outcome, NotStored):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
