"""The listening socket, the handshakes, the life of a connection, start and stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any, Final, cast

from django.db import OperationalError
from django.db import connection as database
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import CloseCode

from charging.frames import services as frames
from charging.ocpp import v16, v21, v201
from charging.ocpp.deeds import Dialect, Verb
from charging.ocpp.gateway.admission import Reason
from charging.ocpp.gateway.answers import Surroundings
from charging.ocpp.gateway.courier import Courier
from charging.ocpp.gateway.handshakes import Door, select_subprotocol
from charging.ocpp.gateway.link import Link
from charging.ocpp.gateway.links import Links
from charging.ocpp.gateway.options import GatewayOptions
from charging.ocpp.gateway.recorder import Recorder
from charging.ocpp.gateway.sockets import Silent, StationSocket
from charging.ocpp.gateway.tls import Certificate
from charging.ocpp.gateway.writer import NotStored, Writer
from charging.ocpp.rpc.replay import ReplayCache
from charging.ocpp.rpc.schemas import schemas_of
from charging.ocpp.rpc.versions import Version
from charging.stations import services as stations
from charging.stations.facts import (
    Closing,
    Opening,
)
from mobility.core import clock

logger = logging.getLogger(__name__)

_DIALECTS: Final[dict[Version, Dialect]] = {
    dialect.version: dialect for dialect in (v16.DIALECT, v201.DIALECT, v21.DIALECT)
}


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
        self._door = Door(options=options, writer=self._writer)
        self._errands = ThreadPoolExecutor(options.max_errands, thread_name_prefix="ocpp-errand")
        self._recorder = Recorder(self._writer, logs=options.record_frames_every_s > 0)
        self._shared = Surroundings(
            writer=self._writer,
            replay=ReplayCache(),
            seen=self._links.mark_seen,
            max_calls_per_s=options.max_calls_per_s,
            recorder=self._recorder,
            refuse=self._door.turn_out,
            errands=self._errands,
        )
        self._look_again = asyncio.Event()
        self._certificate: Certificate | None = None
        self.tls_port = options.tls_port
        self._courier = Courier(
            gateway=options.name,
            links=self._links,
            writer=self._writer,
            call_timeout_s=options.call_timeout_s,
            turned_out=self._look_again.set,
        )
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
        servers = await self._serve_all()
        await asyncio.to_thread(self._prepare)
        self._writer.start()
        with suppress(NotStored):
            await self._recorder.learn()
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._courier.carry(),
                self._courier.listen(),
                self._keep_books(),
                self._keep_log(),
            )
        ]
        for task in tasks:
            task.add_done_callback(lambda task: _stop_on_failure(task, stop))
        try:
            async with AsyncExitStack() as listening:
                for server in servers:
                    await listening.enter_async_context(server)
                    await server.start_serving()
                self._note_ports(servers)
                if ready is not None:
                    ready.set()
                await stop.wait()
                for server in servers:
                    server.close(code=CloseCode.GOING_AWAY, reason="gateway restarts")
        finally:
            await _cancel(tasks)
            with suppress(NotStored):
                await self._flush_seen()
                await self._recorder.flush()
            self._errands.shutdown(wait=False, cancel_futures=True)
            await self._writer.stop()
            await asyncio.to_thread(self._release)

    def _note_ports(self, servers: Sequence[Server]) -> None:
        """Port 0 means any; who asked wants to know which."""
        ports = [server.sockets[0].getsockname()[1] for server in servers]
        self.port = ports[0]
        if len(ports) > 1:
            self.tls_port = ports[1]
        logger.info("listening on %s, ports %s", self._options.host, ports)

    async def _serve_all(self) -> list[Server]:
        options = self._options
        servers = [await self._serve(options.port, None)]
        if options.tls_port is not None:
            self._certificate = await asyncio.to_thread(
                Certificate,
                certificate=options.certificate,
                key=options.key,
                client_ca=options.client_ca,
                failed=self._door.note_tls_failure,
            )
            servers.append(await self._serve(options.tls_port, self._certificate.context))
        return servers

    def _serve(self, port: int, tls: ssl.SSLContext | None) -> Awaitable[Server]:
        options = self._options
        # Without context takeover a compressed connection keeps no window in memory.
        deflate = ServerPerMessageDeflateFactory(
            server_no_context_takeover=True,
            client_no_context_takeover=True,
            compress_settings={"memLevel": 5},
        )
        station_socket = partial(StationSocket, silent=Silent(options.max_silent))
        return serve(
            self._hold,
            options.host,
            port,
            ssl=tls,
            process_request=self._door.shake_hands,
            select_subprotocol=select_subprotocol,
            compression=None,
            extensions=[deflate],
            server_header=None,
            open_timeout=options.handshake_patience_s,
            ping_interval=options.ping_interval_s,
            ping_timeout=options.ping_timeout_s,
            close_timeout=2,
            max_size=options.max_frame_bytes,
            # A wrapper will do, says its documentation, but not its type.
            create_connection=cast("type[StationSocket]", station_socket),
            backlog=4096,
            start_serving=False,
        )

    async def _hold(self, socket: ServerConnection) -> None:
        """The life of a connection that was let in."""
        if not isinstance(socket, StationSocket) or socket.station is None:
            raise TypeError(socket)
        if socket.version is None:
            # The standard: complete the handshake without a subprotocol, then close at once.
            self._door.refuse(socket, Reason.NO_SUBPROTOCOL)
            await socket.close(CloseCode.PROTOCOL_ERROR, "no common subprotocol")
            return
        station, version = socket.station, socket.version
        opening = Opening(
            station_id=station.station_id,
            ocpp_version=version,
            gateway=self._options.name,
            password_hash=socket.password_hash,
            security_profile=socket.security_profile,
            certificate=socket.certificate.serial if socket.certificate else "",
            proof=socket.proof,
        )
        try:
            epoch = await self._writer.do(Verb.OPEN, opening)
        except NotStored:
            await socket.close(CloseCode.TRY_AGAIN_LATER)
            return
        if epoch is None:
            # Revoked between the look at its record and now; the next handshake says what is wrong.
            await socket.close(CloseCode.POLICY_VIOLATION, "no longer valid")
            return
        socket.forget_handshake()
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
        """Every few seconds, and when somebody was turned out: who was heard, who is still ours."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._options.books_every_s):
                    await self._look_again.wait()
            self._look_again.clear()
            with suppress(NotStored):
                await self._flush_seen()
                held = await self._writer.do(Verb.HELD, self._options.name)
                for closing in self._links.reconcile(held):
                    await self._writer.do(Verb.CLOSE, closing)
                await self._recorder.learn()
            if self._certificate is not None:
                await asyncio.to_thread(self._certificate.reload)

    async def _keep_log(self) -> None:
        """Write the log of frames and the counters beside it; they may wait, nobody else does."""
        while True:
            await asyncio.sleep(self._options.record_frames_every_s or 1.0)
            try:
                await self._recorder.flush()
            except NotStored:
                logger.warning("the log of frames waits for the database")

    async def _flush_seen(self) -> None:
        seen = self._links.take_seen()
        if seen:
            await self._writer.do(Verb.SEEN, seen)

    def _prepare(self) -> None:
        """Free what a crash left; a log without today's partition is kept all the same."""
        try:
            stations.release_gateway(gateway=self._options.name, at=clock.now())
            with suppress(OperationalError):
                frames.ensure_partitions(at=clock.now())
        finally:
            database.close()

    def _release(self) -> None:
        try:
            stations.release_gateway(gateway=self._options.name, at=clock.now())
        finally:
            database.close()


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
