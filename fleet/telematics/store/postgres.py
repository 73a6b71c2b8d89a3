"""The store on PostgreSQL: `fleet_point` by day while hot, `fleet_pointchunk` by month afterwards."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection

from fleet.telematics import chunks, records
from fleet.telematics.store import closing, months
from fleet.telematics.store.copying import NAMES, copy_in, copy_out

if TYPE_CHECKING:
    from fleet.telematics.records import Points
    from fleet.telematics.store.closing import ClosedDay

_STAGE = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS fleet_point_late (LIKE fleet_point) ON COMMIT DELETE ROWS"
)
_SAID = ", ".join(records.SAID)
# A device that says two things of one moment: the smaller one stays, whichever came first, so that
# no order of arrival makes a difference. What is known already is left out before: an update that
# changes nothing would still write.
_MERGE = f"""
INSERT INTO fleet_point AS known ({NAMES})
SELECT {NAMES} FROM fleet_point_late late
WHERE NOT EXISTS (
    SELECT FROM fleet_point stored
    WHERE stored.vehicle_id = late.vehicle_id AND stored.at = late.at
      AND stored.at BETWEEN '{{since}}' AND '{{until}}'
      AND (stored.{_SAID.replace(", ", ", stored.")}) = (late.{_SAID.replace(", ", ", late.")})
)
ON CONFLICT (vehicle_id, at) DO UPDATE
SET ({_SAID}) = (excluded.{_SAID.replace(", ", ", excluded.")})
WHERE (known.{_SAID.replace(", ", ", known.")}) > (excluded.{_SAID.replace(", ", ", excluded.")})
"""  # noqa: S608 - constants

_DAY_US = 24 * chunks.HOUR_US
_CHUNKS = """
SELECT payload FROM fleet_pointchunk WHERE vehicle_id = %s AND hour BETWEEN %s AND %s ORDER BY hour
"""


class PostgresPointStore:
    """Points in the transaction of the caller."""

    def append(self, *, fresh: Points, late: Points) -> None:
        """Fresh points by plain COPY; late ones by a temporary table, dropping those known."""
        with connection.cursor() as cursor:
            if len(fresh):
                copy_in(cursor, "fleet_point", fresh)
            if len(late):
                cursor.execute("SET LOCAL client_min_messages = warning")
                cursor.execute(_STAGE)
                cursor.execute("TRUNCATE fleet_point_late")
                copy_in(cursor, "fleet_point_late", late)
                first, last = late["at_us"].min(), late["at_us"].max()
                bounds = (records.from_us(int(us)).isoformat() for us in (first, last))
                cursor.execute(_MERGE.format(**dict(zip(("since", "until"), bounds, strict=True))))

    def track(
        self,
        *,
        vehicle_id: int,
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> Points:
        """Hot points first: a day that is closed meanwhile is then met twice and never missed."""
        with connection.cursor() as cursor:
            hot = _hot(cursor, vehicle_id, start, end)
            closed = _closed(cursor, vehicle_id, start, end)
        if not len(hot):
            return closed
        return closing.merged(closed, hot) if len(closed) else hot

    def close(self, *, day: datetime.date) -> ClosedDay:
        """See `closing`."""
        return closing.close_day(day)

    def days(self) -> list[datetime.date]:
        """Those whose partition is not empty."""
        return closing.days_with_points()

    def count(self, *, day: datetime.date) -> int:
        """Hot rows, and what the chunks say they hold."""
        return months.count_day(day)

    def vehicles(self, *, day: datetime.date) -> list[int]:
        """From both tables."""
        return months.vehicles_of_day(day)

    def months(self) -> list[datetime.date]:
        """The partitions of chunks."""
        return months.months_of_chunks()

    def drop_month(self, *, month: datetime.date, expected: int) -> int | None:
        """See `months`."""
        return months.drop_month(month, expected=expected)


def _hot(
    cursor: Any,
    vehicle_id: int,
    start: datetime.datetime,
    end: datetime.datetime,
) -> Points:
    during = f"at BETWEEN '{start.isoformat()}' AND '{end.isoformat()}'"
    # COPY takes no parameters; a number and two timestamps print themselves safely.
    return copy_out(
        cursor, f"FROM fleet_point WHERE vehicle_id = {int(vehicle_id)} AND {during} ORDER BY at"
    )


def _closed(
    cursor: Any,
    vehicle_id: int,
    start: datetime.datetime,
    end: datetime.datetime,
) -> Points:
    first_us, last_us = records.to_us(start), records.to_us(end)
    # A chunk begins somewhere in its day and never reaches into the next.
    hours = (first_us // _DAY_US * 24, last_us // chunks.HOUR_US)
    cursor.execute(_CHUNKS, [vehicle_id, *hours])
    payloads = [bytes(payload) for (payload,) in cursor.fetchall()]
    points = chunks.unpack_many(payloads, vehicle_ids=[vehicle_id] * len(payloads))
    since = np.searchsorted(points["at_us"], first_us, side="left")
    until = np.searchsorted(points["at_us"], last_us, side="right")
    inside: Points = points[since:until]
    return inside
