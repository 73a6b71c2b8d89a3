"""TLS ended by the gateway itself: from version 1.2, client certificates where they are shown.

A certificate is asked for and not demanded: a station that should have shown one is refused in
the HTTP handshake, by name and with the reason. What fails before that (an old protocol, a
certificate of an authority we do not know) is told to ``failed`` with the library's word for it.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

logger = logging.getLogger(__name__)

Failed = Callable[[str], None]

_NOT_FAILED: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
# Peers that hang up or scan ports say nothing about a charger.
_NO_NEWS: Final = frozenset({"UNEXPECTED_EOF_WHILE_READING", "HTTP_REQUEST"})


class Certificate:
    """The context of a TLS port, and the files it came from."""

    def __init__(self, *, certificate: str, key: str, client_ca: str, failed: Failed) -> None:
        self._files = (Path(certificate), Path(key))
        self._client_ca = Path(client_ca) if client_ca else None
        self._read_at = _changed_at(*self._files)
        self._believed_at: tuple[int, ...] = ()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.sslobject_class = _telling(failed)
        self.context.load_cert_chain(certificate, key)
        self._believe()

    def reload(self) -> bool:
        """Take renewed files for the handshakes to come; True where there was one.

        Files that are being written or do not belong together leave everything as it is.
        """
        believed = self._believe()
        return self._renew() or believed

    def _believe(self) -> bool:
        """Believe the client certificates' authority, also one that was made after we started.

        One that is believed stays so until the process ends: stations still have its certificates.
        """
        if self._client_ca is None or not self._client_ca.exists():
            return False
        changed_at = _changed_at(self._client_ca)
        if changed_at == self._believed_at:
            return False
        try:
            self.context.load_verify_locations(self._client_ca)
        except (ssl.SSLError, OSError) as error:
            logger.warning("the authority of client certificates is not usable yet: %s", error)
            return False
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self._believed_at = changed_at
        logger.info("took the authority of client certificates")
        return True

    def _renew(self) -> bool:
        changed_at = _changed_at(*self._files)
        if changed_at == self._read_at:
            return False
        certificate, key = self._files
        try:
            # On a throw-away context first: half a pair must not get into the one in use.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
            self.context.load_cert_chain(certificate, key)
        except (ssl.SSLError, OSError) as error:
            logger.warning("the renewed certificate is not usable yet: %s", error)
            return False
        self._read_at = changed_at
        logger.info("took the renewed certificate")
        return True


def _changed_at(*files: Path) -> tuple[int, ...]:
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


def _telling(failed: Failed) -> type[ssl.SSLObject]:
    """TLS connections whose failed handshakes do not vanish."""

    class Telling(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except _NOT_FAILED:
                raise
            except ssl.SSLError as error:
                if error.reason not in _NO_NEWS:
                    failed(_reason(error))
                raise

    return Telling


def _reason(error: ssl.SSLError) -> str:
    detail: Any = getattr(error, "verify_message", "")
    return f"{error.reason or 'TLS'}: {detail}" if detail else str(error.reason or error)
