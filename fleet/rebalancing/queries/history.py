"""The past as arrays: state changes and searches of a window of whole hours."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from fleet.rebalancing.cells import NOWHERE, cell_at, cells_at
from fleet.rebalancing.models import DemandCount
from fleet.rebalancing.rules.demand import BUCKETS
from fleet.rebalancing.rules.history import Flags, Searches, StateLog, Window, starts_by_place
from fleet.rebalancing.rules.score import Ride
from fleet.rebalancing.solver.problem import Floats, Ints
from fleet.vehicles.mds_tables import MdsState
from fleet.vehicles.models import Vehicle, VehicleEvent, VehicleType
from mobility.core import clock

HOUR = datetime.timedelta(hours=1)
TRIP_STARTS = "trip_start"
TRIP_ENDS = "trip_end"

# What is read of a change: when, in hours from the start; the rest as the rules count it. Columns of
# numbers, because a month of a city is half a million rows.
_READ = """
    EXTRACT(EPOCH FROM event.at - %(start)s)::float8 / 3600.0,
    event.lon, event.lat,
    event.mds_state = %(available)s,
    %(starts)s = ANY(event.mds_events), %(ends)s = ANY(event.mds_events)
"""
_OF_FLEET = """
    vehicle.organisation_id = %(organisation)s AND vehicle.city_id = %(city)s
    AND type.kind = ANY(%(kinds)s)
"""
_VEHICLES = f"""
    {Vehicle._meta.db_table} vehicle
    JOIN {VehicleType._meta.db_table} type ON type.id = vehicle.type_id
"""
# One look into the index for each vehicle, however long the history before is.
_BEFORE = f"""
SELECT vehicle.id, type.kind, {_READ} FROM {_VEHICLES}
JOIN LATERAL (
    SELECT at, mds_state, mds_events, lon, lat FROM {VehicleEvent._meta.db_table}
    WHERE vehicle_id = vehicle.id AND at < %(start)s
    ORDER BY at DESC, id DESC LIMIT 1
) event ON true
WHERE {_OF_FLEET}
ORDER BY vehicle.id
"""  # noqa: S608 -- the tables' own names
_WITHIN = f"""
SELECT vehicle.id, type.kind, {_READ} FROM {_VEHICLES}
JOIN {VehicleEvent._meta.db_table} event ON event.vehicle_id = vehicle.id
WHERE {_OF_FLEET} AND event.at >= %(start)s AND event.at < %(end)s
ORDER BY vehicle.id, event.at, event.id
"""  # noqa: S608 -- the tables' own names


_COUNTS = f"""
SELECT cell, kind, (EXTRACT(EPOCH FROM hour - %(start)s) / 3600)::int, searched, found
FROM {DemandCount._meta.db_table} WHERE hour >= %(start)s AND hour < %(end)s
"""  # noqa: S608 -- the table's own name


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Searches as columns: where, for which kind (empty: any), in which hour of the window."""

    cell: Ints
    kind: NDArray[np.str_]
    hour: Ints
    searched: Floats
    found: Floats


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Rows of the state history as columns, with their cells, by vehicle and time."""

    vehicle: Ints
    kind: NDArray[np.str_]
    at: Floats  # hours from the start of what was asked for; may be negative
    cell: Ints  # `NOWHERE` where no position is known
    lon: Floats
    lat: Floats
    available: Flags  # rentable from here on
    started: Flags  # a trip began
    ended: Flags  # a trip ended

    def chosen(self, which: Flags | Ints) -> Changes:
        """Some of the rows."""
        return Changes(**{each.name: getattr(self, each.name)[which] for each in fields(self)})

    def of_kind(self, kind: str) -> Changes:
        """Those of one kind of vehicle."""
        return self.chosen(self.kind == kind)

    def spots(self) -> dict[int, tuple[float, float]]:
        """Where in each cell a vehicle last stood."""
        latest_first = self.chosen(np.argsort(self.at, kind="stable")[::-1])
        cells, first = np.unique(latest_first.cell, return_index=True)
        lon, lat = latest_first.lon[first].tolist(), latest_first.lat[first].tolist()
        spots = dict(zip(cells.tolist(), zip(lon, lat, strict=True), strict=True))
        spots.pop(NOWHERE, None)
        return spots


def full_hour(at: datetime.datetime) -> datetime.datetime:
    """The hour that an instant lies in."""
    return at.replace(minute=0, second=0, microsecond=0)


def buckets_of(*, start: datetime.datetime, hours: int) -> Ints:
    """Bucket of the week of each hour: weekday hours 0..23, weekend hours 24..47, city time."""
    local = [clock.local(start + HOUR * step) for step in range(hours)]
    buckets = [moment.hour + (BUCKETS // 2 if moment.weekday() >= 5 else 0) for moment in local]
    return np.array(buckets, dtype=np.int64)


def load_changes(
    *,
    organisation_id: int,
    city_id: int,
    kinds: Iterable[str],
    start: datetime.datetime,
    end: datetime.datetime,
) -> Changes:
    """State changes of an operator's vehicles, by vehicle and time; two queries.

    Each vehicle's last change before the window comes first, so that a vehicle that stood still
    all the time is seen standing.
    """
    asked: dict[str, Any] = {
        "organisation": organisation_id,
        "city": city_id,
        "kinds": list(kinds),
        "start": start,
        "end": end,
        "available": MdsState.AVAILABLE,
        "starts": TRIP_STARTS,
        "ends": TRIP_ENDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, asked)
        rows = cursor.fetchall()
        cursor.execute(_WITHIN, asked)
        rows += cursor.fetchall()
    return _as_columns(rows)


def _as_columns(rows: list[tuple[Any, ...]]) -> Changes:
    """In the order of vehicles and times; of what happened at once, the later row last."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    vehicle, kind, at, lon, lat, available, started, ended = columns
    found = Changes(
        vehicle=np.array(vehicle, dtype=np.int64),
        kind=np.array(kind, dtype=np.str_),
        at=np.array(at, dtype=np.float64),
        cell=cells_at(lon=np.array(lon, dtype=np.float64), lat=np.array(lat, dtype=np.float64)),
        lon=np.array(lon, dtype=np.float64),
        lat=np.array(lat, dtype=np.float64),
        available=np.array(available, dtype=bool),
        started=np.array(started, dtype=bool),
        ended=np.array(ended, dtype=bool),
    )
    return found.chosen(np.lexsort((found.at, found.vehicle)))


