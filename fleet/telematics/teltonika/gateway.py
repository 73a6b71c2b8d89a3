"""The port for Teltonika units: one line per unit, one frame at a time, one command in flight.

A unit keeps its records until it is told how many arrived; it is told only after the log has them.
A frame that cannot be taken is answered with 0 and costs nothing else; only where the beginning of
the next frame is lost, the line is cut, and the unit calls again.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from fleet.telematics import records
from fleet.telematics.edge import metrics
from fleet.telematics.edge.intake import Said
from fleet.telematics.services.accept import Acknowledgement
from fleet.telematics.states import Protocol
from fleet.telematics.teltonika import mapping, wire
from mobility.core import clock
from mobility.core.errors import DomainError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.telematics.edge.courier import Courier
    from fleet.telematics.edge.intake import Intake, Taken
    from fleet.telematics.records import Points
    from fleet.telematics.services.credentials import Credential
    from fleet.vehicles.mailbox import PendingCommand

log = structlog.get_logger(__name__)

_ADAPTER = Protocol.TELTONIKA.value
_ENOUGH_COMMANDS = 20
# Seconds of silence, seconds between probes, probes; milliseconds for what we sent.
_KERNEL_PATIENCE = {
    "TCP_KEEPIDLE": 60,
    "TCP_KEEPINTVL": 20,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 20_000,
}
_STOP_S = 5.0
_INSIST_TIMES, _INSIST_AGAIN_S = 120, 2.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one line may cost. Seconds and counts."""

    lines: int = 20_000
    hello_s: float = 10.0
    # From the first byte of a frame to its last: nobody holds a line by dripping.
    frame_s: float = 30.0
    # Units at rest report once in some minutes, and ping.
    idle_s: float = 1_800.0
    # After that nobody knows any more which command an answer belongs to.
    answer_s: float = 30.0


class Line:
    """The open line of one unit."""

    def __init__(self, imei: str, speaker: Credential, writer: asyncio.StreamWriter) -> None:
        self.imei = imei
        self.speaker = speaker
        self.writer = writer
        self.waiting: deque[PendingCommand] = deque()
        self.in_flight: PendingCommand | None = None
        self.overdue: asyncio.TimerHandle | None = None

    def unanswered(self) -> list[PendingCommand]:
        """The commands that wait here, the one in flight first."""
        return [*([self.in_flight] if self.in_flight else []), *self.waiting]

    def knows(self, command: PendingCommand) -> bool:
        """Whether a command already waits here."""
        return any(one.id == command.id for one in self.unanswered())


