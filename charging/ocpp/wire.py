"""How all versions write instants and numbers."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, Final

from charging.ocpp.rpc.errors import Fault, RpcError

MAX_CONNECTOR: Final = 32_767
MAX_INTEGER: Final = 2**31 - 1
"""The highest integer of the standard."""
_MAX_WHOLE: Final = 2**53
"""Some count on in milliseconds since 1970; above this no two programs read the same number."""
_MAX_METER_WH: Final = 2**53
"""Above this a float64 counts no single Wh; no meter in the world has got there."""


def instant(text: str) -> datetime:
    """The aware UTC instant of an RFC 3339 text that already passed its schema."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        # Leap seconds and the first hours of year 1 are valid RFC 3339 and no Python datetime.
        raise RpcError(Fault.PROPERTY, "An instant is out of range") from None


def instant_text(at: datetime) -> str:
    """UTC with milliseconds and a Z: some firmwares parse nothing else."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number(text: str) -> float | None:
    """The value of a decimal text; None for anything else, NaN and infinity included."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def meter_wh(value: int) -> int:
    """A register value that every column can hold; absurd ones are flagged further in."""
    return max(-_MAX_METER_WH, min(_MAX_METER_WH, value))


def connector(value: float, *, at_least: int) -> int:
    """A connector or EVSE number that can exist, else RpcError."""
    return whole(value, at_least=at_least, at_most=MAX_CONNECTOR)


def whole(value: float, *, at_least: int = -_MAX_WHOLE, at_most: int = _MAX_WHOLE) -> int:
    """An integer within bounds, else RpcError. Some write 1.0, which the schemas of 2.x allow."""
    if not at_least <= value <= at_most:
        raise RpcError(Fault.PROPERTY, "An integer is out of range")
    return int(value)


def with_wholes(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """A copy in which the fields of these names, where they are there, are integers that fit."""
    return {**values, **{name: whole(values[name]) for name in names if name in values}}
