"""What a socket remembers of its handshake, and those that have not begun theirs."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers

from charging.ocpp.gateway import metrics
from charging.ocpp.rpc.versions import Version
from charging.stations.facts import ClientCertificate, StationCredentials

_NO_HEADERS: Final = Headers()
MOST_PATH: Final = 2_000
"""Characters of an address that are remembered; nobody's identity is longer."""


class Silent:
    """Connections that have not said anything yet: of too many, the one that is silent longest goes.

    A station speaks at once. Who only opens connections must not use up all that the process may have.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._sockets: dict[StationSocket, None] = {}

    def add(self, socket: StationSocket) -> None:
        """One more; the oldest makes room."""
        self._sockets[socket] = None
        if len(self._sockets) > self._most:
            oldest = next(iter(self._sockets))
            self.remove(oldest)
            oldest.transport.abort()
            metrics.SILENT_DROPPED.inc()

    def remove(self, socket: StationSocket) -> None:
        """It spoke, or is gone."""
        self._sockets.pop(socket, None)


class StationSocket(ServerConnection):
    """A connection that remembers what its handshake found out."""

    station: StationCredentials | None = None
    version: Version | None = None
    certificate: ClientCertificate | None = None
    password_hash: str = ""
    proof: str = ""
    security_profile: int = 0
    path: str = ""

    def __init__(self, *how: Any, silent: Silent, **options: Any) -> None:
        super().__init__(*how, **options)
        self._silent = silent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there, and has said nothing."""
        super().connection_made(transport)
        self._silent.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone, whatever was said."""
        self._silent.remove(self)
        super().connection_lost(exc)

    def note_request(self) -> None:
        """It asked for something: from now on other bounds hold."""
        self._silent.remove(self)

    def forget_handshake(self) -> None:
        """Let go of the headers of both sides: kilobytes that nobody reads again."""
        for said in (self.request, self.response):
            if said is not None:
                said.headers = _NO_HEADERS
