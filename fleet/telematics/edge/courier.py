"""Commands on their way to vehicles with an open line: at once when ordered, and at every report.

The box of a vehicle is what waits; the channel only says that something does. Of several edges one
carries a command, and carries it again if nothing was heard of it for a while: its number makes
the repetition harmless.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

import redis
import structlog
from django.db import close_old_connections

from fleet.telematics.edge import metrics
from fleet.telematics.log import point_log
from fleet.telematics.services import credentials
from fleet.telematics.services.accept import take_along
from fleet.vehicles import mailbox
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.principals import device_principal

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from fleet.telematics.services.credentials import Credential
    from fleet.vehicles.mailbox import PendingCommand

log = structlog.get_logger(__name__)

CARRIED_AGAIN_S = 10
_LISTEN_S = 0.25
_PAUSE_S = 1.0


class Carrier(Protocol):
    """An adapter, as the courier sees it."""

    def reaches(self, speaker: Credential) -> bool:
        """Whether this process has a line to the device."""
        ...

    def carry(self, speaker: Credential, commands: Sequence[PendingCommand]) -> None:
        """Send commands; may be called from any thread."""


class Courier:
    """Listens for orders and gives them to the carrier of the vehicle's device."""

    def __init__(self, carriers: Mapping[str, Carrier], *, threads: int = 4) -> None:
        self._carriers = carriers
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="courier")
        self._stopping = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="courier-listen", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._listener.start()

    def stop(self) -> None:
        """Carry what was begun, then end."""
        self._stopping.set()
        self._listener.join()
        self._pool.shutdown()

    def offer(self, speaker: Credential, waiting: Sequence[PendingCommand]) -> None:
        """Commands that were found waiting with a report."""
        if waiting and not self._stopping.is_set():
            self._pool.submit(self._guarded, self._deliver, speaker, waiting)

    def give_back(self, commands: Sequence[PendingCommand]) -> None:
        """Commands whose line was cut before an answer: the next line may carry them at once."""
        if commands and not self._stopping.is_set():
            self._pool.submit(self._guarded, release, commands)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                client: Any = mailbox.client()
                with client.pubsub(ignore_subscribe_messages=True) as channel:
                    channel.subscribe(mailbox.CHANNEL)
                    self._hear(channel)
            except redis.RedisError:
                # What is ordered meanwhile waits in its box for the next report or sweep.
                self._stopping.wait(_PAUSE_S)

    def _hear(self, channel: Any) -> None:
        while not self._stopping.is_set():
            message = channel.get_message(timeout=_LISTEN_S)
            if message:
                self._pool.submit(self._guarded, self._look, int(message["data"]))

    def _guarded(self, work: object, *arguments: object) -> None:
        close_old_connections()
        try:
            work(*arguments)  # type: ignore[operator]  # one of ours
        except Exception:
            log.exception("edge.command_not_carried")

    def _look(self, vehicle_id: int) -> None:
        at = clock.now()
        try:
            speaker = credentials.speaker_of(vehicle_id=vehicle_id, at=at)
            (box,) = point_log().boxes(vehicle_ids=(vehicle_id,))
        except DomainError:
            return
        self._deliver(speaker, mailbox.read_box(box, at=at))

    def _deliver(self, speaker: Credential, waiting: Sequence[PendingCommand]) -> None:
        carrier = self._carriers.get(speaker.protocol)
        if not waiting or carrier is None or not carrier.reaches(speaker):
            return
        at = clock.now()
        claimed = claim(waiting)
        by = device_principal(speaker.device_id)
        travelling = take_along(waiting=claimed, at=at, by=by)
        if travelling:
            carrier.carry(speaker, travelling)
            metrics.COMMANDS.labels(speaker.protocol).inc(len(travelling))


def claim(waiting: Sequence[PendingCommand]) -> list[PendingCommand]:
    """Those of the commands that nobody has carried in the last `CARRIED_AGAIN_S` seconds."""
    pipeline = mailbox.client().pipeline(transaction=False)
    for command in waiting:
        pipeline.set(_carried_key(command), 1, nx=True, ex=CARRIED_AGAIN_S)
    return [command for command, mine in zip(waiting, pipeline.execute(), strict=True) if mine]


def release(commands: Sequence[PendingCommand]) -> None:
    """Let anybody carry these commands again."""
    mailbox.client().delete(*(_carried_key(command) for command in commands))


def seconds_left(command: PendingCommand, *, at: datetime.datetime) -> int:
    """How long a command may still be on its way, at least one second."""
    return max(1, int((command.expires_at - at).total_seconds()))


def _carried_key(command: PendingCommand) -> str:
    return f"fleet:carried:{command.id}"
