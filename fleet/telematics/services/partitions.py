"""Day partitions of the points: made ahead, and dropped when they are empty and nothing can come.

Deleting rows would lock and bloat; a day is emptied when it is closed (`store.closing`), and its
shell costs nothing. What falls into the DEFAULT partition belongs to a day nobody prepared and is
an alarm, not a loss: it is taken along when the day is made.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np
import structlog
from django.db import OperationalError, connection, transaction

from fleet.telematics.rules import MAX_AGE_US
from mobility.core import locks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

log = structlog.get_logger(__name__)

DAYS_AHEAD = 3
# Older points are put aside at the door; a week more for what waits in the log meanwhile.
KEEP_EMPTY = datetime.timedelta(microseconds=MAX_AGE_US) + datetime.timedelta(days=7)

_DAY_US = 86_400 * 1_000_000
_PREFIX = "fleet_point_"

_CREATE = """
CREATE TABLE {table} (LIKE fleet_point INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
WITH strays AS (
    DELETE FROM fleet_point_default WHERE at >= '{since}' AND at < '{until}' RETURNING *
) INSERT INTO {table} SELECT * FROM strays;
ALTER TABLE fleet_point ATTACH PARTITION {table} FOR VALUES FROM ('{since}') TO ('{until}');
"""

# Days this process has seen a partition for.
_prepared: set[datetime.date] = set()


def ensure_partitions(*, at: datetime.datetime, days_ahead: int = DAYS_AHEAD) -> list[str]:
    """Make the partitions of yesterday, today and the days to come; returns the names made."""
    today = at.astimezone(datetime.UTC).date()
    return _make(today + datetime.timedelta(days=offset) for offset in range(-1, days_ahead + 1))


def prepare_days(at_us: NDArray[np.int64]) -> None:
    """Make sure that every day of these moments (µs since 1970) has its partition."""
    first = datetime.date(1970, 1, 1)
    days = {first + datetime.timedelta(days=int(day)) for day in np.unique(at_us // _DAY_US)}
    _make(days)


def drop_empty_days(*, at: datetime.datetime) -> list[str]:
    """Drop the partitions for which no point can come any more; returns their names.

    Each in a transaction of its own: shut, counted, dropped only if nothing is in it. One that is
    in use or not yet closed stays for another night.
    """
    oldest = (at - KEEP_EMPTY).astimezone(datetime.UTC).date()
    dropped = []
    for name in _existing():
        try:
            if _is_before(name, oldest) and _drop_if_empty(name):
                dropped.append(name)
        except OperationalError as busy:
            log.warning("telematics.partition_in_use", name=name, reason=str(busy))
    _prepared.clear()
    return dropped


def stray_points() -> int:
    """How many points lie in the DEFAULT partition; anything but 0 wants a look."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM fleet_point_default")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _drop_if_empty(name: str) -> bool:
    quoted = connection.ops.quote_name(name)
    with transaction.atomic(), connection.cursor() as cursor:
        locks.advisory("fleet.telematics.partitions")
        # Whoever asks for the whole table makes all others wait behind it: never for long.
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        cursor.execute("LOCK TABLE fleet_point IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"SELECT EXISTS (SELECT FROM {quoted})")  # noqa: S608 - quoted
        (filled,) = cursor.fetchone() or (True,)
        if not filled:
            cursor.execute(f"DROP TABLE {quoted}")
    return not filled


def _make(days: Iterable[datetime.date]) -> list[str]:
    missing = sorted(set(days) - _prepared)
    if not missing:
        return []
    # Looked for before locking: a drain must not wait for another one because of an old day.
    existing = set(_existing())
    made = [name for day in missing if (name := _name(day)) not in existing]
    made = _create([day for day in missing if _name(day) in made]) if made else []
    # Only what is committed may be remembered; inside a larger transaction that comes later.
    transaction.on_commit(lambda: _prepared.update(missing))
    return made


def _create(days: list[datetime.date]) -> list[str]:
    """Make the partitions of these days, but for those that somebody made meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Two drains may meet a new day at the same moment.
        locks.advisory("fleet.telematics.partitions")
        existing = set(_existing())
        wanted = [day for day in days if _name(day) not in existing]
        # Whoever waits to attach makes all writers wait behind it: never for long.
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        for day in wanted:
            cursor.execute(_create_sql(day))
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    return [_name(day) for day in wanted]


def _create_sql(day: datetime.date) -> str:
    """Strays of the day move in before it becomes a partition, or it could not become one."""
    following = day + datetime.timedelta(days=1)
    return _CREATE.format(
        table=_name(day), since=f"{day} 00:00:00+00", until=f"{following} 00:00:00+00"
    )


def _name(day: datetime.date) -> str:
    return f"{_PREFIX}{day:%Y%m%d}"


def _existing() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits link JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = 'fleet_point'::regclass ORDER BY 1",
        )
        return [name for (name,) in cursor.fetchall()]


def _is_before(name: str, day: datetime.date) -> bool:
    digits = name.removeprefix(_PREFIX)
    return digits.isdigit() and digits < f"{day:%Y%m%d}"
