"""Closing a day: its hot rows become chunks, and only what was read back equal is emptied.

1. Read the day's rows, a slice of vehicles at a time, together with the chunks that an earlier
   close left of the same vehicles: late points of a closed day are hot again until now.
2. Merge, pack, write, read back, unpack, compare every value.
3. Shut the day's partition against writers, and let the database itself count and sum what lies in
   it: a report that came in between makes the sums differ, and the close fails.
4. Empty the partition. All of it is one transaction.

The partition itself stays until nothing can arrive for it any more (`partitions.drop_empty_days`):
dropping it here would need a lock on the whole table, and every drain would have to wait.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import OperationalError, connection, transaction

from fleet.telematics import chunks, records
from fleet.telematics.store.copying import copy_out
from mobility.core import locks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fleet.telematics.records import Points

# Rows in memory at a time: about 30 MB of points.
_SLICE = 400_000
CHUNKS_TABLE = "fleet_pointchunk"
_SUMMED = ("vehicle_id", *chunks.COLUMNS)

# Made beside and then attached: to make it in place would shut out all readers until the commit.
# Payloads are pressed already, and a row that stays whole is read with one look.
_NEW_MONTH = """
CREATE TABLE {table} (LIKE fleet_pointchunk INCLUDING DEFAULTS INCLUDING STORAGE)
    WITH (toast_tuple_target = 8160);
ALTER TABLE fleet_pointchunk ATTACH PARTITION {table} FOR VALUES FROM ({low}) TO ({high});
"""
_SLICES = "SELECT vehicle_id, count(*) FROM {table} GROUP BY vehicle_id ORDER BY vehicle_id"
_OLD = """
SELECT vehicle_id, payload FROM fleet_pointchunk
WHERE vehicle_id = ANY(%s) AND hour >= %s AND hour < %s
ORDER BY vehicle_id, hour
"""
_FORGET = "DELETE FROM fleet_pointchunk WHERE vehicle_id = ANY(%s) AND hour >= %s AND hour < %s"
_WRITE = """
COPY fleet_pointchunk (
    vehicle_id, hour, count, west_e7, south_e7, east_e7, north_e7, first_s, last_s, payload
) FROM STDIN (FORMAT BINARY)
"""
_CHUNK_TYPES = ("int8", "int4", "int4", "int4", "int4", "int4", "int4", "int4", "int4", "bytea")


class CloseFailed(Exception):
    """The day could not be closed: something arrived meanwhile, or what was packed is not the same."""


@dataclass(frozen=True, kw_only=True)
class ClosedDay:
    """What closing a day did; `doubled` hot rows were in a chunk already."""

    day: datetime.date
    hot: int = 0
    doubled: int = 0
    chunks: int = 0
    bytes_before: int = 0
    bytes_after: int = 0


@dataclass(kw_only=True)
class _Books:
    """What was read and written, slice by slice."""

    hot: int = 0
    doubled: int = 0
    chunks: int = 0
    sums: list[int] = field(default_factory=lambda: [0] * len(_SUMMED))


def table_of(day: datetime.date) -> str:
    """The name of a day's partition."""
    return f"fleet_point_{day:%Y%m%d}"


def month_table_of(month: datetime.date) -> str:
    """The name of a month's partition of chunks."""
    return f"fleet_pointchunk_{month:%Y%m}"


def hours_of(first: datetime.date, after: datetime.date) -> tuple[int, int]:
    """The first hour of a day and the first one of a later day, in hours since 1970."""
    midnights = (
        datetime.datetime.combine(day, datetime.time(), datetime.UTC) for day in (first, after)
    )
    low, high = (records.to_us(midnight) // chunks.HOUR_US for midnight in midnights)
    return low, high


def merged(older: Points, newer: Points) -> Points:
    """Both together in order of vehicle and device time, each moment once.

    Where two say different things of one moment the smaller stays, as in the table.
    """
    points = np.concatenate([older, newer])
    ordered: Points = points[np.lexsort((points["at_us"], points["vehicle_id"]))]
    if not _repeats(ordered).any():
        return ordered
    keys = [points[name] for name in reversed(chunks.COLUMNS)]
    ordered = points[np.lexsort((*keys, points["vehicle_id"]))]
    once: Points = ordered[np.concatenate([[True], ~_repeats(ordered)])]
    return once


def _repeats(ordered: Points) -> NDArray[np.bool_]:
    """For each point but the first whether it is of the same moment as the one before."""
    same: NDArray[np.bool_] = (np.diff(ordered["vehicle_id"]) == 0) & (
        np.diff(ordered["at_us"]) == 0
    )
    return same


def days_with_points() -> list[datetime.date]:
    """The days whose partition is not empty, oldest first."""
    found = []
    with connection.cursor() as cursor:
        for day in partitioned_days(cursor):
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table_of(day)})")  # noqa: S608 - a date
            (filled,) = cursor.fetchone() or (False,)
            if filled:
                found.append(day)
    return found


def close_day(day: datetime.date) -> ClosedDay:
    """Pack a day's hot points away; see above. Raises `CloseFailed`."""
    books, table = _Books(), table_of(day)
    with transaction.atomic(), connection.cursor() as cursor:
        locks.advisory("fleet.telematics.close")
        if day not in partitioned_days(cursor):
            return ClosedDay(day=day)
        month_table = _ensure_month(cursor, day)
        bytes_before, packed_before = _size(cursor, table), _size(cursor, month_table)
        for low, high in list(_slices(cursor, table)):
            _close_slice(cursor, day, low, high, books)
        if books.hot:
            _empty(cursor, table, books)
        packed_after = _size(cursor, month_table)
    return ClosedDay(
        day=day,
        hot=books.hot,
        doubled=books.doubled,
        chunks=books.chunks,
        bytes_before=bytes_before,
        bytes_after=packed_after - packed_before,
    )


