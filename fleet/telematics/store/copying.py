"""Points as rows of PostgreSQL's binary COPY, both ways, a whole batch as one array.

No Python per point, and the database neither parses nor prints text.
Source of the format: PostgreSQL 15 documentation, COPY, "Binary Format".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.telematics import records

if TYPE_CHECKING:
    from fleet.telematics.records import Points

# Column and the big-endian type COPY wants for it.
_COLUMNS = (
    ("vehicle_id", ">i8"),
    ("at", ">i8"),
    ("received_at", ">i8"),
    ("lon_e7", ">i4"),
    ("lat_e7", ">i4"),
    ("odometer_m", ">i4"),
    ("accuracy_dm", ">i2"),
    ("speed_cms", ">i2"),
    ("heading", ">i2"),
    ("battery_pct", ">i2"),
    ("locked", ">i2"),
    ("tilted", ">i2"),
)
NAMES = ", ".join(name for name, _type in _COLUMNS)
# PostgreSQL counts its microseconds from 2000-01-01.
_POSTGRES_EPOCH_US = 946_684_800_000_000
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_MOMENTS = {"at": "at_us", "received_at": "received_us"}


def _layout() -> np.dtype[np.void]:
    fields = [("count", ">i2")]
    for name, kind in _COLUMNS:
        fields += [(f"{name}_size", ">i4"), (name, kind)]
    return np.dtype(fields)


# No column is ever NULL, so that every row has the same width.
_ROW = _layout()


def copy_bytes(points: Points) -> bytes:
    """The points as a complete binary COPY stream."""
    rows = np.empty(len(points), dtype=_ROW)
    rows["count"] = len(_COLUMNS)
    for name, kind in _COLUMNS:
        rows[f"{name}_size"] = np.dtype(kind).itemsize
        if name in _MOMENTS:
            rows[name] = points[_MOMENTS[name]] - _POSTGRES_EPOCH_US
        else:
            rows[name] = points[name]
    return _HEADER + rows.tobytes() + _TRAILER


def points_from_copy(stream: bytes) -> Points:
    """The points of a complete binary COPY stream of the columns `NAMES`."""
    body = memoryview(stream)[len(_HEADER) : len(stream) - len(_TRAILER)]
    rows = np.frombuffer(body, dtype=_ROW)
    points = np.empty(len(rows), dtype=records.OWNED_POINT)
    for name in points.dtype.names or ():
        points[name] = records.UNKNOWN
    for name, _kind in _COLUMNS:
        if name in _MOMENTS:
            points[_MOMENTS[name]] = rows[name].astype(np.int64) + _POSTGRES_EPOCH_US
        else:
            points[name] = rows[name]
    return points


def copy_in(cursor: Any, table: str, points: Points) -> None:
    """Write points into a table."""
    with cursor.copy(f"COPY {table} ({NAMES}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(copy_bytes(points))


def copy_out(cursor: Any, rest: str) -> Points:
    """Read points: `rest` is what follows SELECT and the columns, without parameters."""
    query = f"COPY (SELECT {NAMES} {rest}) TO STDOUT (FORMAT BINARY)"
    with cursor.copy(query) as copy:
        return points_from_copy(b"".join(copy))
