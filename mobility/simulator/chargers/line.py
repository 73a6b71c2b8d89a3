"""A charger's way to its central system: connect, lose the link, come back, repeat."""

import asyncio
import base64
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import quote

import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, WebSocketException

from mobility.simulator.chargers.talk import Hardware, Refused, Talk
from mobility.simulator.chargers.v16 import Talk16
from mobility.simulator.chargers.v201 import Talk201
from mobility.simulator.credentials import ChargerSpec

log = logging.getLogger("simulator.chargers")

Answer = TypeVar("Answer")
Say = Callable[[Talk], Awaitable[Answer]]

MAX_BACK_OFF_S = 60.0
TRIES_AFTER_ERROR = 3


class Line:
    """Keeps one connection alive; ``ask`` waits for it where a message must not get lost."""

    def __init__(self, spec: ChargerSpec, *, hardware: Hardware, rng: random.Random) -> None:
        self._spec = spec
        self._hardware = hardware
        self._rng = rng
        self._talk: Talk | None = None
        self._socket: ClientConnection | None = None
        self._listening: asyncio.Future[None] | None = None
        self._open = asyncio.Event()
        self._boot_reason = "PowerUp"
        self.accepted = asyncio.Event()

    async def keep(self, welcome: Callable[[], Awaitable[None]]) -> None:
        """Connect for ever, waiting longer after each failure; ``welcome`` runs when accepted."""
        failures = 0
        while True:
            try:
                async with self._dial() as socket:
                    await self._converse(socket, welcome)
                failures = 0 if self._open.is_set() else failures + 1
            except (OSError, WebSocketException, TimeoutError) as error:
                failures += 1
                log.info("%s: no link: %s", self._spec.identity, error)
            self._talk = None
            self._open.clear()
            back_off_s = min(MAX_BACK_OFF_S, 2.0 ** min(failures, 6))
            await asyncio.sleep(self._rng.uniform(0.5, 1.0) * back_off_s)

    async def drop(self) -> None:
        """Lose the link, as radios do."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def restart(self, reason: str) -> None:
        """Close, and boot again on the next connection."""
        self._boot_reason = reason
        self.accepted.clear()
        if self._socket is not None:
            await self._socket.close()

    async def ask(self, say: Say[Answer]) -> Answer:
        """Say something until it is answered, over as many connections as it takes.

        A central system that answers with an error is asked ``TRIES_AFTER_ERROR`` times; then
        Refused is raised.
        """
        refusals = 0
        while True:
            await self.accepted.wait()
            await self._open.wait()
            try:
                return await self._say(say)
            except Refused:
                refusals += 1
                if refusals >= TRIES_AFTER_ERROR:
                    raise
                await asyncio.sleep(self._rng.uniform(0.5, 2.0))
            except (ConnectionClosed, ConnectionError, TimeoutError):
                await asyncio.sleep(self._rng.uniform(0.1, 0.3))

    async def mention(self, say: Say[Any]) -> None:
        """Say something that may get lost."""
        if self._open.is_set() and self.accepted.is_set():
            with suppress(Refused, ConnectionClosed, ConnectionError, TimeoutError):
                await self._say(say)

    async def _say(self, say: Say[Answer]) -> Answer:
        """Say it, and notice at once when the link is lost; the engine would wait on in silence."""
        talk, listening = self._talk, self._listening
        if talk is None or listening is None:
            raise ConnectionResetError
        speaking = asyncio.ensure_future(say(talk))
        try:
            halves: set[asyncio.Future[Any]] = {speaking, listening}
            await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
            if not speaking.done():
                raise ConnectionResetError
            return speaking.result()
        finally:
            speaking.cancel()

    def _dial(self) -> websockets.connect:
        secret = base64.b64encode(f"{self._spec.identity}:{self._spec.password}".encode()).decode()
        return websockets.connect(
            self._spec.url.removesuffix(self._spec.identity) + quote(self._spec.identity, safe=""),
            subprotocols=[websockets.Subprotocol(self._spec.protocol)],
            additional_headers={"Authorization": f"Basic {secret}"},
            open_timeout=20,
            close_timeout=2,
            proxy=None,
        )

    async def _converse(
        self,
        socket: ClientConnection,
        welcome: Callable[[], Awaitable[None]],
    ) -> None:
        talk = self._talk_on(socket)
        self._socket = socket
        listening = asyncio.ensure_future(talk.listen())
        self._listening = listening
        living = asyncio.ensure_future(self._live(talk, welcome))
        try:
            done, _ = await asyncio.wait({listening, living}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                with suppress(ConnectionClosed, Refused):
                    task.result()
        finally:
            self._socket = None
            for task in (listening, living):
                task.cancel()
            await asyncio.gather(listening, living, return_exceptions=True)

    async def _live(self, talk: Talk, welcome: Callable[[], Awaitable[None]]) -> None:
        """Boot where we must, tell what we are, then stay in touch."""
        interval_s = 300.0
        while not self.accepted.is_set():
            accepted, interval_s = await talk.boot(reason=self._boot_reason)
            if accepted:
                self.accepted.set()
            else:
                await asyncio.sleep(interval_s or 30.0)
        self._talk = talk
        self._open.set()
        await welcome()
        while True:
            await asyncio.sleep(interval_s or 300.0)
            await talk.heartbeat()

    def _talk_on(self, socket: ClientConnection) -> Talk:
        tongue = Talk16 if self._spec.protocol == "ocpp1.6" else Talk201
        return tongue(self._spec.identity, socket, hardware=self._hardware)
