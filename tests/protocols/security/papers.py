"""Keys, certificates and requests as stations and their makers have them."""

from __future__ import annotations

import select
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from charging.certificates.authority import Authority
from charging.certificates.rules import new_authority, pem_of

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def name(common: str, *, serial: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if serial:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial))
    return x509.Name(parts)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def csr(common: str, key: Key, *, serial: str = "") -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(name(common, serial=serial))
    signed = builder.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def authority(common: str = "Test authority") -> Authority:
    key, now = ec_key(), datetime.now(UTC)
    return Authority(new_authority(name=common, key=key, at=now, life=timedelta(days=10)), key)


def server_files(folder: Path, common: str = "gateway") -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key, now = ec_key(), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name(common))
        .issuer_name(name(common))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=10))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_text(pem_of(certificate))
    (folder / "server.key").write_bytes(private(key))
    return folder / "server.pem", folder / "server.key"


def private(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class OneThreadAtATime(ssl.SSLSocket):
    """A TLS socket whose reader and writer take turns.

    The synchronous websocket reads in a thread of its own while another one writes; OpenSSL allows
    one thread in a connection, and without turns one handshake in some hundreds is never answered.
    """

    _turn: threading.Lock

    def __new__(cls, *args: Any, **options: Any) -> Self:
        new = super().__new__(cls, *args, **options)
        new._turn = threading.Lock()
        return new

    def send(self, data: Any, flags: int = 0) -> int:
        with self._turn:
            return super().send(data, flags)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """As ever, but waits outside of the connection."""
        while True:
            timeout = self.gettimeout()
            if not self.pending() and not select.select([self], [], [], timeout)[0]:
                raise TimeoutError
            with self._turn:
                self.settimeout(0)
                try:
                    return super().recv(buflen, flags)
                except ssl.SSLWantReadError:
                    continue
                finally:
                    self.settimeout(timeout)


def client(
    folder: Path,
    *,
    signer: Authority | None = None,
    common: str = "",
    serial: str = "",
) -> ssl.SSLContext:
    """A station's TLS, with a certificate of ``signer`` where one is named. Trusts any server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = OneThreadAtATime
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if signer is not None:
        key = ec_key()
        request = x509.load_pem_x509_csr(csr(common, key, serial=serial).encode())
        certificate = signer.sign(request, at=datetime.now(UTC))
        present(context, folder, key, pem_of(certificate))
    return context


def present(context: ssl.SSLContext, folder: Path, key: Key, chain: str) -> None:
    """Let the station show this certificate."""
    (folder / "client.pem").write_text(chain)
    (folder / "client.key").write_bytes(private(key))
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
