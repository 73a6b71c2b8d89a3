"""What binds the vans of a plan: their rows, depots, closed hours, room to park, chargers."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from django.contrib.gis.geos import MultiPolygon

from charging.stations.queries import public_sites
from charging.stations.states import Availability, ConnectorStatus
from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.models import RebalancingTask
from fleet.rebalancing.rules.hours import MINUTE, Interval, daily, merged, outside
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import ChargingHub, Workshop
from fleet.rebalancing.rules.vans import VanSpec
from fleet.rebalancing.solver.problem import Floats, Ints
from fleet.vans import queries as vans
from fleet.vans.models import Depot, Van
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import LifeState
from mobility.core.clock import CITY_ZONE
from mobility.core.geo import haversine_m
from mobility.core.texts import pick
from mobility.geography.models import Hub

# A plan's vans drive within this many days.
DAYS = 2
# A vehicle that stands no farther from a hub than this takes one of its bays.
BAY_M = 60.0
# Where nobody counts bays.
PLENTY = 10_000


def specs_of(*, organisation_id: int, city_id: int, at: datetime.datetime) -> list[VanSpec]:
    """The operator's vans as a plan asked for at `at` reckons with them: each with the shift that
    is running or comes next, cut to the hours of its depots. A van whose depots are shut all shift
    has no time."""
    rows = vans.driving_vans(organisation_id=organisation_id, city_id=city_id)
    return [_spec(van, at=at) for van in rows]


def _spec(van: Van, *, at: datetime.datetime) -> VanSpec:
    end = van.end or van.start
    length = van.shift_minutes * MINUTE
    begins = _next_shift(van, at=at)
    begins = max(begins, _opens(van.start, at=begins))
    ends = min(begins + length, _shuts(end, at=begins))
    return VanSpec(
        van_id=str(van.public_id),
        name=van.name,
        capacity=van.capacity,
        packs=van.packs,
        start=(van.start.lon, van.start.lat),
        end=(end.lon, end.lat),
        shift_minutes=float(van.shift_minutes),
        begins=begins,
        ends=max(begins, ends),
    )


def _next_shift(van: Van, *, at: datetime.datetime) -> datetime.datetime:
    """When the van's running shift began, or its next one will."""
    if van.shift_start is None:
        return at
    length = van.shift_minutes * MINUTE
    # Days on which it does not drive are left out, a whole week of them at most.
    shifts = daily(
        since=van.shift_start,
        until=van.shift_start,
        weekdays=van.weekdays,
        at=at,
        days=8,
        zone=CITY_ZONE,
    )
    return next((start for start, _end in shifts if start + length > at), at)


def _shut(depot: Depot, *, at: datetime.datetime) -> list[Interval]:
    """When a depot is closed around `at`."""
    if depot.opens is None or depot.closes is None:
        return []
    hours = daily(
        since=depot.opens, until=depot.closes, weekdays=(), at=at, days=DAYS, zone=CITY_ZONE
    )
    return outside(hours, at=at, days=DAYS)


def _opens(depot: Depot, *, at: datetime.datetime) -> datetime.datetime:
    """The first moment from `at` on at which a depot is open."""
    return next((end for start, end in _shut(depot, at=at) if start <= at < end), at)


def _shuts(depot: Depot, *, at: datetime.datetime) -> datetime.datetime:
    """When a depot that is open at `at` closes next; `at` itself where it is shut."""
    later = (start for start, end in _shut(depot, at=at) if end > at)
    return max(at, next(later, at + DAYS * 24 * 60 * MINUTE))


def workshops_of(
    *, organisation_id: int, city_id: int, at: datetime.datetime
) -> tuple[Workshop, ...]:
    """Where vans unload broken vehicles; one query."""
    return tuple(
        Workshop(
            name=depot.name,
            cell=cell_at(lon=depot.lon, lat=depot.lat),
            lon=depot.lon,
            lat=depot.lat,
            closed=tuple(_shut(depot, at=at)),
        )
        for depot in vans.workshops(organisation_id=organisation_id, city_id=city_id)
    )


