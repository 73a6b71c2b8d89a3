"""What an operator of the gateway may set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """Addresses, limits and patience of one gateway process."""

    name: str
    """Under this name the database knows which sockets are here; one process, one name."""
    host: str = "127.0.0.1"
    port: int = 9000
    behind_tls_proxy: bool = False
    """Believe ``X-Forwarded-Proto``: a proxy of ours ends TLS in front of this port."""
    proxy_certificates: bool = False
    """Believe ``X-Client-Cert-…`` too: nobody but that proxy can reach this port."""
    tls_port: int | None = None
    """A second port where the gateway itself ends TLS; None: no such port."""
    certificate: str = ""
    """Files in PEM: the certificate with its chain, and its key; read again when they change."""
    key: str = ""
    client_ca: str = ""
    """Whose client certificates are believed (security profile 3); may come later. Empty: nobody's."""
    ping_interval_s: float = 20.0
    ping_timeout_s: float = 20.0
    call_timeout_s: float = 30.0
    """How long a station may think about a command of ours."""
    storage_patience_s: float = 25.0
    """How long a deed waits for a database that is away; below the usual call time-out of 30 s."""
    max_frame_bytes: int = 256 * 1024
    record_frames_every_s: float = 1.0
    """How often the log of frames is written; 0: there is none."""
    max_errands: int = 16
    """Stations that may wait for a contract hub or an OCSP responder at the same time."""
    max_calls_per_s: int = 500
    """Per station; a faster one is read more slowly, the others do not notice. Each 8 KB more of a
    frame count as another call."""
    handshake_patience_s: float = 30.0
    """How long a handshake may take; above ``storage_patience_s``, so that a database which is away
    is told (503) and no station is left without an answer."""
    max_handshakes: int = 2000
    """Handshakes at the same time; beyond, a station hears 503 and tries again later."""
    max_silent: int = 10_000
    """Connections that have not said anything yet, at each port; of more, the oldest goes. Above what
    the system hands over at once when all stations come back (``backlog``)."""
    batch_size: int = 256
    linger_s: float = 0.004
    """How long the writer waits for company before it commits."""
    books_every_s: float = 10.0
    """How often presence is written and the ownership of connections compared."""
