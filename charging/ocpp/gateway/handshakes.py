"""The door: who is let in at the handshake, and how everybody else is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from charging.ocpp.deeds import Verb
from charging.ocpp.gateway import metrics
from charging.ocpp.gateway.admission import (
    STATUS_OF,
    Reason,
    certificate_of,
    certificate_of_proxy,
    choose_version,
    has_slow_hash,
    identity_of,
    judge,
    matched_hash,
    proven_profile,
)
from charging.ocpp.gateway.options import GatewayOptions
from charging.ocpp.gateway.sockets import MOST_PATH, StationSocket
from charging.ocpp.gateway.writer import NotStored, Writer
from charging.stations.facts import ClientCertificate, Handshake, StationCredentials

_REFUSALS_KEPT_PER_MIN: Final = 120
"""Anyone can knock; beyond this, refused handshakes are counted and not written down."""


class Door:
    """The handshakes of one gateway, those on the way and those refused."""

    def __init__(self, *, options: GatewayOptions, writer: Writer) -> None:
        self._options = options
        self._writer = writer
        self._background: set[asyncio.Task[None]] = set()
        self._refusal_minute = 0
        self._refusals_kept = 0
        self._open = 0

    async def shake_hands(self, socket: ServerConnection, request: Request) -> Response | None:
        """Find the station and judge the handshake; a refusal is recorded with its reason."""
        if not isinstance(socket, StationSocket):
            raise TypeError(socket)
        socket.note_request()
        if "Upgrade" not in request.headers:
            return None
        if self._open >= self._options.max_handshakes:
            metrics.HANDSHAKES_REFUSED.labels(reason=Reason.BUSY).inc()
            return socket.respond(STATUS_OF[Reason.BUSY], "Busy, try again later.\n")
        self._open += 1
        try:
            return await self._admit(socket, request)
        finally:
            self._open -= 1

    async def _admit(self, socket: StationSocket, request: Request) -> Response | None:
        identity = identity_of(request.path)
        # Without a query: some stations put their password there.
        socket.path = request.path.partition("?")[0][:MOST_PATH]
        try:
            station = await self._writer.do(Verb.FIND, identity) if identity else None
        except NotStored:
            return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later.\n")
        reason = await self._judge(station, socket, request)
        if reason is None:
            socket.station = station
            return None
        self.refuse(socket, reason)
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
        socket.certificate = self._certificate_of(socket, request)
        work = partial(_judge, station, socket, header, encrypted)
        if station is not None and has_slow_hash(station):
            # Ten milliseconds of hashing would hold up every other station.
            return await asyncio.to_thread(work)
        return work()

    def _is_encrypted(self, socket: ServerConnection, request: Request) -> bool:
        if socket.transport.get_extra_info("sslcontext") is not None:
            return True
        proxied = request.headers.get("X-Forwarded-Proto") in ("https", "wss")
        return self._options.behind_tls_proxy and proxied

    def _certificate_of(
        self,
        socket: ServerConnection,
        request: Request,
    ) -> ClientCertificate | None:
        tls = socket.transport.get_extra_info("ssl_object")
        if tls is not None:
            return certificate_of(tls.getpeercert())
        believed = self._options.behind_tls_proxy and self._options.proxy_certificates
        return certificate_of_proxy(request.headers) if believed else None

    def refuse(self, socket: StationSocket, reason: Reason) -> None:
        peer = socket.remote_address
        self._note_refusal(
            reason,
            identity=identity_of(socket.path) or "",
            path=socket.path,
            remote=str(peer[0]) if peer else "",
        )

    def note_tls_failure(self, detail: str) -> None:
        """No name was said yet; the library's word has to do."""
        self._note_refusal(Reason.TLS_FAILED, detail=detail)

    def _note_refusal(self, reason: Reason, **what: str) -> None:
        metrics.HANDSHAKES_REFUSED.labels(reason=reason).inc()
        if not self._may_keep_refusal():
            return
        handshake = Handshake(
            **{"identity": "", "path": "", "remote": "", "detail": "", **what, "reason": reason},
        )
        self._in_background(self._record_refusal(handshake))

    def turn_out(self, socket: StationSocket, reason: Reason) -> None:
        """End a connection whose boot gave it away, as if its handshake had been refused."""
        self.refuse(socket, reason)
        self._in_background(socket.close(CloseCode.POLICY_VIOLATION, reason))

    def _may_keep_refusal(self) -> bool:
        minute = int(asyncio.get_running_loop().time() / 60)
        if minute != self._refusal_minute:
            self._refusal_minute, self._refusals_kept = minute, 0
        self._refusals_kept += 1
        return self._refusals_kept <= _REFUSALS_KEPT_PER_MIN

    async def _record_refusal(self, handshake: Handshake) -> None:
        with suppress(NotStored):
            await self._writer.do(Verb.REFUSED, handshake)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def select_subprotocol(
    socket: ServerConnection,
    offered: Sequence[Subprotocol],
) -> Subprotocol | None:
    if not isinstance(socket, StationSocket) or socket.station is None:
        return None
    socket.version = choose_version(offered=offered, allowed=socket.station.ocpp_versions)
    return Subprotocol(socket.version) if socket.version is not None else None


def _judge(
    station: StationCredentials | None,
    socket: StationSocket,
    header: str | None,
    encrypted: bool,  # noqa: FBT001 — called by position from a partial
) -> Reason | None:
    """Judge a handshake and note on the socket what an accepted one settles."""
    shown = socket.certificate
    reason = judge(station, header=header, encrypted=encrypted, certificate=shown)
    if reason is not None or station is None:
        return reason
    socket.password_hash = matched_hash(station, header)
    if header is not None and shown is None:
        # Of one hash only that one can have matched.
        socket.proof = socket.password_hash or next(iter(station.password_hashes), "")
    if station.next_security_profile is not None:
        socket.security_profile = proven_profile(
            station, header=header, encrypted=encrypted, certificate=shown
        )
    return None
