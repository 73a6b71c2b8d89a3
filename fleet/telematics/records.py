"""How points are packed: 37 bytes each, one log entry per request, whole batches as numpy arrays.

An entry is a header (time of receipt) and the points of one request, each with the device that
said it. Which vehicle a device sat in is asked when the points are stored, by the device's own time:
units are swapped, and what one still holds of its last vehicle belongs to that one.
"""

from __future__ import annotations

import datetime
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
        ("tilted", "<i1"),
    ],
)
# Everything a point says beside its time.
SAID = tuple(name for name in POINT.names or () if name != "at_us")
# A point and who said it, as it lies in the log.
REPORT = np.dtype([("device_id", "<i8"), *POINT.descr])
# As it comes out of the log, with the time at which it went in.
RECEIVED = np.dtype([("received_us", "<i8"), *REPORT.descr])
# As it is stored, with the vehicle it belongs to.
OWNED_POINT = np.dtype([("vehicle_id", "<i8"), *RECEIVED.descr])

_HEADER = struct.Struct("<q")


def to_us(at: datetime.datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime.datetime:
    """The moment `us` microseconds after 1970."""
    return EPOCH + us * _MICROSECOND


def gathered(batches: Iterable[Points]) -> Points:
    """The points of many reports in their order; by their bytes, as numpy compares every column."""
    return np.frombuffer(b"".join([points.tobytes() for points in batches]), dtype=POINT)


def reports_of(*, device_id: int | NDArray[np.int64], points: Points) -> Points:
    """Points with the device that said them, one for all or one for each."""
    return _widened(points, REPORT, device_id=device_id)


def received(points: Points, *, received_at: datetime.datetime) -> Points:
    """Points of nobody yet, with their time of receipt (of type `RECEIVED`)."""
    return _widened(points, RECEIVED, device_id=UNKNOWN, received_us=to_us(received_at))


def pack_entry(*, received_at: datetime.datetime, reports: Points) -> bytes:
    """One log entry: when received, and the reports (of type `REPORT`)."""
    return _HEADER.pack(to_us(received_at)) + reports.tobytes()


def is_entry(payload: bytes) -> bool:
    """Whether the bytes can be read as an entry: a header and whole reports, at least one."""
    size = len(payload) - _HEADER.size
    return size > 0 and size % REPORT.itemsize == 0


def unpack_entries(payloads: Sequence[bytes]) -> Points:
    """The reports of entries in their order, each with its time of receipt (of type `RECEIVED`).

    The cost hardly grows with their number. Raises `ValueError` or `struct.error` if any of them
    is no entry.
    """
    if any((len(one) - _HEADER.size) % REPORT.itemsize for one in payloads):
        raise ValueError("not an entry")
    counts = [(len(one) - _HEADER.size) // REPORT.itemsize for one in payloads]
    reports = np.frombuffer(b"".join(one[_HEADER.size :] for one in payloads), dtype=REPORT)
    received = [_HEADER.unpack_from(one)[0] for one in payloads]
    return _widened(reports, RECEIVED, received_us=np.repeat(np.array(received, "<i8"), counts))


def owned(points: Points, *, vehicle_id: int | NDArray[np.int64]) -> Points:
    """Received points with the vehicle they belong to (of type `OWNED_POINT`)."""
    return _widened(points, OWNED_POINT, vehicle_id=vehicle_id)


def points_from(rows: list[tuple[Any, ...]]) -> Points:
    """Points from tuples in the order of the columns of `POINT`."""
    return np.array(rows, dtype=POINT)


def _widened(points: Points, dtype: np.dtype[np.void], **columns: Any) -> Points:
    """The same points with further columns."""
    wide = np.empty(len(points), dtype=dtype)
    for name in points.dtype.names or ():
        wide[name] = points[name]
    for name, values in columns.items():
        wide[name] = values
    return wide