class Gateway:
    """The listening socket and its lines; a carrier for the courier."""

    def __init__(
        self, intake: Intake, *, host: str, port: int, limits: Limits | None = None
    ) -> None:
        self._intake = intake
        self._address = host, port
        self._limits = limits or Limits()
        self._lines: dict[int, Line] = {}  # by device
        self._tasks: set[asyncio.Task[None]] = set()
        self._notes: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.courier: Courier | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begin to listen."""
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._accept, *self._address, backlog=1_024)

    async def stop(self) -> None:
        """Take no new frame, finish and answer those that were read, cut the lines."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._notes:
            await asyncio.wait(self._notes, timeout=_STOP_S)

    # --- carrier ----------------------------------------------------------------------------------

    def reaches(self, speaker: Credential) -> bool:
        """Whether the unit is on one of our lines."""
        return speaker.device_id in self._lines

    def carry(self, speaker: Credential, commands: Sequence[PendingCommand]) -> None:
        """Queue commands on the unit's line."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._queue, speaker.device_id, commands)

    def _queue(self, device_id: int, commands: Sequence[PendingCommand]) -> None:
        line = self._lines.get(device_id)
        if line is not None:
            fresh = [command for command in commands if not line.knows(command)]
            line.waiting.extend(fresh[: _ENOUGH_COMMANDS - len(line.waiting)])
            self._send_next(line)

    def _send_next(self, line: Line) -> None:
        profile = mapping.profile_of(line.speaker.model)
        while line.waiting and line.in_flight is None:
            command = line.waiting.popleft()
            if command.expires_at <= clock.now():
                continue
            text = mapping.command_text(command.kind, command.parameters, profile=profile)
            if text is None:
                self._note(line, command, "rejected")
                continue
            line.in_flight = command
            line.writer.write(wire.write_command(text))
            loop = asyncio.get_running_loop()
            line.overdue = loop.call_later(self._limits.answer_s, self._give_up, line)

    def _give_up(self, line: Line) -> None:
        """No answer in time: the next one on this line could be about either command."""
        metrics.REFUSED.labels(_ADAPTER, "unanswered").inc()
        line.writer.close()

    def _note(self, line: Line, command: PendingCommand, result: str) -> None:
        """Have what became of a command written down; the line need not wait for it."""
        task = asyncio.ensure_future(self._insist(line.imei, command, result))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _insist(self, imei: str, command: PendingCommand, result: str) -> None:
        """The unit will not say it again: with the database away we do."""
        ack = Acknowledgement(command_id=command.id, result=result)
        for _ in range(_INSIST_TIMES):
            with suppress(Unavailable):
                taken = await self._say(imei, records.points_from([]), acks=[ack])
                if not taken.accepted.postponed_acks:
                    return
            await asyncio.sleep(_INSIST_AGAIN_S)

    # --- lines ------------------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if len(self._tasks) > self._limits.lines:
                metrics.REFUSED.labels(_ADAPTER, "crowded").inc()
            else:
                await self._serve(reader, writer)
        except wire.FrameRefused as refusal:
            metrics.REFUSED.labels(_ADAPTER, refusal.reason).inc()
        except TimeoutError:
            metrics.REFUSED.labels(_ADAPTER, "slow").inc()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # hung up, by them or by us
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 2)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _keep_alive(writer.get_extra_info("socket"))
        async with asyncio.timeout(self._limits.hello_s):
            imei, taken = await self._greet(reader, writer)
        line = Line(imei, taken.speaker, writer)
        former = self._lines.get(line.speaker.device_id)
        self._lines[line.speaker.device_id] = line
        metrics.LINES.labels(_ADAPTER).set(len(self._lines))
        if former is not None:
            former.writer.close()  # half-dead: the unit has called again
        try:
            self._offer(taken)
            while await self._next_frame(line, reader):
                pass
        finally:
            self._forget(line)

    def _forget(self, line: Line) -> None:
        if line.overdue is not None:
            line.overdue.cancel()
        if self._lines.get(line.speaker.device_id) is line:
            del self._lines[line.speaker.device_id]
        metrics.LINES.labels(_ADAPTER).set(len(self._lines))
        if self.courier is not None:
            self.courier.give_back(line.unanswered())

    async def _greet(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[str, Taken]:
        """Who calls, after telling the unit whether it is known here."""
        head = await reader.readexactly(wire.HELLO_HEAD_BYTES)
        imei = wire.read_imei(await reader.readexactly(wire.hello_length(head)))
        try:
            taken = await self._say(imei, records.points_from([]))
        except Unavailable as refusal:
            raise wire.FrameRefused(refusal.code) from refusal  # it calls again by itself
        except DomainError as refusal:
            writer.write(wire.HELLO_REFUSED)
            raise wire.FrameRefused(refusal.code) from refusal
        writer.write(wire.HELLO_TAKEN)
        return imei, taken

    async def _next_frame(self, line: Line, reader: asyncio.StreamReader) -> bool:
        """Take one frame and answer it; whether the line goes on."""
        async with asyncio.timeout(self._limits.idle_s):
            first = await reader.readexactly(1)
        if first == wire.PING:
            return True
        async with asyncio.timeout(self._limits.frame_s):
            head = first + await reader.readexactly(wire.FRAME_HEAD.size - 1)
            body = await reader.readexactly(_length(head, line) + wire.CRC_BYTES)
        taking = asyncio.ensure_future(self._take(line, body))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            await taking  # what was read is finished and answered even if we are stopping
            raise

    async def _take(self, line: Line, body: bytes) -> bool:
        profile = mapping.profile_of(line.speaker.model)
        try:
            found = wire.read_frame(body)
            if isinstance(found, wire.Answers):
                self._hear(line, found)
                return True
            taken = await self._say(line.imei, mapping.points_of(found, profile=profile))
        except wire.FrameRefused as refusal:
            return await self._refuse(line, refusal.reason)
        except DomainError as refusal:
            await self._refuse(line, refusal.code)
            return isinstance(refusal, Unavailable)
        except Exception:
            # Ours to repair: the unit keeps its records, and the line with them.
            log.exception("edge.frame_failed", imei=line.imei)
            return await self._refuse(line, "failed")
        line.speaker = taken.speaker
        line.writer.write(wire.count_reply(len(found)))
        await line.writer.drain()
        metrics.REPORTS.labels(_ADAPTER).inc()
        self._offer(taken)
        return True

    def _offer(self, taken: Taken) -> None:
        if self.courier is not None:
            self.courier.offer(taken.speaker, taken.accepted.commands)

    async def _refuse(self, line: Line, reason: str) -> bool:
        metrics.REFUSED.labels(_ADAPTER, reason).inc()
        log.warning("edge.frame_refused", imei=line.imei, reason=reason)
        line.writer.write(wire.count_reply(0))
        await line.writer.drain()
        return True

    async def _say(
        self, imei: str, points: Points, *, acks: Sequence[Acknowledgement] = ()
    ) -> Taken:
        """Have points appended and answers noted."""
        said = Said(protocol=Protocol.TELTONIKA, name=imei, points=points, acks=acks)
        return await asyncio.wrap_future(self._intake.submit(said))

    def _hear(self, line: Line, answers: wire.Answers) -> None:
        """The unit's words belong to the command in flight, as there is only one."""
        command, line.in_flight = line.in_flight, None
        if line.overdue is not None:
            line.overdue.cancel()
        text = " ".join(answers)
        log.info("edge.command_answered", imei=line.imei, answer=text[:200])
        if command is not None:
            self._note(line, command, mapping.result_of(text))
        self._send_next(line)


def _keep_alive(line: socket.socket) -> None:
    """A unit that drove into a garage hangs up without a word; the kernel finds out for us."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KERNEL_PATIENCE.items():
        if hasattr(socket, option):  # not everywhere outside of Linux
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _length(head: bytes, line: Line) -> int:
    try:
        return wire.data_length(head)
    except wire.FrameRefused:
        line.writer.write(wire.count_reply(0))
        raise
