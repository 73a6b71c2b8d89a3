"""A fleet for the benchmark of the staff's pages: vehicles with reports, history, alarms and work."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import connection

from fleet.maintenance.models import WorkOrder
from fleet.telematics.models import Alarm, LatestState
from fleet.telematics.states import SEVERITIES, AlarmKind
from fleet.vehicles.models import Vehicle, VehicleBlock, VehicleEvent, VehicleType
from fleet.vehicles.states import BlockReason, Kind, LifeState, LinkState, RentalState
from mobility.accounts import services as accounts
from mobility.accounts.models import User
from mobility.accounts.states import OrganisationKind, Role
from mobility.core import clock, geo, ids
from mobility.core.principals import SYSTEM
from mobility.geography.models import City

WEST, SOUTH, EAST, NORTH = 9.06, 45.38, 9.30, 45.54


@dataclass(frozen=True)
class Fleet:
    """Who runs it, and the keys of its vehicles."""

    marco: User
    vehicle_ids: list[int]
    prefix: str


def provision(count: int) -> Fleet:
    """An operator with a manager and `count` vehicles, some blocked, some with alarms and work."""
    run, at, chance = ids.short_code(), clock.now(), random.Random(7)
    operator = accounts.ensure_organisation(
        slug=f"bench-{run.lower()}", name={"en": "Bench"}, kind=OrganisationKind.FLEET_OPERATOR
    )
    marco = User.objects.create_user(f"{run.lower()}@bench.example", language="en")
    accounts.grant_role(
        user=marco, organisation=operator, role=Role.FLEET_OPERATOR, at=at, by=SYSTEM
    )
    square = MultiPolygon(Polygon.from_bbox((WEST, SOUTH, EAST, NORTH)), srid=geo.WGS84)
    city = City.objects.create(
        slug=f"bench-{run.lower()}",
        name={"en": "Bench"},
        organisation=operator,
        boundary=square,
        centre=geo.point(9.2, 45.45),
    )
    made = Vehicle.objects.bulk_create(
        [
            Vehicle(
                organisation=operator,
                city=city,
                type=_type(chance.choice(list(Kind))),
                code=f"{run}{number:05}",
                life_state=LifeState.IN_SERVICE,
                link_state=LinkState.ONLINE,
                rental_state=chance.choice([RentalState.FREE] * 9 + [RentalState.ON_TRIP]),
            )
            for number in range(count)
        ]
    )
    _tell(made, chance, at=at)
    _trouble(made, chance, at=at)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Fleet(marco=marco, vehicle_ids=[row.pk for row in made], prefix=run)


_types: dict[str, VehicleType] = {}


def _type(kind: Kind) -> VehicleType:
    if kind not in _types:
        _types[kind], _created = VehicleType.objects.get_or_create(
            code=f"bench-{kind}",
            defaults={
                "name": {"en": str(kind.label)},
                "kind": kind,
                "max_range_m": 40_000,
                "max_speed_kmh": 20,
                "battery_wh": 550,
            },
        )
    return _types[kind]


def _tell(vehicles: Sequence[Vehicle], chance: random.Random, *, at: datetime.datetime) -> None:
    """A last report and some history of each."""
    LatestState.objects.bulk_create(
        [
            LatestState(
                vehicle=vehicle,
                at=at,
                received_at=at,
                lon_e7=round(chance.uniform(WEST, EAST) * 1e7),
                lat_e7=round(chance.uniform(SOUTH, NORTH) * 1e7),
                heading=chance.randrange(360),
                battery_pct=chance.randrange(101),
                odometer_m=chance.randrange(3_000_000),
                locked=True,
            )
            for vehicle in vehicles
        ]
    )
    VehicleEvent.objects.bulk_create(
        [
            VehicleEvent(
                vehicle=vehicle,
                at=at - datetime.timedelta(hours=hours),
                mds_state="available",
                mds_events=["trip_end"],
                life_state="in_service",
                rental_state="free",
                link_state="online",
                by=SYSTEM,
            )
            for vehicle in vehicles
            for hours in (1, 5, 9)
        ],
        batch_size=5_000,
    )


def _trouble(vehicles: Sequence[Vehicle], chance: random.Random, *, at: datetime.datetime) -> None:
    """One in eight blocked, one in fifty with an alarm, one in fifty with work."""
    reasons = (BlockReason.LOW_BATTERY, BlockReason.MAINTENANCE, BlockReason.DAMAGE)
    blocked = chance.sample(list(vehicles), len(vehicles) // 8)
    VehicleBlock.objects.bulk_create(
        [
            VehicleBlock(vehicle=row, reason=chance.choice(reasons), since=at, placed_by=SYSTEM)
            for row in blocked
        ]
    )
    kinds = list(AlarmKind)
    loud = chance.sample(list(vehicles), len(vehicles) // 50)
    Alarm.objects.bulk_create(
        [
            Alarm(
                vehicle=row,
                kind=kinds[place % len(kinds)],
                severity=SEVERITIES[kinds[place % len(kinds)]],
                opened_at=at,
                last_seen_at=at,
            )
            for place, row in enumerate(loud)
        ]
    )
    WorkOrder.objects.bulk_create(
        [
            WorkOrder(
                vehicle=row, reason="tyre", priority=1 + place % 4, opened_at=at, opened_by=SYSTEM
            )
            for place, row in enumerate(chance.sample(list(vehicles), len(vehicles) // 50))
        ]
    )
