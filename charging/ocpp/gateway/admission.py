"""Who may connect, and in which version. Pure: the station's record is passed in."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from charging.ocpp.rpc.versions import Version
from charging.stations.facts import ClientCertificate, StationCredentials
from charging.stations.rules import matching_hash, password_matches

TLS_PROFILE = 2
"""From this security profile on the station's transport must be encrypted."""
CERTIFICATE_PROFILE = 3
"""The station shows a certificate instead of a password."""

# RFC 2253: what separates the parts of a subject may stand in a value too, behind a backslash.
_PARTS: Final = re.compile(r"(?:\\.|[^\\,+])+", re.DOTALL)
_ESCAPED: Final = re.compile(rb"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)


class Reason(StrEnum):
    """Why a handshake was refused; what staff see."""

    UNKNOWN_IDENTITY = "unknown_identity"
    NO_CREDENTIALS = "no_credentials"
    WRONG_USER = "wrong_user"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 — a word, not a password
    TLS_REQUIRED = "tls_required"
    TLS_FAILED = "tls_failed"
    NO_CERTIFICATE = "no_certificate"
    WRONG_CERTIFICATE = "wrong_certificate"
    REVOKED_CERTIFICATE = "revoked_certificate"
    WRONG_SERIAL = "wrong_serial"
    NO_SUBPROTOCOL = "no_subprotocol"
    BUSY = "busy"


STATUS_OF = {
    Reason.UNKNOWN_IDENTITY: HTTPStatus.NOT_FOUND,
    Reason.NO_CREDENTIALS: HTTPStatus.UNAUTHORIZED,
    Reason.WRONG_USER: HTTPStatus.UNAUTHORIZED,
    Reason.WRONG_PASSWORD: HTTPStatus.UNAUTHORIZED,
    Reason.TLS_REQUIRED: HTTPStatus.FORBIDDEN,
    Reason.NO_CERTIFICATE: HTTPStatus.FORBIDDEN,
    Reason.WRONG_CERTIFICATE: HTTPStatus.FORBIDDEN,
    Reason.REVOKED_CERTIFICATE: HTTPStatus.FORBIDDEN,
    Reason.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """User and password of an Authorization header; the password may be raw bytes."""

    user: str
    password: bytes


def identity_of(path: str) -> str | None:
    """The station's identity: the last segment of the path, percent-decoded exactly once.

    Whatever stands before it does not matter (stations append their identity to a configured
    URL, with or without a slash too many). None where there is none, or no valid UTF-8.
    """
    segment = path.partition("?")[0].rstrip("/").rpartition("/")[2]
    try:
        identity = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        return None
    return identity if identity and "\x00" not in identity else None


def basic_credentials(header: str | None) -> BasicCredentials | None:
    """What a Basic Authorization header carries; None for anything else."""
    scheme, _, encoded = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return BasicCredentials(user.decode(), password) if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def judge(
    station: StationCredentials | None,
    *,
    header: str | None,
    encrypted: bool,
    certificate: ClientCertificate | None = None,
) -> Reason | None:
    """Why this handshake is refused, or None.

    1. The station must be known.
    2. Profile 2 and 3 stations must come encrypted; there is no way down.
    3. Profile 3: a client certificate that is this station's.
    4. Else Basic user = identity and password = secret; profile 0 may leave the header out. A
       station that was told to go to profile 3 may come with its certificate already.
    """
    if station is None:
        return Reason.UNKNOWN_IDENTITY
    if station.security_profile >= TLS_PROFILE and not encrypted:
        return Reason.TLS_REQUIRED
    if station.security_profile == CERTIFICATE_PROFILE:
        return _judge_certificate(station, certificate)
    if station.next_security_profile == CERTIFICATE_PROFILE and certificate is not None:
        return _judge_certificate(station, certificate)
    if station.security_profile == 0 and (header is None or not station.password_hashes):
        return None
    return _judge_credentials(station, header)


def proven_profile(
    station: StationCredentials,
    *,
    header: str | None,
    encrypted: bool,
    certificate: ClientCertificate | None = None,
) -> int:
    """The highest security profile that an accepted handshake proves."""
    if encrypted and certificate and _judge_certificate(station, certificate) is None:
        return CERTIFICATE_PROFILE
    if header is None or _judge_credentials(station, header) is not None:
        return 0
    return TLS_PROFILE if encrypted else 1


def matched_hash(station: StationCredentials, header: str | None) -> str:
    """Which of two stored hashes the password was behind; empty where there is nothing to settle."""
    given = basic_credentials(header)
    if given is None or len(station.password_hashes) < 2:
        return ""
    return matching_hash(password=given.password, hashes=station.password_hashes) or ""


def certificate_of(peer: Mapping[str, Any] | None) -> ClientCertificate | None:
    """The verified client certificate of a TLS socket, from what ``getpeercert`` says."""
    if not peer:
        return None
    subject = [pair for pairs in peer.get("subject", ()) for pair in pairs]
    return ClientCertificate(
        common_name=_only(subject, "commonName"),
        serial=certificate_serial(peer.get("serialNumber", "")),
        hardware_serial=_only(subject, "serialNumber"),
    )


def certificate_of_proxy(headers: Mapping[str, str]) -> ClientCertificate | None:
    """The client certificate that a TLS proxy of ours verified: RFC 2253 subject and serial."""
    if headers.get("X-Client-Cert-Verify") != "SUCCESS":
        return None
    subject = _subject(headers.get("X-Client-Cert-Subject", ""))
    return ClientCertificate(
        common_name=_only(subject, "CN"),
        serial=certificate_serial(headers.get("X-Client-Cert-Serial", "")),
        hardware_serial=_only(subject, "serialNumber"),
    )


def _subject(text: str) -> list[tuple[str, str]]:
    """The names and values of an RFC 2253 subject.

    The owner of a certificate chose its values: a comma within one must not begin another name.
    """
    pairs = (part.partition("=") for part in _PARTS.findall(text))
    return [(name.strip(), _unescaped(value.strip())) for name, _, value in pairs]


def _unescaped(value: str) -> str:
    def meant(found: re.Match[bytes]) -> bytes:
        return found[1] if len(found[1]) == 1 else bytes.fromhex(found[1].decode())

    return _ESCAPED.sub(meant, value.encode()).decode(errors="replace")


def _only(subject: Iterable[tuple[str, str]], name: str) -> str:
    """The value of a name that stands there once; of several none can be believed."""
    found = [value for known, value in subject if known == name]
    return found[0] if len(found) == 1 else ""


def certificate_serial(text: str) -> str:
    """A certificate's serial number as we compare it: hexadecimal, lower case, no zeros ahead."""
    return text.replace(":", "").lower().lstrip("0")


def serial_fits(certificate: ClientCertificate, *, identity: str, serial: str) -> bool:
    """Whether a boot's serial number is the certificate's (2.0.1 B01.FR.11).

    The certificate names the hardware by its subject's serialNumber, or by a common name that
    is not the identity. One that names only the identity says nothing of the hardware.
    """
    if certificate.hardware_serial:
        return certificate.hardware_serial == serial
    return certificate.common_name in (identity, serial)


def _judge_certificate(
    station: StationCredentials,
    certificate: ClientCertificate | None,
) -> Reason | None:
    if certificate is None:
        return Reason.NO_CERTIFICATE
    names = {station.identity} if station.serial_is_taken else {station.identity, station.serial}
    if certificate.common_name not in names - {""}:
        return Reason.WRONG_CERTIFICATE
    if certificate.serial in station.revoked_certificates:
        return Reason.REVOKED_CERTIFICATE
    return None


def _judge_credentials(station: StationCredentials, header: str | None) -> Reason | None:
    given = basic_credentials(header)
    if given is None:
        return Reason.NO_CREDENTIALS
    if given.user != station.identity:
        return Reason.WRONG_USER
    if not password_matches(password=given.password, hashes=station.password_hashes):
        return Reason.WRONG_PASSWORD
    return None


def has_slow_hash(station: StationCredentials) -> bool:
    """Whether checking this station's password costs real time: short passwords are stretched."""
    return any(not stored.startswith("sha256$") for stored in station.password_hashes)


def choose_version(*, offered: Sequence[str], allowed: Sequence[str]) -> Version | None:
    """The first the station offers that its record allows and we speak."""
    spoken = {version.value for version in Version}
    for name in offered:
        if name in spoken and name in allowed:
            return Version(name)
    return None
