"""Day partitions of the frames: made ahead, dropped whole when nobody looks any more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from mobility.core import locks

DAYS_AHEAD: Final = 3
_TABLE: Final = "charging_stationframe"
_PREFIX: Final = f"{_TABLE}_2"
_CREATE: Final = """
CREATE TABLE {name} (LIKE charging_stationframe INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
WITH strays AS (
    DELETE FROM charging_stationframe_default WHERE at >= '{since}' AND at < '{until}' RETURNING *
) INSERT INTO {name} SELECT * FROM strays;
ALTER TABLE charging_stationframe ATTACH PARTITION {name} FOR VALUES FROM ('{since}') TO ('{until}');
"""


@transaction.atomic
def ensure_partitions(*, at: datetime, days_ahead: int = DAYS_AHEAD) -> list[str]:
    """Make the partitions of today and the days to come; returns the names made.

    Frames of such a day that came before its partition move in.
    """
    today = at.astimezone(UTC).date()
    wanted = [today + timedelta(days=offset) for offset in range(days_ahead + 1)]
    existing = set(_existing())
    missing = [day for day in wanted if _name(day) not in existing]
    if missing:
        _make(missing)
    return [_name(day) for day in missing]


@transaction.atomic
def drop_old_days(*, at: datetime) -> list[str]:
    """Drop the days that are older than `OCPP_FRAMES_DAYS`; returns their names."""
    oldest = _name(at.astimezone(UTC).date() - timedelta(days=settings.OCPP_FRAMES_DAYS))
    old = [name for name in _existing() if name < oldest]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        for name in old:
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)}")
        cursor.execute(
            "DELETE FROM charging_stationframe_default WHERE at < %s",
            [at - timedelta(days=settings.OCPP_FRAMES_DAYS)],
        )
    return old


def _make(days: Iterable[date]) -> None:
    locks.advisory("charging.frames.partitions")
    with connection.cursor() as cursor:
        # Whoever waits to attach makes all writers wait behind it: never for long.
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        existing = set(_existing())
        for day in days:
            if _name(day) not in existing:
                cursor.execute(
                    _CREATE.format(
                        name=_name(day),
                        since=f"{day} 00:00:00+00",
                        until=f"{day + timedelta(days=1)} 00:00:00+00",
                    ),
                )
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


def _name(day: date) -> str:
    return f"{_TABLE}_{day:%Y%m%d}"


def _existing() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits link JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = 'charging_stationframe'::regclass ORDER BY 1",
        )
        return [name for (name,) in cursor.fetchall() if name.startswith(_PREFIX)]
