"""What a plan starts from, read from the tables of the fleet."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from django.db.models import Count

from fleet.rebalancing.cells import cell_at, cells_at, centre_of
from fleet.rebalancing.queries.ground import bays_at, charging_hubs, closed_at, workshops_of
from fleet.rebalancing.queries.habit import load_habit, parents_of
from fleet.rebalancing.queries.history import (
    HOUR,
    Changes,
    buckets_of,
    full_hour,
    load_changes,
    state_log,
)
from fleet.rebalancing.rules.backtest import today
from fleet.rebalancing.rules.demand import shrunk_rates
from fleet.rebalancing.rules.forecast import NOWCAST_HOURS
from fleet.rebalancing.rules.habit import Habit, seen_at
from fleet.rebalancing.rules.history import Window, past_of
from fleet.rebalancing.rules.influences import Influence, influence_factors
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import Demand, Situation, VehicleAt
from fleet.rebalancing.solver.problem import Floats, Ints
from fleet.vehicles import rules as vehicle_rules
from fleet.vehicles.models import Vehicle, VehicleHold
from fleet.vehicles.states import BlockReason, LifeState, LinkState, RentalState
from mobility.geography.models import City, Hub

# A battery on the van mends this, and nothing else.
_MENDABLE = frozenset({BlockReason.LOW_BATTERY.value})
# What is read of each vehicle, and no more: there are thousands.
_READ = (
    "pk",
    "type__kind",
    "rental_state",
    "link_state",
    "latest__lon_e7",
    "latest__lat_e7",
    "latest__battery_pct",
    "active_blocks",
)
_BROKEN = frozenset({BlockReason.DAMAGE.value, BlockReason.MAINTENANCE.value})


class _Standing(NamedTuple):
    """A vehicle on the street, as read."""

    vehicle_id: int
    kind: str
    rental: str
    link: str
    lon: float
    lat: float
    battery_pct: int | None
    blocks: frozenset[str]
    cell: int


def city_of(*, organisation_id: int) -> int | None:
    """The city in which an operator has most vehicles, or None without any."""
    most = (
        Vehicle.objects.filter(organisation=organisation_id)
        .values("city")
        .annotate(vehicles=Count("pk"))
        .order_by("-vehicles", "city")
        .first()
    )
    return most and int(most["city"])


def load_situation(
    *,
    organisation_id: int,
    city_id: int,
    parameters: Parameters,
    horizon_start: datetime.datetime,
    at: datetime.datetime,
    habit: Habit | None = None,
) -> Situation:
    """Places, vehicles and expected demand of an operator in a city, in eleven queries, one
    more where hubs count their bays, and four where cars are driven to chargers. With the past
    that a plan kept (`habit`) three less, those that read weeks.

    Places are the cells where a vehicle stands, a state changed or somebody looked within the
    history, and those of the hubs: a van is never sent where nothing speaks for demand.
    """
    habit = habit or load_habit(
        organisation_id=organisation_id, city_id=city_id, parameters=parameters, at=at
    )
    end = full_hour(at)
    vehicles = _vehicles(organisation_id=organisation_id, city_id=city_id, parameters=parameters)
    lately = load_changes(
        organisation_id=organisation_id,
        city_id=city_id,
        kinds=parameters.all_kinds,
        start=end - NOWCAST_HOURS * HOUR,
        end=at,
    )
    hubs = list(Hub.objects.filter(city=city_id))
    spots = _spots(habit=habit, changes=lately, vehicles=vehicles, hubs=hubs)
    cells = sorted(spots.keys() | set(habit.cells.tolist()))
    place_of = {cell: place for place, cell in enumerate(cells)}
    drop_at = [spots.get(cell) or centre_of(cell) for cell in cells]
    lon = np.array([lon for lon, _lat in drop_at])
    lat = np.array([lat for _lon, lat in drop_at])
    ahead = _Ahead(
        buckets=buckets_of(start=horizon_start, hours=parameters.horizon_hours),
        lead_hours=(horizon_start - end) / HOUR + np.arange(float(parameters.horizon_hours)),
        factors=influence_factors(
            [Influence.from_json(each) for each in parameters.influences],
            lon=lon,
            lat=lat,
            horizon_start=horizon_start,
            hours=parameters.horizon_hours,
        ),
        capacity=np.full(len(cells), parameters.place_capacity),
        parents=parents_of(cells),
    )
    demand = {
        kind: _demand(
            habit=habit,
            kind=kind,
            lately=lately.of_kind(kind),
            place_of=place_of,
            prior=_prior(vehicles=vehicles, kind=kind, places=len(cells), parameters=parameters),
            ahead=ahead,
            end=end,
        )
        for kind in parameters.all_kinds
    }
    booked = _booked(
        organisation_id=organisation_id,
        city_id=city_id,
        until=horizon_start + HOUR * parameters.horizon_hours,
    )
    depot = _depot(city_id=city_id, parameters=parameters)
    return Situation(
        cells=np.array(cells, dtype=np.int64),
        lon=lon,
        lat=lat,
        vehicles=tuple(_placed(vehicle, place_of, booked=booked) for vehicle in vehicles),
        demand=demand,
        depot_lon=depot[0],
        depot_lat=depot[1],
        at=at,
        bays=bays_at(
            hubs=hubs,
            place_of=place_of,
            standing=[(vehicle.lon, vehicle.lat) for vehicle in vehicles],
            organisation_id=organisation_id,
            city_id=city_id,
        ),
        closed=closed_at(organisation_id=organisation_id, city_id=city_id, lon=lon, lat=lat, at=at),
        workshops=workshops_of(organisation_id=organisation_id, city_id=city_id, at=at),
        charging=charging_hubs(city_id=city_id, hubs=hubs, parameters=parameters),
    )


def _vehicles(*, organisation_id: int, city_id: int, parameters: Parameters) -> list[_Standing]:
    """Vehicles on the street, of the kinds a plan is about, that have said where they are."""
    rows = list(
        Vehicle.objects.with_condition()
        .filter(
            organisation=organisation_id,
            city=city_id,
            type__kind__in=parameters.all_kinds,
            life_state=LifeState.IN_SERVICE,
            latest__isnull=False,
        )
        .order_by("pk")
        .values_list(*_READ)
    )
    lon, lat = np.array([row[4:6] for row in rows], dtype=np.float64).reshape(-1, 2).T / 1e7
    spots = zip(lon.tolist(), lat.tolist(), cells_at(lon=lon, lat=lat).tolist(), strict=True)
    return [
        _Standing(pk, kind, rental, link, *spot[:2], battery, frozenset(blocks), spot[2])
        for (pk, kind, rental, link, _lon, _lat, battery, blocks), spot in zip(
            rows, spots, strict=True
        )
    ]


def _spots(
    *,
    habit: Habit,
    changes: Changes,
    vehicles: Iterable[_Standing],
    hubs: Iterable[Hub],
) -> dict[int, tuple[float, float]]:
    """Where in each cell to put vehicles: at its hub, else where a vehicle last stood."""
    spots = habit.spots() | changes.spots()
    for vehicle in vehicles:
        spots[vehicle.cell] = (vehicle.lon, vehicle.lat)
    for hub in hubs:
        spots[cell_at(lon=hub.location.x, lat=hub.location.y)] = (hub.location.x, hub.location.y)
    return spots


def _booked(
    *, organisation_id: int, city_id: int, until: datetime.datetime
) -> dict[int, datetime.datetime]:
    """When the next booking of each vehicle begins, within the plan's time."""
    holds = VehicleHold.objects.waiting().filter(
        vehicle__organisation=organisation_id, vehicle__city=city_id, during__startswith__lt=until
    )
    rows = holds.order_by("-during").values_list("vehicle_id", "during")
    return {vehicle_id: during.lower for vehicle_id, during in rows}


