"""Reports of many lines, taken together: whoever comes while an append is under way goes with the next.

A thread waits for the disk of the log so that the adapters need not; what one device says stays in
order, as it always goes through the same thread.
"""

from __future__ import annotations

import queue
import threading
import time
import zlib
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from django.db import close_old_connections, connection

from fleet.telematics.edge import metrics
from fleet.telematics.services import credentials
from fleet.telematics.services.accept import AcceptedReport, Acknowledgement, Report, accept_reports
from fleet.telematics.states import Protocol
from mobility.core import clock
from mobility.core.errors import DomainError

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from fleet.telematics.records import Points
    from fleet.telematics.services.credentials import Credential

log = structlog.get_logger(__name__)

_TOGETHER = 200


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A report that is safe, who it was from, and what that device is told."""

    speaker: Credential
    accepted: AcceptedReport


@dataclass(frozen=True, kw_only=True)
class Said:
    """What came over a line, from the unit with this serial (MQTT) or IMEI (Teltonika)."""

    protocol: Protocol
    name: str
    points: Points
    acks: Sequence[Acknowledgement] = ()
    # Resolves to `Taken`, or to the `DomainError` that refused it.
    taken: Future[Taken] = field(default_factory=Future)


class Intake:
    """Threads that recognise speakers and append what they say."""

    def __init__(self, *, threads: int = 4) -> None:
        self._queues: list[queue.SimpleQueue[Said | None]] = [
            queue.SimpleQueue() for _ in range(threads)
        ]
        self._threads = [
            threading.Thread(target=self._work, args=(waiting,), name="intake", daemon=True)
            for waiting in self._queues
        ]

    def start(self) -> None:
        """Begin to take."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what was submitted, then end."""
        for waiting in self._queues:
            waiting.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, said: Said) -> Future[Taken]:
        """Take a report soon. The future resolves in a thread of the intake."""
        place = zlib.crc32(said.name.encode()) % len(self._queues)
        self._queues[place].put(said)
        return said.taken

    def _work(self, waiting: queue.SimpleQueue[Said | None]) -> None:
        going_on = True
        while going_on:
            batch, going_on = _next_batch(waiting)
            if batch:
                _take_guarded(batch)
        connection.close()


def _take_guarded(batch: Sequence[Said]) -> None:
    """Whatever goes wrong, the thread lives and nobody waits for ever."""
    try:
        close_old_connections()
        take(batch, at=clock.now())
    except Exception as failure:
        log.exception("edge.batch_failed")
        for said in batch:
            if not said.taken.done():
                said.taken.set_exception(failure)


def take(batch: Sequence[Said], *, at: datetime.datetime) -> None:
    """Append a batch in one go and resolve all of it, but for whom nobody waits any more."""
    began = time.perf_counter()
    batch = [said for said in batch if said.taken.set_running_or_notify_cancel()]
    known = [(said, speaker) for said in batch if (speaker := _recognise(said, at=at))]
    if known:
        metrics.BATCH_SIZE.observe(len(known))
        _append(known, at=at)
        metrics.APPEND_S.observe(time.perf_counter() - began)


def _next_batch(waiting: queue.SimpleQueue[Said | None]) -> tuple[list[Said], bool]:
    """Everything that waits, at least one; and whether to go on afterwards."""
    batch: list[Said] = []
    while len(batch) < _TOGETHER:
        try:
            said = waiting.get(block=not batch)
        except queue.Empty:
            break
        if said is None:
            return batch, False
        batch.append(said)
    return batch, True


def _recognise(said: Said, *, at: datetime.datetime) -> Credential | None:
    try:
        if said.protocol == Protocol.TELTONIKA:
            return credentials.recognise_imei(imei=said.name, at=at)
        return credentials.recognise_serial(serial=said.name, at=at)
    except DomainError as refusal:
        said.taken.set_exception(refusal)
    except Exception as failure:
        log.exception("edge.not_recognised", name=said.name)
        said.taken.set_exception(failure)
    return None


def _append(known: list[tuple[Said, Credential]], *, at: datetime.datetime) -> None:
    reports = [
        Report(credential=speaker, points=said.points, acks=said.acks) for said, speaker in known
    ]
    try:
        accepted = accept_reports(reports=reports, at=at)
    except DomainError as refusal:
        for said, _speaker in known:
            said.taken.set_exception(refusal)
        return
    except Exception as failure:  # noqa: BLE001 - told to the peer one by one
        _append_alone(known, failure, at=at)
        return
    for (said, speaker), one in zip(known, accepted, strict=True):
        said.taken.set_result(Taken(speaker=speaker, accepted=one))


def _append_alone(
    known: list[tuple[Said, Credential]],
    failure: Exception,
    *,
    at: datetime.datetime,
) -> None:
    """One report must not hold up the others: each by itself, and the culprit is told."""
    if len(known) == 1:
        ((said, speaker),) = known
        log.error("edge.report_failed", serial=speaker.serial, exc_info=failure)
        said.taken.set_exception(failure)
        return
    for one in known:
        _append([one], at=at)
