"""A city for the benchmark of the plan, in the database: places, vehicles, a week of their trips."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h3.api.basic_int as h3
import numpy as np
from django.db import connection

from fleet.rebalancing.cells import RESOLUTION, centre_of
from fleet.rebalancing.rules.demand import PRIOR_PROFILE
from fleet.telematics.models import LatestState
from fleet.vehicles.models import Vehicle, VehicleBlock, VehicleEvent, VehicleType
from fleet.vehicles.states import BlockReason, LifeState, LinkState, RentalState
from mobility.accounts import services as accounts
from mobility.accounts.states import OrganisationKind
from mobility.core import geo
from mobility.core.clock import local
from mobility.core.principals import SYSTEM
from mobility.geography.models import City

MIDDLE = (9.19, 45.464)
TRIPS_A_DAY = 2.0  # of one vehicle
DAYS = 7
LOW_PCT = 20


@dataclass(frozen=True)
class Town:
    """Cells with their pull by hour of day as the start and as the end of trips."""

    lon: np.ndarray[Any, np.dtype[np.float64]]
    lat: np.ndarray[Any, np.dtype[np.float64]]
    start: np.ndarray[Any, np.dtype[np.float64]]  # (hour, cell), each row sums to 1
    end: np.ndarray[Any, np.dtype[np.float64]]


def provision(*, places: int, vehicles: int, at: datetime.datetime, seed: int = 11) -> int:
    """An operator whose people ride inwards in the morning and outwards in the evening; its id."""
    chance = np.random.default_rng(seed)
    operator = accounts.ensure_organisation(
        slug="bench-plan", name={"en": "Bench"}, kind=OrganisationKind.FLEET_OPERATOR
    )
    city = City.objects.create(
        slug="bench-plan", name={"en": "Bench"}, organisation=operator, centre=geo.point(*MIDDLE)
    )
    scooter, _created = VehicleType.objects.get_or_create(
        code="bench-plan",
        defaults={
            "name": {"en": "Scooter"}, "kind": "scooter", "max_range_m": 40_000,
            "max_speed_kmh": 20, "battery_wh": 550,
        },
    )  # fmt: skip
    rows = Vehicle.objects.bulk_create(
        [
            Vehicle(
                organisation=operator,
                city=city,
                type=scooter,
                code=f"P{number:05}",
                life_state=LifeState.IN_SERVICE,
                link_state=LinkState.ONLINE,
                rental_state=RentalState.FREE,
            )
            for number in range(vehicles)
        ],
        batch_size=2_000,
    )
    town = _town(places, chance)
    standing = chance.choice(places, size=vehicles, p=town.end.mean(axis=0))
    VehicleEvent.objects.bulk_create(_week(rows, standing, town, chance, at=at), batch_size=2_000)
    _tell(rows, standing, town, chance, at=at)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return operator.pk


def _town(places: int, chance: np.random.Generator) -> Town:
    rings = 0
    while 1 + 3 * rings * (rings + 1) < places:
        rings += 1
    middle = h3.latlng_to_cell(MIDDLE[1], MIDDLE[0], RESOLUTION)
    cells = sorted(h3.grid_disk(middle, rings), key=lambda cell: h3.grid_distance(middle, cell))
    centres = np.array([centre_of(cell) for cell in cells[:places]])
    radius = np.array([h3.grid_distance(middle, cell) for cell in cells[:places]]) / max(1, rings)
    level = chance.gamma(1.2, 1.0, places) * np.exp(-((radius / 0.7) ** 2))
    hours = np.arange(24)
    rush = np.exp(-((hours - 8.5) ** 2) / 4.0) - np.exp(-((hours - 18.0) ** 2) / 6.0)
    inwards = rush[:, None] * (0.5 - radius)[None, :]
    start = level * np.clip(1.0 - inwards, 0.2, None)
    end = level * np.clip(1.0 + inwards, 0.2, None)
    return Town(
        lon=centres[:, 0],
        lat=centres[:, 1],
        start=start / start.sum(axis=1, keepdims=True),
        end=end / end.sum(axis=1, keepdims=True),
    )


def _week(
    rows: list[Vehicle],
    standing: np.ndarray[Any, np.dtype[np.int64]],
    town: Town,
    chance: np.random.Generator,
    *,
    at: datetime.datetime,
) -> Iterator[VehicleEvent]:
    """Every hour some trips begin, where they are wanted and a vehicle stands; leaves `standing` as
    it is in the end."""
    begin = at - datetime.timedelta(days=DAYS)
    shape = PRIOR_PROFILE / PRIOR_PROFILE.sum()
    for number, vehicle in enumerate(rows):
        yield _event(vehicle, begin, town, standing[number], "available", "on_hours")
    for hour in range(24 * DAYS):
        moment = begin + datetime.timedelta(hours=hour)
        of_day = local(moment).hour
        trips = chance.poisson(TRIPS_A_DAY * len(rows) * shape[of_day])
        weight = town.start[of_day][standing]
        riders = chance.choice(
            len(rows), size=min(trips, len(rows)), replace=False, p=weight / weight.sum()
        )
        goals = chance.choice(town.lon.size, size=riders.size, p=town.end[of_day])
        for number, goal in zip(riders, goals, strict=True):
            leaves = moment + datetime.timedelta(minutes=float(chance.uniform(0, 40)))
            yield _event(rows[number], leaves, town, standing[number], "on_trip", "trip_start")
            standing[number] = goal
            arrives = leaves + datetime.timedelta(minutes=14)
            yield _event(rows[number], arrives, town, goal, "available", "trip_end")


def _event(
    vehicle: Vehicle, at: datetime.datetime, town: Town, cell: int, state: str, word: str
) -> VehicleEvent:
    return VehicleEvent(
        vehicle=vehicle,
        at=at,
        mds_state=state,
        mds_events=[word],
        life_state="in_service",
        rental_state="on_trip" if state == "on_trip" else "free",
        link_state="online",
        lon=float(town.lon[cell]),
        lat=float(town.lat[cell]),
        by=SYSTEM,
    )


def _tell(
    rows: list[Vehicle],
    standing: np.ndarray[Any, np.dtype[np.int64]],
    town: Town,
    chance: np.random.Generator,
    *,
    at: datetime.datetime,
) -> None:
    """A last report of each; one in six needs a battery."""
    battery = chance.integers(5, 101, len(rows))
    LatestState.objects.bulk_create(
        [
            LatestState(
                vehicle=vehicle,
                at=at,
                received_at=at,
                lon_e7=round(float(town.lon[cell]) * 1e7),
                lat_e7=round(float(town.lat[cell]) * 1e7),
                heading=0,
                battery_pct=int(pct),
                odometer_m=0,
                locked=True,
            )
            for vehicle, cell, pct in zip(rows, standing, battery, strict=True)
        ],
        batch_size=2_000,
    )
    VehicleBlock.objects.bulk_create(
        VehicleBlock(vehicle=vehicle, reason=BlockReason.LOW_BATTERY, since=at, placed_by=SYSTEM)
        for vehicle, pct in zip(rows, battery, strict=True)
        if pct < LOW_PCT
    )
