"""Pure rules of stations: what status words mean, whether a password opens the door."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from charging.stations.states import ConnectorStatus

# A connector's changes that others are told of within a minute; a busy one has a few.
MOST_TOLD: Final = 30
TOLD_WITHIN: Final = timedelta(minutes=1)

# OCPP 1.6 §7.7 ChargePointStatus: five words that 2.0.1 folds into "Occupied".
_OCCUPIED: Final = frozenset(
    {"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"},
)
# A secret of our own making or of the length OCPP asks for needs no slow hash: chargers come
# back by the thousand after an outage, and hashing must not be what holds them up.
_LONG_ENOUGH: Final = 16
_SLOW_ROUNDS: Final = 20_000


def connector_status(word: str) -> tuple[ConnectorStatus, str]:
    """The status in OCPP 2.0.1's words, and the word as sent where it says more.

    Words no version knows give ``Unknown`` with the word as detail.
    """
    if word in _OCCUPIED:
        return ConnectorStatus.OCCUPIED, word
    if word in ConnectorStatus.values:
        return ConnectorStatus(word), ""
    return ConnectorStatus.UNKNOWN, word[:20]


def telling(*, since: datetime | None, times: int, at: datetime) -> tuple[bool, datetime, int]:
    """Whether a change at `at` may be told of at once; and since when how often that makes.

    `since` and `times` are what was counted before: `MOST_TOLD` go out within `TOLD_WITHIN`.
    """
    if since is None or not timedelta() <= at - since < TOLD_WITHIN:
        return True, at, 1
    if times < MOST_TOLD:
        return True, since, times + 1
    return False, since, times


def hash_password(*, password: str, salt: str) -> str:
    """The stored form of a station's password: ``scheme$salt$hex``.

    Passwords of 16 characters and more (the least OCPP allows) get one round of SHA-256,
    shorter ones 20,000 rounds of PBKDF2.
    """
    scheme = "sha256" if len(password) >= _LONG_ENOUGH else "pbkdf2"
    return f"{scheme}${salt}${_digest(scheme, salt, password)}"


def password_matches(*, password: bytes, hashes: tuple[str, ...]) -> bool:
    """Whether the password sent over Basic authentication is behind one of the stored hashes."""
    return matching_hash(password=password, hashes=hashes) is not None


def matching_hash(*, password: bytes, hashes: tuple[str, ...]) -> str | None:
    """The stored hash that a password sent over Basic authentication is behind, if any.

    Some stations send the bytes that a hexadecimal AuthorizationKey stands for, others its
    digits in either case; all three spellings count.
    """
    for stored in filter(None, hashes):
        scheme, salt, digest = stored.split("$", 2)
        for candidate in _spellings(password):
            if hmac.compare_digest(_digest(scheme, salt, candidate), digest):
                return stored
    return None


def storable_json(value: Any) -> str:
    """JSON text that PostgreSQL accepts: the NUL character, which it cannot store, left out."""
    text = orjson.dumps(value).decode()
    return orjson.dumps(without_nul(value)).decode() if "\\u0000" in text else text


def without_nul(value: Any) -> Any:
    """A JSON value without the NUL character, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nul(item) for item in value]
    return value


def _digest(scheme: str, salt: str, password: str) -> str:
    if scheme == "sha256":
        return hashlib.sha256(f"{salt}{password}".encode()).hexdigest()
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _SLOW_ROUNDS).hex()


def _spellings(password: bytes) -> list[str]:
    """The text itself first; a wrong one is only worth two more tries when it looks like a key."""
    try:
        text = password.decode()
    except UnicodeDecodeError:
        return [password.hex(), password.hex().upper()]
    if len(password) == 20:
        return [text, password.hex(), password.hex().upper()]
    if len(password) == 40:
        return [text, text.lower(), text.upper()]
    return [text]
