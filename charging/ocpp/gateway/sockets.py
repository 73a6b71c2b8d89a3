"""What a socket remembers of its handshake."""

from __future__ import annotations

from typing import Final

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers

from charging.ocpp.rpc.versions import Version
from charging.stations.facts import ClientCertificate, StationCredentials

_NO_HEADERS: Final = Headers()
MOST_PATH: Final = 2_000
"""Characters of an address that are remembered; nobody's identity is longer."""


class StationSocket(ServerConnection):
    """A connection that remembers what its handshake found out."""

    station: StationCredentials | None = None
    version: Version | None = None
    certificate: ClientCertificate | None = None
    password_hash: str = ""
    proof: str = ""
    security_profile: int = 0
    path: str = ""

    def forget_handshake(self) -> None:
        """Let go of the headers of both sides: kilobytes that nobody reads again."""
        for said in (self.request, self.response):
            if said is not None:
                said.headers = _NO_HEADERS
