"""Day partitions of the points: made ahead, and dropped whole when their time is over.

Deleting rows would lock and bloat; dropping a day costs nothing. What falls into the DEFAULT
partition belongs to a day nobody prepared and is an alarm, not a loss.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np
from django.db import connection, transaction

from fleet.telematics.models import QuarantinedPoint
from mobility.core import locks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

DAYS_AHEAD = 3
# Where a person rode is kept no longer than a bill can be disputed.
KEEP_DAYS = 90

_DAY_US = 86_400 * 1_000_000
_PREFIX = "fleet_point_"

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


def drop_old_points(*, at: datetime.datetime, keep_days: int = KEEP_DAYS) -> list[str]:
    """Drop the days that are older than `keep_days`, and quarantined points likewise."""
    oldest = at.astimezone(datetime.UTC).date() - datetime.timedelta(days=keep_days)
    dropped = [name for name in _existing() if _is_before(name, oldest)]
    with connection.cursor() as cursor:
        for name in dropped:
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)}")
    _prepared.clear()
    QuarantinedPoint.objects.filter(
        received_at__lt=at - datetime.timedelta(days=keep_days)
    ).delete()
    return dropped


def stray_points() -> int:
    """How many points lie in the DEFAULT partition; anything but 0 wants a look."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM fleet_point_default")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _make(days: Iterable[datetime.date]) -> list[str]:
    missing = sorted(set(days) - _prepared)
    if not missing:
        return []
    with transaction.atomic():
        # Two drains may meet a new day at the same moment.
        locks.advisory("fleet.telematics.partitions")
        existing = set(_existing())
        made = [name for day in missing if (name := _name(day)) not in existing]
        with connection.cursor() as cursor:
            for day in missing:
                if _name(day) in made:
                    cursor.execute(_create_sql(day))
    # Only what is committed may be remembered; inside a larger transaction that comes later.
    transaction.on_commit(lambda: _prepared.update(missing))
    return made


def _create_sql(day: datetime.date) -> str:
    following = day + datetime.timedelta(days=1)
    return (
        f"CREATE TABLE {_name(day)} PARTITION OF fleet_point"
        f" FOR VALUES FROM ('{day} 00:00:00+00') TO ('{following} 00:00:00+00')"
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
