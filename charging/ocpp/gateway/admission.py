"""Who may connect, and in which version. Pure: the station's record is passed in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import unquote

from charging.ocpp.rpc.versions import Version
from charging.stations.facts import StationCredentials
from charging.stations.rules import password_matches

TLS_PROFILE = 2
"""From this security profile on the station's transport must be encrypted."""


class Reason(StrEnum):
    """Why a handshake was refused; what staff see."""

    UNKNOWN_IDENTITY = "unknown_identity"
    NO_CREDENTIALS = "no_credentials"
    WRONG_USER = "wrong_user"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 — a word, not a password
    TLS_REQUIRED = "tls_required"
    NO_SUBPROTOCOL = "no_subprotocol"
    BUSY = "busy"


STATUS_OF = {
    Reason.UNKNOWN_IDENTITY: HTTPStatus.NOT_FOUND,
    Reason.NO_CREDENTIALS: HTTPStatus.UNAUTHORIZED,
    Reason.WRONG_USER: HTTPStatus.UNAUTHORIZED,
    Reason.WRONG_PASSWORD: HTTPStatus.UNAUTHORIZED,
    Reason.TLS_REQUIRED: HTTPStatus.FORBIDDEN,
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
) -> Reason | None:
    """Why this handshake is refused, or None.

    1. The station must be known.
    2. Profile 2 and 3 stations must come encrypted; there is no way down.
    3. Basic user = identity and password = secret; profile 0 may leave the header out.
    """
    if station is None:
        return Reason.UNKNOWN_IDENTITY
    if station.security_profile >= TLS_PROFILE and not encrypted:
        return Reason.TLS_REQUIRED
    if station.security_profile == 0 and (header is None or not station.password_hashes):
        return None
    return _judge_credentials(station, header)


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