def state_log(*, changes: Changes, place_of: Mapping[int, int]) -> StateLog:
    """The changes by place; `place_of` numbers the cells."""
    cells, which = np.unique(changes.cell, return_inverse=True)
    places = np.array([place_of.get(cell, -1) for cell in cells.tolist()], dtype=np.int64)
    return StateLog(
        vehicle=changes.vehicle,
        at=changes.at,
        place=places[which],
        available=changes.available,
        started=changes.started,
        ended=changes.ended,
    )


def load_counts(*, start: datetime.datetime, end: datetime.datetime) -> Counts:
    """Searches of the window; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"start": start, "end": end})
        rows = cursor.fetchall()
    cell, kind, hour, searched, found = zip(*rows, strict=True) if rows else [()] * 5
    return Counts(
        cell=np.array(cell, dtype=np.int64),
        kind=np.array(kind, dtype=np.str_),
        hour=np.array(hour, dtype=np.int64),
        searched=np.array(searched, dtype=np.float64),
        found=np.array(found, dtype=np.float64),
    )


def searches_of(
    *,
    counts: Counts,
    kind: str,
    kinds: tuple[str, ...],
    place_of: Mapping[int, int],
    window: Window,
) -> Searches:
    """Searches of one kind by place and hour; a search for any kind counts for each in part."""
    cells, which = np.unique(counts.cell, return_inverse=True)
    places = np.array([place_of.get(cell, -1) for cell in cells.tolist()], dtype=np.int64)
    of_any = counts.kind == ""
    mine = (of_any | (counts.kind == kind)) & (places[which] >= 0)
    weight = np.where(of_any, 1.0 / len(kinds), 1.0)[mine]
    at = places[which][mine], counts.hour[mine]
    searched, found = (np.zeros((len(place_of), window.hours)) for _ in range(2))
    np.add.at(searched, at, weight * counts.searched[mine])
    np.add.at(found, at, weight * counts.found[mine])
    return Searches(searched=searched, found=found)


def departures_by_cell(
    *,
    organisation_id: int,
    city_id: int,
    kinds: tuple[str, ...],
    start: datetime.datetime,
    end: datetime.datetime,
) -> dict[str, dict[int, float]]:
    """Trips that began in the window, by kind and cell."""
    changes = load_changes(
        organisation_id=organisation_id, city_id=city_id, kinds=kinds, start=start, end=end
    )
    hours = int((end - start) / HOUR)
    window = Window(bucket_of_hour=buckets_of(start=start, hours=hours))
    result: dict[str, dict[int, float]] = {}
    for kind in kinds:
        mine = changes.of_kind(kind)
        cells = [cell for cell in np.unique(mine.cell).tolist() if cell != NOWHERE]
        place_of = {cell: place for place, cell in enumerate(cells)}
        log = state_log(changes=mine, place_of=place_of)
        starts: Floats = starts_by_place(log=log, window=window, places=len(cells))
        result[kind] = {cell: float(count) for cell, count in zip(cells, starts, strict=True)}
    return result


def rides_of(
    *, vehicle_ids: Iterable[int], start: datetime.datetime, end: datetime.datetime
) -> list[Ride]:
    """Rides of some vehicles that began in the window; one query."""
    rows = VehicleEvent.objects.filter(
        vehicle__in=list(vehicle_ids), at__gte=start, at__lt=end, mds_events__contains=[TRIP_STARTS]
    ).values_list("vehicle_id", "at", "lon", "lat")
    return [
        Ride(
            vehicle_id=vehicle_id,
            at=at,
            cell=None if lon is None or lat is None else cell_at(lon=lon, lat=lat),
        )
        for vehicle_id, at, lon, lat in rows
    ]
