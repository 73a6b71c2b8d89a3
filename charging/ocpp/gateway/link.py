"""One connection of one station: frames in order, one deed at a time, the reply after commit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from charging.ocpp.deeds import Asked, Deed, Dialect
from charging.ocpp.gateway import metrics
from charging.ocpp.gateway.writer import NotStored, StorageAway, Writer
from charging.ocpp.rpc.correlator import Correlator
from charging.ocpp.rpc.errors import Fault, RpcError
from charging.ocpp.rpc.frames import (
    Call,
    Payload,
    encode_error,
    encode_result,
    parse_frame,
)
from charging.ocpp.rpc.replay import ReplayCache
from charging.ocpp.rpc.schemas import schemas_of
from charging.stations.facts import BootAnswer, StationCredentials
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
_BOOT: Final = "BootNotification"
_HEARTBEAT: Final = "Heartbeat"

Seen = Callable[[int, datetime], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all links of a gateway share."""

    writer: Writer
    replay: ReplayCache
    seen: Seen
    max_calls_per_s: int


@dataclass(frozen=True, slots=True)
class _Promise:
    """A call whose deed has to be committed before its answer."""

    call: Call
    raw: bytes
    deed: Deed


class Link:
    """The station's side of the socket is `credentials`, ours is `epoch`."""

    def __init__(
        self,
        socket: ServerConnection,
        *,
        credentials: StationCredentials,
        epoch: int,
        dialect: Dialect,
        shared: Surroundings,
    ) -> None:
        self.socket = socket
        self.station_id = credentials.station_id
        self.identity = credentials.identity
        self.epoch = epoch
        self.dialect = dialect
        self.registration = credentials.registration
        # A station that never introduced itself must do so before anything else is heard.
        self.introduced = credentials.booted
        self.correlator = Correlator(self._send, prefix=f"{epoch:x}-")
        self._shared = shared
        self._schemas = schemas_of(dialect.version)
        self._answered = metrics.CALLS.labels(version=dialect.version, outcome="result")
        self._awaited: set[str] = set()
        self._waiting: asyncio.Queue[tuple[Call, bytes] | _Promise | bytes]
        self._waiting = asyncio.Queue(_BACKLOG)
        self._busy = False
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
        answering = asyncio.create_task(self._answer_in_order())
        try:
            with suppress(ConnectionClosed):
                while True:
                    # Bytes, because the JSON parser checks the UTF-8 anyway.
                    await self._receive(await self.socket.recv(decode=False))
                    await self._hold_back()
        finally:
            self.correlator.close()
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering

    async def _receive(self, raw: bytes) -> None:
        self._shared.seen(self.station_id, clock.now())
        try:
            frame = parse_frame(raw)
        except RpcError as error:
            await self._waiting.put(self._refusal(error, error.message_id))
            return
        if isinstance(frame, Call):
            await self._take(frame, raw)
        elif frame is not None and not self.correlator.resolve(frame):
            logger.info("%s: answer to %s came late or to nothing", self.identity, frame.message_id)

    async def _take(self, call: Call, raw: bytes) -> None:
        """Answer at once what needs no database while nothing else waits; queue the rest.

        Only then: whether a call is admitted may depend on the boot in front of it.
        """
        if self._busy or not self._waiting.empty():
            await self._waiting.put((call, raw))
            return
        considered = self._consider(call, raw)
        if isinstance(considered, bytes):
            await self._send(considered)
        else:
            await self._waiting.put(considered)

    async def _hold_back(self) -> None:
        """Read a station that floods us no faster than agreed; TCP slows it down."""
        now_s = time.monotonic()
        if now_s - self._window_s >= 1.0:
            self._window_s, self._in_window = now_s, 0
        self._in_window += 1
        if self._in_window > self._shared.max_calls_per_s:
            await asyncio.sleep(self._window_s + 1.0 - now_s)

    async def _answer_in_order(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                item = await self._waiting.get()
                self._busy = True
                if isinstance(item, tuple):
                    item = self._consider(*item)
                if isinstance(item, _Promise):
                    item = await self._keep(item)
                await self._send(item)
                self._busy = False

    async def _send(self, frame: bytes) -> None:
        await self.socket.send(frame, text=True)

    def _consider(self, call: Call, raw: bytes) -> bytes | _Promise:
        """The frame that answers ``call``, or what has to be committed before it."""
        kept = self._shared.replay.recall(
            station_id=self.station_id,
            message_id=call.message_id,
            frame=raw,
            now_s=time.monotonic(),
        )
        if kept is not None:
            return kept
        try:
            outcome = self._outcome(call)
            if isinstance(outcome, Deed):
                return _Promise(call, raw, outcome)
            return self._answer(call, raw, outcome)
        except Exception as error:  # noqa: BLE001 — a station must not wait for an answer in vain
            return self._refuse(call, error)

    def _outcome(self, call: Call) -> Payload | Deed:
        """1. Known action. 2. Admitted station. 3. Valid payload. 4. Its meaning."""
        handler = self.dialect.inbound.get(call.action)
        if handler is None:
            known = call.action in self._schemas.actions
            raise RpcError(Fault.NOT_SUPPORTED if known else Fault.NOT_IMPLEMENTED)
        if call.action != _BOOT and not self.admitted and call.action not in self._awaited:
            raise RpcError(Fault.SECURITY, "BootNotification has not been accepted")
        self._schemas.check_request(action=call.action, payload=call.payload)
        outcome = handler(Asked(self.station_id, call.payload, clock.now()))
        if not isinstance(outcome, Deed) and call.action != _HEARTBEAT:
            # Nothing of it is stored; the log is where staff find it.
            logger.info("%s: %s %.500s", self.identity, call.action, call.payload)
        return outcome

    async def _keep(self, promise: _Promise) -> bytes:
        """Commit, then answer; a deed that could not be committed is refused."""
        call, deed = promise.call, promise.deed
        try:
            answer = await self._shared.writer.do(deed.verb, deed.fact)
            if isinstance(answer, BootAnswer):
                self.registration = answer.registration
                self.introduced = True
                self._shared.replay.forget_station(station_id=self.station_id)
            return self._answer(call, promise.raw, deed.reply(answer))
        except Exception as error:  # noqa: BLE001 — see above
            return self._refuse(call, error)

    def _answer(self, call: Call, raw: bytes, payload: Payload) -> bytes:
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
        return reply

    @property
    def admitted(self) -> bool:
        """Whether the station may say more than its name."""
        return self.introduced and self.registration == Registration.ACCEPTED

    def _refuse(self, call: Call, error: Exception) -> bytes:
        """What the station hears of a failure: its own fault by name, ours without internals."""
        if isinstance(error, RpcError):
            return self._refusal(error, call.message_id)
        if isinstance(error, StorageAway):
            away = RpcError(Fault.INTERNAL, "Temporarily unavailable, please repeat")
            return self._refusal(away, call.message_id)
        if not isinstance(error, NotStored):
            logger.error("%s: %s failed", self.identity, call.action, exc_info=error)
        failed = RpcError(Fault.INTERNAL, "The message could not be processed")
        return self._refusal(failed, call.message_id)

    def _refusal(self, error: RpcError, message_id: str) -> bytes:
        metrics.CALLS.labels(version=self.dialect.version, outcome=error.fault).inc()
        return encode_error(error, message_id=message_id, version=self.dialect.version)