def partitioned_days(cursor: Any) -> list[datetime.date]:
    """The days that have a partition, filled or empty, oldest first."""
    cursor.execute(
        "SELECT child.relname FROM pg_inherits link JOIN pg_class child ON child.oid = inhrelid"
        " WHERE inhparent = 'fleet_point'::regclass AND relname ~ '_[0-9]{8}$' ORDER BY 1",
    )
    names = [name.rpartition("_")[2] for (name,) in cursor.fetchall()]
    return [datetime.date(int(name[:4]), int(name[4:6]), int(name[6:])) for name in names]


def _size(cursor: Any, table: str) -> int:
    """Bytes of a table with its indexes."""
    cursor.execute("SELECT pg_total_relation_size(%s)", [table])
    (size,) = cursor.fetchone()
    return int(size)


def _ensure_month(cursor: Any, day: datetime.date) -> str:
    """Make the month's partition of chunks; returns its name."""
    first = day.replace(day=1)
    following = (first + datetime.timedelta(days=32)).replace(day=1)
    table = month_table_of(first)
    cursor.execute("SELECT to_regclass(%s) IS NULL", [table])
    if cursor.fetchone() == (True,):
        low, high = hours_of(first, following)
        cursor.execute(_NEW_MONTH.format(table=table, low=low, high=high))
    return table


def _slices(cursor: Any, table: str) -> Iterator[tuple[int, int]]:
    """Ranges of vehicles with about `_SLICE` rows each."""
    cursor.execute(_SLICES.format(table=table))
    low, high, rows = None, 0, 0
    for vehicle_id, count in cursor.fetchall():
        low = vehicle_id if low is None else low
        high, rows = vehicle_id, rows + count
        if rows >= _SLICE:
            yield low, high
            low, rows = None, 0
    if low is not None:
        yield low, high


def _close_slice(cursor: Any, day: datetime.date, low: int, high: int, books: _Books) -> None:
    within = f"WHERE vehicle_id BETWEEN {low} AND {high}"
    hot = copy_out(cursor, f"FROM {table_of(day)} {within} ORDER BY vehicle_id, at")
    # Vehicles of which nothing arrived stay as they are.
    vehicles = np.unique(hot["vehicle_id"]).tolist()
    which = [vehicles, *hours_of(day, day + datetime.timedelta(days=1))]
    older = _chunked(cursor, which)
    points = merged(older, hot)
    cursor.execute(_FORGET, which)
    books.chunks += _write(cursor, points)
    again = _chunked(cursor, which)
    if not all(np.array_equal(again[name], points[name]) for name in _SUMMED):
        raise CloseFailed(f"{day}: what was packed of vehicles {low} to {high} is not the same")
    books.hot += len(hot)
    books.doubled += len(older) + len(hot) - len(points)
    slice_sums = (_sum(hot[name]) for name in _SUMMED)
    books.sums = [a + b for a, b in zip(books.sums, slice_sums, strict=True)]


def _chunked(cursor: Any, which: list[Any]) -> Points:
    """What is packed of some vehicles, from an hour to before another."""
    cursor.execute(_OLD, which)
    rows = cursor.fetchall()
    return chunks.unpack_many(
        [bytes(payload) for _vehicle, payload in rows],
        vehicle_ids=[vehicle for vehicle, _payload in rows],
    )


def _sum(values: NDArray[Any]) -> int:
    """The exact sum; 400,000 times microseconds since 1970 do not fit 64 bits."""
    high, low = np.divmod(values.astype(np.int64), 1_000_000)
    return int(high.sum()) * 1_000_000 + int(low.sum())


def _write(cursor: Any, points: Points) -> int:
    """Pack points of a day that are in order into chunks; returns how many."""
    if not len(points):
        return 0
    hours = points["at_us"] // chunks.HOUR_US
    starts = chunks.starts_of(points)
    payloads = chunks.pack_many(points, starts.tolist())
    ends = np.append(starts[1:], len(points))
    boxes = [
        reduce.reduceat(points[name], starts).tolist()
        for reduce, name in (
            (np.minimum, "lon_e7"),
            (np.minimum, "lat_e7"),
            (np.maximum, "lon_e7"),
            (np.maximum, "lat_e7"),
        )
    ]
    seconds = points["at_us"] // 1_000_000 - np.repeat(hours[starts], ends - starts) * 3_600
    columns = (
        points["vehicle_id"][starts].tolist(),
        hours[starts].tolist(),
        (ends - starts).tolist(),
        *boxes,
        seconds[starts].tolist(),
        seconds[ends - 1].tolist(),
        payloads,
    )
    with cursor.copy(_WRITE) as copy:
        copy.set_types(_CHUNK_TYPES)
        for row in zip(*columns, strict=True):
            copy.write_row(row)
    return len(payloads)


def _empty(cursor: Any, table: str, books: _Books) -> None:
    """Shut out writers, count once more, empty."""
    sums = ", ".join(
        "sum(extract(epoch FROM at) * 1000000)" if name == "at_us" else f"sum({name})"
        for name in _SUMMED
    )
    try:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        cursor.execute("SET LOCAL lock_timeout = 0")
    except OperationalError as error:
        raise CloseFailed(f"{table} is in use") from error
    cursor.execute(f"SELECT count(*), {sums} FROM {table}")  # noqa: S608 - a date and constants
    count, *told = cursor.fetchone()
    if count != books.hot or [int(value) for value in told] != books.sums:
        raise CloseFailed(f"{table} changed while it was packed")
    cursor.execute(f"TRUNCATE {table}")
