"""One connection of one station: frames in order, one deed at a time, the reply after commit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from websockets.exceptions import ConnectionClosed

from charging.frames.facts import FrameSeen
from charging.frames.states import Direction
from charging.ocpp.deeds import Asked, Deed, Dialect, Errand
from charging.ocpp.gateway import metrics
from charging.ocpp.gateway.admission import Reason, serial_fits
from charging.ocpp.gateway.reading import BOOT, Reader
from charging.ocpp.gateway.recorder import Recorder
from charging.ocpp.gateway.sockets import StationSocket
from charging.ocpp.gateway.writer import NotStored, StorageAway, Writer
from charging.ocpp.rpc.correlator import Correlator
from charging.ocpp.rpc.errors import Fault, RpcError
from charging.ocpp.rpc.frames import (
    CALL,
    CALL_ERROR,
    CALL_RESULT,
    CALL_RESULT_ERROR,
    SEND,
    Call,
    CallError,
    CallResult,
    CallResultError,
    Payload,
    Send,
    encode_error,
    encode_result,
)
from charging.ocpp.rpc.replay import ReplayCache
from charging.ocpp.rpc.schemas import schemas_of
from charging.stations.facts import (
    BootAnswer,
    BootReport,
    ClientCertificate,
    StationCredentials,
)
from charging.stations.states import Registration
from mobility.core import clock

logger = logging.getLogger(__name__)

_BACKLOG: Final = 64
"""Calls a station may send ahead; then its socket is read no further until we answered some."""

_FOLLOWED: Final = {
    "GetBaseReport": "NotifyReport",
    "GetReport": "NotifyReport",
    "GetLog": "LogStatusNotification",
    "GetDiagnostics": "DiagnosticsStatusNotification",
    "UpdateFirmware": "FirmwareStatusNotification",
    "SignedUpdateFirmware": "SignedFirmwareStatusNotification",
}
"""What a station that is not accepted yet may say because we asked (OCPP 2.0.1 B02.FR.02)."""
_SIGN: Final = frozenset(
    {"SignChargePointCertificate", "SignChargingStationCertificate", "SignV2GCertificate"},
)
_HEARTBEAT: Final = "Heartbeat"
_ERRAND_S: Final = 25.0
"""How long a station waits for what we ask elsewhere: less than its own time-out of 30 s."""

Seen = Callable[[int, datetime], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all links of a gateway share."""

    writer: Writer
    replay: ReplayCache
    seen: Seen
    max_calls_per_s: int
    recorder: Recorder
    refuse: Callable[[Link, Reason], None]
    """Write down that a connection was ended for a reason of the handshake."""
    errands: asyncio.Semaphore
    """How many stations may wait for somebody else at the same time."""


@dataclass(slots=True)
class _Promise:
    """A call whose deed has to be committed before its answer."""

    call: Call
    raw: bytes
    deed: Deed | Errand


class _Reply(NamedTuple):
    """A frame of ours, with what the log wants to know of it."""

    frame: bytes
    kind: int
    message_id: str
    action: str


_Waiting = tuple[Call, bytes] | _Promise | _Reply | Send
"""A call to be considered or kept, an answer that has to keep its turn, a message without answer."""


