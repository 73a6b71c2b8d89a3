"""Where points are kept for good: hot in a table with a partition a day, later packed by the hour.

`PointStore` is the seam. Whatever stands behind it passes `tests/fleet/telematics/test_store.py`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

from fleet.telematics.store.closing import ClosedDay, CloseFailed
from fleet.telematics.store.copying import copy_bytes
from fleet.telematics.store.postgres import PostgresPointStore

if TYPE_CHECKING:
    import datetime

    from fleet.telematics.records import Points

__all__ = ["CloseFailed", "ClosedDay", "PointStore", "copy_bytes", "point_store"]


class PointStore(Protocol):
    """Keeps points; a point is the same if vehicle and device time are."""

    def append(self, *, fresh: Points, late: Points) -> None:
        """Store points in the caller's transaction; `fresh` ones are known to be new."""

    def track(
        self,
        *,
        vehicle_id: int,
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> Points:
        """All points of a vehicle from `start` to `end`, both included: in order, each once."""
        ...

    def close(self, *, day: datetime.date) -> ClosedDay:
        """Pack the hot points of a day (UTC) away, in the caller's transaction or one of its own.

        Nothing is removed before what replaces it was read back and is the same. Raises
        `CloseFailed`: nothing has changed, and the day can be closed later.
        """
        ...

    def days(self) -> list[datetime.date]:
        """The days that have hot points, oldest first."""
        ...

    def count(self, *, day: datetime.date) -> int:
        """How many points of a day are kept; one that came again after its close counts twice."""
        ...

    def vehicles(self, *, day: datetime.date) -> list[int]:
        """The vehicles that have points on a day."""
        ...

    def months(self) -> list[datetime.date]:
        """The months (their first days) that have packed points, oldest first."""
        ...

    def drop_month(self, *, month: datetime.date, expected: int) -> int | None:
        """Forget the packed points of a month if they are `expected` many; the bytes that came free.

        None if they are not: nothing has changed.
        """
        ...


@cache
def point_store() -> PointStore:
    """The store of this installation."""
    return PostgresPointStore()
