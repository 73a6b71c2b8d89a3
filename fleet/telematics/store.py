"""Where points are kept for good. `PointStore` is the seam; here it is a table with a partition a day.

Rows are built for a whole batch as one array in PostgreSQL's binary COPY format: no Python per
point, and the database does not parse text.
Source of the format: PostgreSQL 15 documentation, COPY, "Binary Format".
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from django.db import connection

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
_NAMES = ", ".join(name for name, _type in _COLUMNS)
# PostgreSQL counts its microseconds from 2000-01-01.
_POSTGRES_EPOCH_US = 946_684_800_000_000
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)

_STAGE = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS fleet_point_late (LIKE fleet_point) ON COMMIT DELETE ROWS"
)
_MERGE = (
    f"INSERT INTO fleet_point ({_NAMES}) SELECT {_NAMES} FROM fleet_point_late "  # noqa: S608 - constants
    "ON CONFLICT DO NOTHING"
)


class PointStore(Protocol):
    """Keeps points; a point is the same if vehicle and device time are."""

    def append(self, *, fresh: Points, late: Points) -> None:
        """Store points in the caller's transaction; `fresh` ones are known to be new."""


@cache
def point_store() -> PointStore:
    """The store of this installation."""
    return PostgresPointStore()


class PostgresPointStore:
    """The partitioned table `fleet_point`, in the transaction of the caller."""

    def append(self, *, fresh: Points, late: Points) -> None:
        """Fresh points by plain COPY; late ones by a temporary table, dropping those known."""
        with connection.cursor() as cursor:
            if len(fresh):
                _copy(cursor, "fleet_point", fresh)
            if len(late):
                cursor.execute("SET LOCAL client_min_messages = warning")
                cursor.execute(_STAGE)
                cursor.execute("TRUNCATE fleet_point_late")
                _copy(cursor, "fleet_point_late", late)
                cursor.execute(_MERGE)


def copy_bytes(points: Points) -> bytes:
    """The points as a complete binary COPY stream."""
    layout = [("count", ">i2")]
    for name, kind in _COLUMNS:
        layout += [(f"{name}_size", ">i4"), (name, kind)]
    rows = np.empty(len(points), dtype=np.dtype(layout))
    rows["count"] = len(_COLUMNS)
    for name, kind in _COLUMNS:
        rows[f"{name}_size"] = np.dtype(kind).itemsize
        rows[name] = _column(points, name)
    return _HEADER + rows.tobytes() + _TRAILER


def _column(points: Points, name: str) -> Any:
    if name == "at":
        return points["at_us"] - _POSTGRES_EPOCH_US
    if name == "received_at":
        return points["received_us"] - _POSTGRES_EPOCH_US
    return points[name]


def _copy(cursor: Any, table: str, points: Points) -> None:
    with cursor.copy(f"COPY {table} ({_NAMES}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(copy_bytes(points))
