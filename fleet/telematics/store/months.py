"""What lies in chunks: counted by day, and dropped by month."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import connection, transaction

from fleet.telematics.store.closing import (
    CHUNKS_TABLE,
    hours_of,
    month_table_of,
    partitioned_days,
    table_of,
)

_DAY = datetime.timedelta(days=1)


def count_day(day: datetime.date) -> int:
    """Points of a day, hot and closed; one that came again after the close counts twice."""
    first, after = hours_of(day, day + _DAY)
    with connection.cursor() as cursor:
        closed = _one(
            cursor,
            "SELECT coalesce(sum(count), 0) FROM fleet_pointchunk WHERE hour >= %s AND hour < %s",
            [first, after],
        )
        hot = day in partitioned_days(cursor) and _one(
            cursor,
            f"SELECT count(*) FROM {table_of(day)}",  # noqa: S608 - a date
        )
    return int(closed) + int(hot)


def vehicles_of_day(day: datetime.date) -> list[int]:
    """The vehicles with points on a day, hot or closed."""
    first, after = hours_of(day, day + _DAY)
    parts = ["SELECT vehicle_id FROM fleet_pointchunk WHERE hour >= %s AND hour < %s"]
    with connection.cursor() as cursor:
        if day in partitioned_days(cursor):
            parts.append(f"SELECT vehicle_id FROM {table_of(day)}")  # noqa: S608 - a date
        cursor.execute(f"{' UNION '.join(parts)} ORDER BY 1", [first, after])
        return [vehicle_id for (vehicle_id,) in cursor.fetchall()]


def months_of_chunks() -> list[datetime.date]:
    """The first days of the months that have chunks, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits link JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = %s::regclass ORDER BY 1",
            [CHUNKS_TABLE],
        )
        names = [name.rpartition("_")[2] for (name,) in cursor.fetchall()]
    return [datetime.date(int(name[:4]), int(name[4:]), 1) for name in names]


def drop_month(month: datetime.date, *, expected: int) -> int | None:
    """Drop a month of chunks if it holds exactly `expected` points; the bytes that came free.

    None if it holds another number: nothing was dropped. Whoever asks for the whole table makes
    all others wait behind it, so it is asked for at most three seconds; `OperationalError` then.
    """
    table = month_table_of(month)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        cursor.execute("LOCK TABLE fleet_pointchunk IN ACCESS EXCLUSIVE MODE")
        cursor.execute("SET LOCAL lock_timeout = 0")
        counted = _one(cursor, f"SELECT coalesce(sum(count), 0) FROM {table}")  # noqa: S608 - a date
        if counted != expected:
            return None
        size = _one(cursor, "SELECT pg_total_relation_size(%s)", [table])
        cursor.execute(f"DROP TABLE {table}")
    return int(size)


def _one(cursor: Any, query: str, parameters: list[Any] | None = None) -> int:
    cursor.execute(query, parameters)
    (value,) = cursor.fetchone()
    return int(value)