def _depot(*, city_id: int, parameters: Parameters) -> tuple[float, float]:
    if parameters.depot_lon is not None and parameters.depot_lat is not None:
        return parameters.depot_lon, parameters.depot_lat
    centre = City.objects.get(pk=city_id).centre
    return centre.x, centre.y


def _placed(
    vehicle: _Standing, place_of: dict[int, int], *, booked: dict[int, datetime.datetime]
) -> VehicleAt:
    free = vehicle.rental == RentalState.FREE
    return VehicleAt(
        vehicle_id=vehicle.vehicle_id,
        kind=vehicle.kind,
        place=place_of[vehicle.cell],
        lon=vehicle.lon,
        lat=vehicle.lat,
        battery_pct=vehicle.battery_pct,
        usable=vehicle_rules.is_rentable(
            life=LifeState.IN_SERVICE,
            rental=vehicle.rental,
            link=vehicle.link,
            blocks=vehicle.blocks,
        ),
        movable=vehicle.vehicle_id not in booked
        and free
        and vehicle.link != LinkState.LOST
        and vehicle.blocks <= _MENDABLE,
        broken=free and bool(vehicle.blocks & _BROKEN),
        booked_at=booked.get(vehicle.vehicle_id) if free else None,
    )


def _prior(*, vehicles: list[_Standing], kind: str, places: int, parameters: Parameters) -> float:
    """Trips per hour of an average place while nothing is known."""
    fleet = sum(vehicle.kind == kind for vehicle in vehicles)
    return parameters.prior_trips_per_vehicle_day * fleet / max(1, places) / 24.0


@dataclass(frozen=True, kw_only=True)
class _Ahead:
    """The hours to come: bucket, distance from now, what staff know of them; and the places."""

    buckets: Ints
    lead_hours: Floats
    factors: Floats  # (place, hour)
    capacity: Ints
    parents: Ints


def _demand(
    *,
    habit: Habit,
    kind: str,
    lately: Changes,
    place_of: dict[int, int],
    prior: float,
    ahead: _Ahead,
    end: datetime.datetime,
) -> Demand:
    """One kind's demand: habit, times what today is like, times what staff know of it."""
    seen = seen_at(habit=habit, kind=kind, place_of=place_of)
    departures, arrivals = (
        shrunk_rates(observed=each, parents=ahead.parents, prior_per_hour=prior).per_hour
        for each in (seen.departures, seen.arrivals)
    )
    start = end - NOWCAST_HOURS * HOUR
    past = past_of(
        log=state_log(changes=lately, place_of=place_of),
        window=Window(bucket_of_hour=buckets_of(start=start, hours=NOWCAST_HOURS)),
        places=len(place_of),
    )
    factors = ahead.factors * today(past, rates=departures, lead_hours=ahead.lead_hours)
    return Demand(
        departures=departures[:, ahead.buckets] * factors,
        arrivals=arrivals[:, ahead.buckets] * factors,
        capacity=ahead.capacity,
        usual=seen.usual[:, ahead.buckets],
        spread=habit.kinds[kind].spread,
        seen=habit.kinds[kind].seen or bool(past.trips.any()),
    )
