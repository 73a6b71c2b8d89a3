"""Crossings into their table: one COPY for a batch, without Python per row.

Source of the format: PostgreSQL 15 documentation, COPY, "Binary Format".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection

from fleet.telematics.states import CrossingKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.telematics.rules.crossings import Crossings
    from fleet.telematics.services.crossings.batch import Moved
    from fleet.telematics.services.crossings.table import ZoneTable
    from fleet.telematics.services.drain.known import Known

    Ints = NDArray[np.int64]

# In the order of `rules.crossings.ENTER`, `LEAVE`, `PASSED`.
_NAMES = (CrossingKind.ENTER, CrossingKind.LEAVE, CrossingKind.PASSED)
_POSTGRES_EPOCH_US = 946_684_800_000_000
_COLUMNS = (
    ("vehicle_id", ">i8"),
    ("zone_id", ">i8"),
    ("zones_version", ">i8"),
    ("at", ">i8"),
    ("lon_e7", ">i4"),
    ("lat_e7", ">i4"),
    ("speed_cms", ">i2"),
    ("on_trip", "u1"),
)
_LISTED = ", ".join(name for name, _type in _COLUMNS)
_COPY = f"COPY fleet_zonecrossing ({_LISTED}, kind) FROM STDIN (FORMAT BINARY)"
_STAGE = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS fleet_crossing_again"
    " (LIKE fleet_zonecrossing INCLUDING DEFAULTS INCLUDING IDENTITY) ON COMMIT DELETE ROWS"
)
_MERGE = (
    f"INSERT INTO fleet_zonecrossing ({_LISTED}, kind) SELECT {_LISTED}, kind"  # noqa: S608 - constants
    " FROM fleet_crossing_again ON CONFLICT DO NOTHING"
)


def write_crossings(
    moved: Moved,
    known: Known,
    table: ZoneTable,
    version: int,
    met: Crossings,
    where: NDArray[np.void],
    *,
    careful: bool,
) -> None:
    """The crossings by COPY; `careful` lets those be that a rival drain has written."""
    if not len(met.row):
        return
    rows = moved.vehicles[met.row]
    columns = {
        "vehicle_id": known.ids[rows],
        "zone_id": table.ids[met.zone],
        "zones_version": np.full(len(rows), version, dtype=np.int64),
        "at": where["at_us"] - _POSTGRES_EPOCH_US,
        "lon_e7": where["lon_e7"],
        "lat_e7": where["lat_e7"],
        "speed_cms": where["cms"],
        "on_trip": known.flags("ridden")[rows],
    }
    stream = _copy_stream(columns, met.kind)
    with connection.cursor() as cursor:
        target = _COPY
        if careful:
            cursor.execute(_STAGE)
            target = _COPY.replace("fleet_zonecrossing", "fleet_crossing_again")
        with cursor.copy(target) as copy:
            copy.write(stream)
        if careful:
            cursor.execute(_MERGE)


def _copy_stream(columns: dict[str, Any], kinds: Ints) -> bytes:
    """A binary COPY stream; rows of one kind have one width, so each kind is one array."""
    parts = [b"PGCOPY\n\xff\r\n\0", struct.pack(">ii", 0, 0)]
    for code, name in enumerate(_NAMES):
        which = kinds == code
        word = str(name).encode()
        layout: list[tuple[str, str]] = [("count", ">i2")]
        for column, kind in (*_COLUMNS, ("kind", f"S{len(word)}")):
            layout += [(f"{column}_size", ">i4"), (column, kind)]
        rows = np.zeros(int(which.sum()), dtype=np.dtype(layout))
        rows["count"] = len(_COLUMNS) + 1
        for column, kind in _COLUMNS:
            rows[f"{column}_size"] = np.dtype(kind).itemsize
            rows[column] = columns[column][which]
        rows["kind_size"], rows["kind"] = len(word), word
        parts.append(rows.tobytes())
    return b"".join((*parts, struct.pack(">h", -1)))
