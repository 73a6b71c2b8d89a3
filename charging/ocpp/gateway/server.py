"""The listening socket, the handshakes, the life of a connection, start and stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from django.db import connection as database
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from charging.ocpp import v16, v21, v201
from charging.ocpp.deeds import Dialect, Verb
from charging.ocpp.gateway import metrics
from charging.ocpp.gateway.admission import (
    STATUS_OF,
    Reason,
    choose_version,
    has_slow_hash,
    identity_of,
    judge,
)
from charging.ocpp.gateway.courier import Courier
from charging.ocpp.gateway.link import Link, Surroundings
from charging.ocpp.gateway.links import Links
from charging.ocpp.gateway.options import GatewayOptions
from charging.ocpp.gateway.writer import NotStored, Writer
from charging.ocpp.rpc.replay import ReplayCache
from charging.ocpp.rpc.schemas import schemas_of
from charging.ocpp.rpc.versions import Version
from charging.stations import services as stations
from charging.stations.facts import Closing, Handshake, Opening, StationCredentials
from mobility.core import clock

logger = logging.getLogger(__name__)

_DIALECTS: Final[dict[Version, Dialect]] = {
    dialect.version: dialect for dialect in (v16.DIALECT, v201.DIALECT, v21.DIALECT)
}
_REFUSALS_KEPT_PER_MIN: Final = 120
"""Anyone can knock; beyond this, refused handshakes are counted and not written down."""


class StationSocket(ServerConnection):
    """A connection that remembers what its handshake found out."""

    station: StationCredentials | None = None
    version: Version | None = None


class Gateway:
    """One process of it; ``run`` returns after ``stop`` was set and everything is committed."""

    def __init__(self, options: GatewayOptions) -> None:
        self._options = options
        self._links = Links()
        self._writer = Writer(
            batch_size=options.batch_size,
            linger_s=options.linger_s,
            patience_s=options.storage_patience_s,
        )
        self._shared = Surroundings(
            writer=self._writer,
            replay=ReplayCache(),
            seen=self._links.mark_seen,
            max_calls_per_s=options.max_calls_per_s,
        )
        self._courier = Courier(
            gateway=options.name,
            links=self._links,
            writer=self._writer,
            call_timeout_s=options.call_timeout_s,
        )
        self._refusals: set[asyncio.Task[None]] = set()
        self._refusal_minute = 0
        self._refusals_kept = 0
        self._shaking_hands = 0
        self.port = options.port

    async def run(self, *, stop: asyncio.Event, ready: asyncio.Event | None = None) -> None:
        """Serve until ``stop``.

        1. Take the port: whoever has it already keeps it and everything connected to it.
        2. Nothing is connected to a gateway that starts: free what a crash left.
        3. Serve, carry commands, flush presence.
        4. On stop close every socket with 1001, let links write their end, commit, leave.
        """
        for version in Version:
            schemas_of(version)
        server = await self._serve()
        await asyncio.to_thread(self._release)
        self._writer.start()
        tasks = [
            asyncio.create_task(work)
            for work in (self._courier.carry(), self._courier.listen(), self._keep_books())
        ]
        for task in tasks:
            task.add_done_callback(lambda task: _stop_on_failure(task, stop))
        try:
            async with server:
                await server.start_serving()
                self.port = server.sockets[0].getsockname()[1]
                logger.info("listening on %s:%s", self._options.host, self.port)
                if ready is not None:
                    ready.set()
                await stop.wait()
                server.close(code=CloseCode.GOING_AWAY, reason="gateway restarts")
        finally:
            await _cancel(tasks)
            with suppress(NotStored):
                await self._flush_seen()
            await self._writer.stop()
            await asyncio.to_thread(self._release)

    def _serve(self) -> Awaitable[Server]:
        options = self._options
        # Without context takeover a compressed connection keeps no window in memory.
        deflate = ServerPerMessageDeflateFactory(
            server_no_context_takeover=True,
            client_no_context_takeover=True,
            compress_settings={"memLevel": 5},
        )
        return serve(
            self._hold,
            options.host,
            options.port,
            process_request=self._shake_hands,
            select_subprotocol=_select_subprotocol,
            compression=None,
            extensions=[deflate],
            server_header=None,
            ping_interval=options.ping_interval_s,
            ping_timeout=options.ping_timeout_s,
            close_timeout=2,
            max_size=options.max_frame_bytes,
            create_connection=StationSocket,
            backlog=4096,
            start_serving=False,
        )

    async def _shake_hands(self, socket: ServerConnection, request: Request) -> Response | None:
        """Find the station and judge the handshake; a refusal is recorded with its reason."""
        if "Upgrade" not in request.headers:
            return None
        if self._shaking_hands >= self._options.max_handshakes:
            metrics.HANDSHAKES_REFUSED.labels(reason=Reason.BUSY).inc()
            return socket.respond(STATUS_OF[Reason.BUSY], "Busy, try again later.\n")
        self._shaking_hands += 1
        try:
            return await self._admit(socket, request)
        finally:
            self._shaking_hands -= 1

    async def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        if not isinstance(socket, StationSocket):
            raise TypeError(socket)
        identity = identity_of(request.path)
        try:
            station = await self._writer.do(Verb.FIND, identity) if identity else None
        except NotStored:
            return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later.\n")
        reason = await self._judge(station, socket, request)
        if reason is None:
            socket.station = station
            return None
        self._refuse(socket, request, reason)
        response = socket.respond(STATUS_OF[reason], f"{reason}\n")
        if STATUS_OF[reason] is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Basic realm="ocpp", charset="UTF-8"'
        return response

    async def _judge(
        self,
        station: StationCredentials | None,
        socket: StationSocket,
        request: Request,
    ) -> Reason | None:
        header = request.headers.get("Authorization")
        encrypted = self._is_encrypted(socket, request)
        if station is not None and has_slow_hash(station):
            # Ten milliseconds of hashing would hold up every other station.
            return await asyncio.to_thread(judge, station, header=header, encrypted=encrypted)
        return judge(station, header=header, encrypted=encrypted)

    def _is_encrypted(self, socket: ServerConnection, request: Request) -> bool:
        if self._options.behind_tls_proxy:
            return request.headers.get("X-Forwarded-Proto") in ("https", "wss")
        return socket.transport.get_extra_info("sslcontext") is not None

    def _refuse(self, socket: ServerConnection, request: Request, reason: Reason) -> None:
        metrics.HANDSHAKES_REFUSED.labels(reason=reason).inc()
        if not self._may_keep_refusal():
            return
        peer = socket.remote_address
        handshake = Handshake(
            identity=identity_of(request.path) or "",
            path=request.path,
            reason=reason,
            remote=str(peer[0]) if peer else "",
        )
        task = asyncio.create_task(self._record_refusal(handshake))
        self._refusals.add(task)
        task.add_done_callback(self._refusals.discard)

    def _may_keep_refusal(self) -> bool:
        minute = int(asyncio.get_running_loop().time() / 60)
        if minute != self._refusal_minute:
            self._refusal_minute, self._refusals_kept = minute, 0
        self._refusals_kept += 1
        return self._refusals_kept <= _REFUSALS_KEPT_PER_MIN

    async def _record_refusal(self, handshake: Handshake) -> None:
        with suppress(NotStored):
            await self._writer.do(Verb.REFUSED, handshake)

    async def _hold(self, socket: ServerConnection) -> None:
        """The life of a connection that was let in."""
        if not isinstance(socket, StationSocket) or socket.station is None:
            raise TypeError(socket)
        if socket.version is None:
            # The standard: complete the handshake without a subprotocol, then close at once.
            if socket.request is not None:
                self._refuse(socket, socket.request, Reason.NO_SUBPROTOCOL)
            await socket.close(CloseCode.PROTOCOL_ERROR, "no common subprotocol")
            return
        station, version = socket.station, socket.version
        opening = Opening(
            station_id=station.station_id,
            ocpp_version=version,
            gateway=self._options.name,
        )
        try:
            epoch = await self._writer.do(Verb.OPEN, opening)
        except NotStored:
            await socket.close(CloseCode.TRY_AGAIN_LATER)
            return
        # What a station asked over another socket is a new question now, whatever its id.
        self._shared.replay.forget_questions(station_id=station.station_id)
        link = Link(
            socket,
            credentials=station,
            epoch=epoch,
            dialect=_DIALECTS[version],
            shared=self._shared,
        )
        await self._live(link)

    async def _live(self, link: Link) -> None:
        logger.info("%s connected, %s, epoch %s", link.identity, link.dialect.version, link.epoch)
        try:
            if self._links.add(link):
                await link.run()
        finally:
            logger.info("%s disconnected, epoch %s", link.identity, link.epoch)
            self._links.remove(link)
            closing = Closing(station_id=link.station_id, epoch=link.epoch)
            with suppress(NotStored):
                await self._writer.do(Verb.CLOSE, closing)

    async def _keep_books(self) -> None:
        """Every few seconds: who was heard, and whose connection is still ours."""
        while True:
            await asyncio.sleep(self._options.books_every_s)
            with suppress(NotStored):
                await self._flush_seen()
                held = await self._writer.do(Verb.HELD, self._options.name)
                for closing in self._links.reconcile(held):
                    await self._writer.do(Verb.CLOSE, closing)

    async def _flush_seen(self) -> None:
        seen = self._links.take_seen()
        if seen:
            await self._writer.do(Verb.SEEN, seen)

    def _release(self) -> None:
        try:
            stations.release_gateway(gateway=self._options.name, at=clock.now())
        finally:
            database.close()


def _select_subprotocol(
    socket: ServerConnection,
    offered: Sequence[Subprotocol],
) -> Subprotocol | None:
    if not isinstance(socket, StationSocket) or socket.station is None:
        return None
    socket.version = choose_version(offered=offered, allowed=socket.station.ocpp_versions)
    return Subprotocol(socket.version) if socket.version is not None else None


def _stop_on_failure(task: asyncio.Task[Any], stop: asyncio.Event) -> None:
    """Half a gateway is worse than none: its supervisor starts a whole one."""
    if not task.cancelled() and task.exception() is not None:
        logger.critical("a part of the gateway failed", exc_info=task.exception())
        stop.set()


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def serve_until_signal(options: GatewayOptions) -> None:
    """Run a gateway in the foreground until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Gateway(options).run(stop=stop)
