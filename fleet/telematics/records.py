"""How points are packed: 28 bytes each, one log entry per request, whole batches as numpy arrays.

An entry is a header (vehicle, time of receipt) and the points of one request.
"""

from __future__ import annotations

import datetime
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Points = NDArray[np.void]

# Stands for "not reported" in every optional column.
UNKNOWN = -1

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)

POINT = np.dtype(
    [
        ("at_us", "<i8"),
        ("lon_e7", "<i4"),
        ("lat_e7", "<i4"),
        ("odometer_m", "<i4"),
        ("accuracy_dm", "<i2"),
        ("speed_cms", "<i2"),
        ("heading", "<i2"),
        ("battery_pct", "<i1"),
        ("locked", "<i1"),
    ],
)
OWNED_POINT = np.dtype([("vehicle_id", "<i8"), ("received_us", "<i8"), *POINT.descr])

_HEADER = struct.Struct("<qq")


def to_us(at: datetime.datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime.datetime:
    """The moment `us` microseconds after 1970."""
    return EPOCH + us * _MICROSECOND


def pack_entry(*, vehicle_id: int, received_at: datetime.datetime, points: Points) -> bytes:
    """One log entry: who, when received, and the points."""
    return _HEADER.pack(vehicle_id, to_us(received_at)) + points.tobytes()


def unpack_entry(payload: bytes) -> Points:
    """The points of an entry, each with its vehicle and time of receipt.

    Raises `ValueError` or `struct.error` if the bytes are no entry.
    """
    vehicle_id, received_us = _HEADER.unpack_from(payload)
    points = np.frombuffer(payload, dtype=POINT, offset=_HEADER.size)
    owned = np.empty(len(points), dtype=OWNED_POINT)
    for name in POINT.names or ():
        owned[name] = points[name]
    owned["vehicle_id"] = vehicle_id
    owned["received_us"] = received_us
    return owned


def join(batches: Iterable[Points]) -> Points:
    """All points of several entries, in their order."""
    return np.concatenate([np.empty(0, dtype=OWNED_POINT), *batches])


def points_from(rows: list[tuple[Any, ...]]) -> Points:
    """Points from tuples in the order of the columns of `POINT`."""
    return np.array(rows, dtype=POINT)
