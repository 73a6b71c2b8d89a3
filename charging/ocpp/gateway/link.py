"""One connection of one station: frames in order, one deed at a time, the reply after commit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from datetime import datetime
from typing import Final

from websockets.exceptions import ConnectionClosed

from charging.frames.facts import FrameSeen
from charging.frames.states import Direction
from charging.ocpp.deeds import Dialect
from charging.ocpp.gateway.answers import Answers, Promise, Reply, Surroundings
from charging.ocpp.gateway.sockets import StationSocket
from charging.ocpp.rpc.correlator import Correlator
from charging.ocpp.rpc.errors import RpcError
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
    Send,
    encode_error,
)
from charging.stations.facts import StationCredentials
from mobility.core import clock

logger = logging.getLogger(__name__)

_BACKLOG: Final = 64
"""Calls a station may send ahead; then its socket is read no further until we answered some."""

_CALL_BYTES: Final = 8192
"""What one call may weigh; most are below a twentieth of it."""

_Waiting = tuple[Call, bytes] | Promise | Reply | Send
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
    ) -> None:
        self.socket = socket
        self.station_id = credentials.station_id
        self.identity = credentials.identity
        self.epoch = epoch
        self.dialect = dialect
        self.answers = Answers(socket, credentials=credentials, dialect=dialect, shared=shared)
        self.correlator = Correlator(self._send_call, prefix=f"{epoch:x}-")
        self._shared = shared
        # Made when first something has to wait: most connections are idle most of the time, and
        # neither a queue nor a task is held for them.
        self._waiting: deque[_Waiting] | None = None
        self._answering: asyncio.Task[None] | None = None
        self._room: asyncio.Event | None = None
        self._window_s = 0.0
        self._in_window = 0

    async def run(self) -> None:
        """Read until the socket closes, for whatever reason."""
        try:
            with suppress(ConnectionClosed):
                while True:
                    # Bytes, because the JSON parser checks the UTF-8 anyway.
                    raw = await self.socket.recv(decode=False)
                    now_s = time.monotonic()
                    item = self._hear(raw, clock.now(), now_s)
                    if isinstance(item, Reply) and self._answering is None:
                        await self._send(item)
                    elif item is not None:
                        await self._line_up(item)
                    if self._is_flood(now_s, len(raw)):
                        # Read no faster than agreed; TCP slows the station down.
                        await asyncio.sleep(self._window_s + 1.0 - now_s)
        finally:
            self.correlator.close()
            if self._answering is not None:
                self._answering.cancel()
                with suppress(asyncio.CancelledError):
                    await self._answering

    def _hear(self, raw: bytes, now: datetime, now_s: float) -> _Waiting | None:
        """What has to be said or done about a frame, in its turn; None where nothing is.

        A call is considered at once only while nothing else waits: whether it is admitted may
        depend on the boot in front of it.
        """
        self._shared.seen(self.station_id, now)
        try:
            frame = self.answers.reader.parse(raw)
        except RpcError as error:
            self._record(Direction.IN, now, 0, error.message_id, "", raw)
            return self.answers.refusal(error, error.message_id, "")
        if isinstance(frame, Call):
            self._record(Direction.IN, now, CALL, frame.message_id, frame.action, raw)
            if self._answering is not None:
                return frame, raw
            return self.answers.consider(frame, raw, at=now, now_s=now_s)
        if isinstance(frame, Send):
            self._record(Direction.IN, now, SEND, frame.message_id, frame.action, raw)
            return frame
        self._hear_answer(frame, raw, now)
        return None

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
                "%s: cannot use our answer %.60r: %.60r %.200r",
                self.identity,
                frame.message_id,
                frame.code,
                frame.description,
            )
        elif not self.correlator.resolve(frame):
            late = "%s: answer to %.60r came late or to nothing"
            logger.info(late, self.identity, frame.message_id)

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

    def _is_flood(self, now_s: float, size: int) -> bool:
        """Whether the station has said more in this second than is agreed."""
        if now_s - self._window_s >= 1.0:
            self._window_s, self._in_window = now_s, 0
        # A long frame costs as much as several.
        self._in_window += 1 + size // _CALL_BYTES
        return self._in_window > self._shared.max_calls_per_s

    async def _line_up(self, item: _Waiting) -> None:
        """Have it answered after all that came before; wait where the station is too far ahead."""
        while self._waiting is not None and len(self._waiting) >= _BACKLOG:
            self._room = asyncio.Event()
            await self._room.wait()
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(item)
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_in_order(self._waiting))

    async def _answer_in_order(self, waiting: deque[_Waiting]) -> None:
        """Answer what waits, one after the other, until nothing does or the socket is gone."""
        try:
            with suppress(ConnectionClosed):
                while waiting:
                    item = waiting.popleft()
                    self._make_room()
                    await self._see_to(item)
        finally:
            self._answering = self._waiting = None
            waiting.clear()
            self._make_room()

    def _make_room(self) -> None:
        if self._room is not None:
            self._room.set()

    async def _see_to(self, item: _Waiting) -> None:
        if isinstance(item, Send):
            await self.answers.heed(item)
            return
        if isinstance(item, tuple) and not isinstance(item, Reply):
            call, raw = item
            item = self.answers.consider(call, raw, at=clock.now(), now_s=time.monotonic())
        if isinstance(item, Promise):
            item = await self.answers.keep(item)
        await self._send(item)

    async def _send(self, reply: Reply) -> None:
        if self._shared.recorder.logs:
            self._record(
                Direction.OUT, clock.now(), reply.kind, reply.message_id, reply.action, reply.frame
            )
        await self.socket.send(reply.frame, text=True)

    async def _send_call(self, frame: bytes) -> None:
        calls = self.correlator
        await self._send(Reply(frame, CALL, calls.last_id, calls.action))

    async def complain(self, error: RpcError, *, message_id: str, action: str) -> None:
        """Tell a 2.1 station that its answer could not be used; older ones have no word for it."""
        version = self.dialect.version
        if version.has_sends:
            frame = encode_error(
                error, message_id=message_id, version=version, kind=CALL_RESULT_ERROR
            )
            await self._send(Reply(frame, CALL_RESULT_ERROR, message_id, action))
