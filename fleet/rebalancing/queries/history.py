"""The past as arrays: state changes and searches of a window of whole hours."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from django.db import connection

from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.models import DemandCount
from fleet.rebalancing.rules.demand import BUCKETS
from fleet.rebalancing.rules.history import Searches, StateLog, Window, starts_by_place
from fleet.rebalancing.rules.score import Ride
from fleet.rebalancing.solver.problem import Floats, Ints
from fleet.vehicles.mds_tables import MdsState
from fleet.vehicles.models import Vehicle, VehicleEvent, VehicleType
from mobility.core import clock

HOUR = datetime.timedelta(hours=1)
TRIP_STARTS = "trip_start"
TRIP_ENDS = "trip_end"

# One look into the index for each vehicle, however long the history before is.
_BEFORE = f"""
SELECT vehicle.id, type.kind, last.at, last.mds_state, last.mds_events, last.lon, last.lat
FROM {Vehicle._meta.db_table} vehicle
JOIN {VehicleType._meta.db_table} type ON type.id = vehicle.type_id
JOIN LATERAL (
    SELECT at, mds_state, mds_events, lon, lat FROM {VehicleEvent._meta.db_table}
    WHERE vehicle_id = vehicle.id AND at < %s
    ORDER BY at DESC, id DESC LIMIT 1
) last ON true
WHERE vehicle.organisation_id = %s AND vehicle.city_id = %s AND type.kind = ANY(%s)
ORDER BY vehicle.id
"""  # noqa: S608 -- the tables' own names


@dataclass(frozen=True, kw_only=True)
class Change:
    """One row of the state history, with its cell."""

    vehicle_id: int
    kind: str
    at: datetime.datetime
    state: str
    events: tuple[str, ...]
    cell: int | None
    lon: float | None
    lat: float | None


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
) -> list[Change]:
    """State changes of an operator's vehicles, by vehicle and time; two queries.

    Each vehicle's last change before the window comes first, so that a vehicle that stood still
    all the time is seen standing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, [start, organisation_id, city_id, list(kinds)])
        before = cursor.fetchall()
    within = VehicleEvent.objects.filter(
        vehicle__organisation=organisation_id,
        vehicle__city=city_id,
        vehicle__type__kind__in=kinds,
        at__gte=start,
        at__lt=end,
    ).order_by("vehicle_id", "at", "id")
    columns = ("vehicle_id", "vehicle__type__kind", "at", "mds_state", "mds_events", "lon", "lat")
    rows = chain(before, within.values_list(*columns).iterator(chunk_size=10_000))
    found = [_change(*row) for row in rows]
    return sorted(found, key=lambda change: (change.vehicle_id, change.at))


def state_log(
    *, changes: list[Change], place_of: dict[int, int], start: datetime.datetime
) -> StateLog:
    """The changes as arrays; `place_of` numbers the cells."""
    places = [-1 if c.cell is None else place_of.get(c.cell, -1) for c in changes]
    hours = [(change.at - start) / HOUR for change in changes]
    return StateLog(
        vehicle=np.array([change.vehicle_id for change in changes], dtype=np.int64),
        at=np.array(hours, dtype=np.float64),
        place=np.array(places, dtype=np.int64),
        available=np.array([c.state == MdsState.AVAILABLE for c in changes], dtype=bool),
        started=np.array([TRIP_STARTS in change.events for change in changes], dtype=bool),
        ended=np.array([TRIP_ENDS in change.events for change in changes], dtype=bool),
    )


def load_counts(
    *, start: datetime.datetime, end: datetime.datetime
) -> list[tuple[int, str, int, int, int]]:
    """Searches of the window: cell, kind, hour from the start, searched, found; one query."""
    rows = DemandCount.objects.filter(hour__gte=start, hour__lt=end).values_list(
        "cell", "kind", "hour", "searched", "found"
    )
    return [
        (cell, kind, int((hour - start) / HOUR), searched, found)
        for cell, kind, hour, searched, found in rows
    ]


def searches_of(
    *,
    counts: list[tuple[int, str, int, int, int]],
    kind: str,
    kinds: tuple[str, ...],
    place_of: dict[int, int],
    window: Window,
) -> Searches:
    """Searches of one kind by place and hour; a search for any kind counts for each in part."""
    searched, found = (np.zeros((len(place_of), window.hours)) for _ in range(2))
    for cell, wanted, hour, looked, seen in counts:
        if cell in place_of and wanted in (kind, ""):
            weight = 1.0 if wanted else 1.0 / len(kinds)
            searched[place_of[cell], hour] += weight * looked
            found[place_of[cell], hour] += weight * seen
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
        mine = [change for change in changes if change.kind == kind]
        cells = sorted({change.cell for change in mine if change.cell is not None})
        place_of = {cell: place for place, cell in enumerate(cells)}
        log = state_log(changes=mine, place_of=place_of, start=start)
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


def _change(
    vehicle_id: int,
    kind: str,
    at: datetime.datetime,
    state: str,
    events: list[str],
    lon: float | None,
    lat: float | None,
) -> Change:
    cell = None if lon is None or lat is None else cell_at(lon=lon, lat=lat)
    return Change(
        vehicle_id=vehicle_id,
        kind=kind,
        at=at,
        state=state,
        events=tuple(events),
        cell=cell,
        lon=lon,
        lat=lat,
    )