def closed_at(
    *, organisation_id: int, city_id: int, lon: Floats, lat: Floats, at: datetime.datetime
) -> dict[int, tuple[Interval, ...]]:
    """When no crew may work, by place; one query."""
    shut: defaultdict[int, list[Interval]] = defaultdict(list)
    for row in vans.closed_hours(organisation_id=organisation_id, city_id=city_id):
        hours = daily(
            since=row.since,
            until=row.until,
            weekdays=row.weekdays,
            at=at,
            days=DAYS,
            zone=CITY_ZONE,
        )
        for place in _inside(row.area, lon=lon, lat=lat):
            shut[place] += hours
    return {place: tuple(merged(hours)) for place, hours in shut.items()}


def _inside(area: MultiPolygon, *, lon: Floats, lat: Floats) -> list[int]:
    shape = shapely.from_wkb(bytes(area.wkb))
    return [int(place) for place in np.flatnonzero(shapely.contains_xy(shape, lon, lat))]


def bays_at(
    *,
    hubs: Iterable[Hub],
    place_of: dict[int, int],
    standing: Sequence[tuple[float, float]],
    organisation_id: int,
    city_id: int,
) -> Ints:
    """Vehicles that still find room at each place: a hub's bays less what stands there, whoever's
    it is (the operator's own at `standing`); one query. Places without a hub that counts have plenty."""
    counted = [hub for hub in hubs if hub.capacity is not None]
    bays = np.full(len(place_of), PLENTY, dtype=np.int64)
    if not counted:
        return bays
    others = Vehicle.objects.filter(
        city=city_id, life_state=LifeState.IN_SERVICE, latest__isnull=False
    ).exclude(organisation=organisation_id)
    spots = [
        *standing,
        *(
            (lon / 1e7, lat / 1e7)
            for lon, lat in others.values_list("latest__lon_e7", "latest__lat_e7")
        ),
    ]
    lon, lat = np.array(spots, dtype=np.float64).reshape(-1, 2).T
    free: Counter[int] = Counter()
    for hub in counted:
        cell = cell_at(lon=hub.location.x, lat=hub.location.y)
        near = haversine_m(hub.location.x, hub.location.y, lon, lat) <= BAY_M
        free[place_of[cell]] += max(0, (hub.capacity or 0) - int(np.count_nonzero(near)))
    for place, room in free.items():
        bays[place] = room
    return bays


def charging_hubs(
    *, city_id: int, hubs: Iterable[Hub], parameters: Parameters
) -> tuple[ChargingHub, ...]:
    """Sites within a short walk of a hub of the city, with the connectors that are free there."""
    if not parameters.driven_cents:
        return ()
    own = list(hubs)
    found = []
    for site in public_sites():
        lon, lat = site.location.x, site.location.y
        near = any(
            haversine_m(lon, lat, hub.location.x, hub.location.y) <= BAY_M * 5 for hub in own
        )
        free = sum(
            connector.status == ConnectorStatus.AVAILABLE
            and connector.availability == Availability.OPERATIVE
            for station in site.stations.all()
            for evse in station.evses.all()
            for connector in evse.connectors.all()
        )
        if near and free:
            found.append(
                ChargingHub(
                    name=pick(site.name),
                    cell=cell_at(lon=lon, lat=lat),
                    lon=lon,
                    lat=lat,
                    free=free,
                )
            )
    return tuple(found)


def aboard_since_before(
    *, organisation_id: int, city_id: int
) -> dict[str, dict[bool, Counter[str]]]:
    """What stands on the vans from earlier plans, by the van's name, whether it is broken, and kind;
    one query."""
    found: defaultdict[str, dict[bool, Counter[str]]] = defaultdict(
        lambda: {False: Counter(), True: Counter()}
    )
    rows = RebalancingTask.objects.aboard().filter(
        plan__organisation=organisation_id, plan__city=city_id
    )
    for task in rows.select_related("plan"):
        fleet = task.plan.parameters.get("fleet") or []
        key = fleet[task.van]["van"] if task.van < len(fleet) else str(task.van)
        found[key][task.reason == "maintenance"][task.vehicle_kind] += 1
    return dict(found)