class Link:
    """The station's side of the socket is `credentials`, ours is `epoch`."""

    def __init__(
        self,
        socket: StationSocket,
        *,
        credentials: StationCredentials,
        epoch: int,
        dialect: Dialect,
        shared: Surroundings,
        certificate: ClientCertificate | None = None,
    ) -> None:
        self.socket = socket
        self.station_id = credentials.station_id
        self.identity = credentials.identity
        self.epoch = epoch
        self.dialect = dialect
        self.registration = credentials.registration
        # A station that never introduced itself must do so before anything else is heard.
        self.introduced = credentials.booted
        self.correlator = Correlator(self._send_call, prefix=f"{epoch:x}-")
        self._certificate = certificate
        self._reader = Reader(
            version=dialect.version, credentials=credentials, recorder=shared.recorder
        )
        self._shared = shared
        self._schemas = schemas_of(dialect.version)
        self._answered = metrics.CALLS.labels(version=dialect.version, outcome="result")
        self._awaited: set[str] = set()
        # Made when first something has to wait: most connections are idle most of the time, and
        # neither a queue nor a task is held for them.
        self._waiting: deque[_Waiting] = deque()
        self._answering: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._window_s = 0.0
        self._in_window = 0

    def expect_after(self, action: str, payload: Payload) -> None:
        """Let a pending station say what a request of ours asks it to say."""
        if self.registration != Registration.PENDING:
            return
        wanted = payload.get("requestedMessage", _FOLLOWED.get(action))
        if wanted is not None:
            self._awaited.add("SignCertificate" if wanted in _SIGN else wanted)

    async def run(self) -> None:
        """Read until the socket closes, for whatever reason."""
        try:
            with suppress(ConnectionClosed):
                while True:
                    # Bytes, because the JSON parser checks the UTF-8 anyway.
                    await self._receive(await self.socket.recv(decode=False))
                    await self._hold_back()
        finally:
            self.correlator.close()
            if self._answering is not None:
                self._answering.cancel()
                with suppress(asyncio.CancelledError):
                    await self._answering

    async def _receive(self, raw: bytes) -> None:
        now = clock.now()
        self._shared.seen(self.station_id, now)
        try:
            frame = self._reader.parse(raw)
        except RpcError as error:
            self._record(Direction.IN, now, 0, error.message_id, "", raw)
            await self._line_up(self._refusal(error, error.message_id, ""))
            return
        match frame:
            case Call():
                self._record(Direction.IN, now, CALL, frame.message_id, frame.action, raw)
                await self._take(frame, raw)
            case Send():
                self._record(Direction.IN, now, SEND, frame.message_id, frame.action, raw)
                await self._line_up(frame)
            case _:
                self._hear_answer(frame, raw, now)

    def _hear_answer(
        self,
        frame: CallResult | CallError | CallResultError | None,
        raw: bytes,
        now: datetime,
    ) -> None:
        """Hand an answer to whoever waits for it; of complaints and strays only the log knows."""
        if frame is None:
            self._record(Direction.IN, now, 0, "", "", raw)
            return
        action = self.correlator.action if frame.message_id == self.correlator.last_id else ""
        kind = {CallResult: CALL_RESULT, CallError: CALL_ERROR}.get(type(frame), CALL_RESULT_ERROR)
        self._record(Direction.IN, now, kind, frame.message_id, action, raw)
        if isinstance(frame, CallResultError):
            logger.warning(
                "%s: cannot use our answer %s: %s %.200s",
                self.identity,
                frame.message_id,
                frame.code,
                frame.description,
            )
        elif not self.correlator.resolve(frame):
            logger.info("%s: answer to %s came late or to nothing", self.identity, frame.message_id)

    def _record(
        self, direction: str, at: datetime, kind: int, message_id: str, action: str, raw: bytes
    ) -> None:
        if not self._shared.recorder.logs:
            return
        self._shared.recorder.note(
            FrameSeen(
                self.station_id,
                at,
                direction,
                self.epoch,
                self.dialect.version,
                kind,
                message_id,
                action,
                raw,
            ),
        )

    async def _take(self, call: Call, raw: bytes) -> None:
        """Answer at once what needs no database while nothing else waits; queue the rest.

        Only then: whether a call is admitted may depend on the boot in front of it.
        """
        if self._answering is not None:
            await self._line_up((call, raw))
            return
        considered = self._consider(call, raw)
        if isinstance(considered, _Reply):
            await self._send(considered)
        else:
            await self._line_up(considered)

    async def _line_up(self, item: _Waiting) -> None:
        """Have it answered after all that came before; wait where the station is too far ahead."""
        while len(self._waiting) >= _BACKLOG:
            self._room.clear()
            await self._room.wait()
        self._waiting.append(item)
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_in_order())

    async def _hold_back(self) -> None:
        """Read a station that floods us no faster than agreed; TCP slows it down."""
        now_s = time.monotonic()
        if now_s - self._window_s >= 1.0:
            self._window_s, self._in_window = now_s, 0
        self._in_window += 1
        if self._in_window > self._shared.max_calls_per_s:
            await asyncio.sleep(self._window_s + 1.0 - now_s)

    async def _answer_in_order(self) -> None:
        """Answer what waits, one after the other, until nothing does or the socket is gone."""
        try:
            with suppress(ConnectionClosed):
                while self._waiting:
                    item = self._waiting.popleft()
                    self._room.set()
                    await self._see_to(item)
        finally:
            self._answering = None
            self._waiting.clear()
            self._room.set()

    async def _see_to(self, item: _Waiting) -> None:
        if isinstance(item, Send):
            await self._heed(item)
            return
        if isinstance(item, tuple) and not isinstance(item, _Reply):
            item = self._consider(*item)
        if isinstance(item, _Promise):
            item = await self._keep(item)
        await self._send(item)

    async def _send(self, reply: _Reply) -> None:
        if self._shared.recorder.logs:
            self._record(
                Direction.OUT, clock.now(), reply.kind, reply.message_id, reply.action, reply.frame
            )
        await self.socket.send(reply.frame, text=True)

    async def _send_call(self, frame: bytes) -> None:
        calls = self.correlator
        await self._send(_Reply(frame, CALL, calls.last_id, calls.action))

    async def complain(self, error: RpcError, *, message_id: str, action: str) -> None:
        """Tell a 2.1 station that its answer could not be used; older ones have no word for it."""
        version = self.dialect.version
        if version.has_sends:
            frame = encode_error(
                error, message_id=message_id, version=version, kind=CALL_RESULT_ERROR
            )
            await self._send(_Reply(frame, CALL_RESULT_ERROR, message_id, action))

    async def _heed(self, send: Send) -> None:
        """Do what a SEND says. Whatever is wrong with it, nobody is told but our log."""
        try:
            outcome = self._outcome(Call(send.message_id, send.action, send.payload))
            if isinstance(outcome, Deed):
                await self._shared.writer.do(outcome.verb, outcome.fact)
        except Exception as error:  # noqa: BLE001 — the station's next call wants its answer
            logger.warning("%s: SEND %s not processed: %s", self.identity, send.action, error)

    def _consider(self, call: Call, raw: bytes) -> _Reply | _Promise:
        """The frame that answers ``call``, or what has to be committed before it."""
        kept = self._shared.replay.recall(
            station_id=self.station_id,
            message_id=call.message_id,
            frame=raw,
            now_s=time.monotonic(),
        )
        if kept is not None:
            return _Reply(kept, CALL_RESULT, call.message_id, call.action)
        try:
            outcome = self._outcome(call)
            if isinstance(outcome, Deed | Errand):
                return _Promise(call, raw, outcome)
            return self._answer(call, raw, outcome)
        except Exception as error:  # noqa: BLE001 — a station must not wait for an answer in vain
            return self._refuse(call, error)

    def _outcome(self, call: Call) -> Payload | Deed | Errand:
        """1. Known action. 2. Admitted station. 3. Valid payload. 4. Its meaning."""
        handler = self.dialect.inbound.get(call.action)
        if handler is None:
            known = call.action in self._schemas.actions
            raise RpcError(Fault.NOT_SUPPORTED if known else Fault.NOT_IMPLEMENTED)
        if call.action != BOOT and not self.admitted and call.action not in self._awaited:
            raise RpcError(Fault.SECURITY, "BootNotification has not been accepted")
        payload = self._reader.valid(call)
        outcome = handler(Asked(self.station_id, payload, clock.now()))
        if call.action == BOOT and isinstance(outcome, Deed):
            self._meet(outcome.fact)
        if isinstance(outcome, dict) and call.action != _HEARTBEAT:
            # Nothing of it is stored; the log is where staff find it.
            logger.info("%s: %s answered", self.identity, call.action)
        return outcome

    def _meet(self, report: BootReport) -> None:
        """A station that introduces itself: with the hardware its certificate was made for."""
        self._reader.introduce(report)
        shown = self._certificate
        if shown and not serial_fits(shown, identity=self.identity, serial=report.serial):
            self._shared.refuse(self, Reason.WRONG_SERIAL)
            raise RpcError(Fault.SECURITY, "The serial number is not the certificate's")

    async def _keep(self, promise: _Promise) -> _Reply:
        """Commit, then answer; a deed that could not be committed is refused."""
        call, deed = promise.call, promise.deed
        try:
            if isinstance(deed, Errand):
                return self._answer(call, promise.raw, await self._fetch(call, deed))
            answer = await self._shared.writer.do(deed.verb, deed.fact)
            if isinstance(answer, BootAnswer):
                self.registration = answer.registration
                self.introduced = True
                self._shared.replay.forget_station(station_id=self.station_id)
            return self._answer(call, promise.raw, deed.reply(answer))
        except Exception as error:  # noqa: BLE001 — see above
            return self._refuse(call, error)

    async def _fetch(self, call: Call, errand: Errand) -> Payload:
        """What somebody else says to it, in time; else the honest answer that nobody did."""
        try:
            async with self._shared.errands, asyncio.timeout(_ERRAND_S):
                answer = await asyncio.to_thread(errand.run)
            self._schemas.check_response(action=call.action, payload=answer)
        except Exception as error:  # noqa: BLE001 — whatever a stranger does, the station is answered
            logger.warning("%s: %s got no answer: %r", self.identity, call.action, error)
            return errand.otherwise
        return answer

    def _answer(self, call: Call, raw: bytes, payload: Payload) -> _Reply:
        reply = encode_result(message_id=call.message_id, payload=payload)
        self._shared.replay.remember(
            station_id=self.station_id,
            message_id=call.message_id,
            action=call.action,
            frame=raw,
            reply=reply,
            now_s=time.monotonic(),
        )
        self._answered.inc()
        return _Reply(reply, CALL_RESULT, call.message_id, call.action)

    @property
    def admitted(self) -> bool:
        """Whether the station may say more than its name."""
        return self.introduced and self.registration == Registration.ACCEPTED

    def _refuse(self, call: Call, error: Exception) -> _Reply:
        """What the station hears of a failure: its own fault by name, ours without internals."""
        if isinstance(error, RpcError):
            return self._refusal(error, call.message_id, call.action)
        if isinstance(error, StorageAway):
            away = RpcError(Fault.INTERNAL, "Temporarily unavailable, please repeat")
            return self._refusal(away, call.message_id, call.action)
        if not isinstance(error, NotStored):
            logger.error("%s: %s failed", self.identity, call.action, exc_info=error)
        failed = RpcError(Fault.INTERNAL, "The message could not be processed")
        return self._refusal(failed, call.message_id, call.action)

    def _refusal(self, error: RpcError, message_id: str, action: str) -> _Reply:
        metrics.CALLS.labels(version=self.dialect.version, outcome=error.fault).inc()
        frame = encode_error(error, message_id=message_id, version=self.dialect.version)
        return _Reply(frame, CALL_ERROR, message_id, action)
