"""Our own certificate authority: two files in a private folder, made at first need.

Whoever has the key can be any station, so only the workers that sign need the folder; the gateway
needs the certificate alone (`run_ocpp --client-ca`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import transaction

from charging.certificates.rules import new_authority, pem_of, sign_request
from mobility.core import locks

NAME: Final = "Charging stations"
REVOCATIONS_PATH: Final = "/api/v1/charging/authority/revoked.crl"
_LIFE: Final = timedelta(days=3650)
_KEY_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that signs, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def sign(self, request: x509.CertificateSigningRequest, *, at: datetime) -> x509.Certificate:
        """A client certificate for the request."""
        return sign_request(
            request,
            issuer=self.certificate,
            key=self.key,
            at=at,
            revocations_url=f"{settings.PUBLIC_URL}{REVOCATIONS_PATH}",
        )


def certificate_file() -> Path:
    """Where the certificate of the authority lies."""
    return Path(settings.OCPP_CA_DIR) / "ca.pem"


@transaction.atomic
def ensure_authority(*, at: datetime) -> Authority:
    """The authority, made if there is none; of two who make it at once one waits.

    Raises OSError where the folder cannot be written, ValueError where its files are none of ours.
    """
    folder = Path(settings.OCPP_CA_DIR)
    if not certificate_file().exists():
        locks.advisory("charging.certificates.authority")
        if not certificate_file().exists():
            _make(folder, at=at)
    return _read(folder)


def _read(folder: Path) -> Authority:
    key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key of the charging authority is no EC key")
    return Authority(x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()), key)


def _make(folder: Path, *, at: datetime) -> None:
    """The key first and for its owner only; the certificate last, since it says all is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(folder / "ca.key", private)
    certificate = new_authority(name=NAME, key=key, at=at, life=_LIFE)
    _write(folder / "ca.pem", pem_of(certificate).encode())


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _KEY_MODE), "wb") as file:  # noqa: PTH123 — only this way the mode is there from the first byte
        file.write(content)
    draft.replace(path)
