"""The city of `bench.ingest`: 588 zones, scooters on trips, and the ways they ride."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.db import connection

from bench.zones import EAST, NORTH, SOUTH, WEST, districts, synthetic
from fleet.telematics import records
from fleet.telematics.models import DeviceAssignment
from fleet.telematics.services import Placement, add_devices, place_vehicles
from fleet.vehicles.models import Vehicle, VehicleType
from fleet.vehicles.states import Kind, LifeState, LinkState, RentalState
from fleet.zones import services as zones
from fleet.zones.rules import Rule
from mobility.accounts.services import ensure_organisation
from mobility.accounts.states import OrganisationKind
from mobility.core import clock, geo, ids
from mobility.core.principals import SYSTEM
from mobility.geography.models import City

E7 = 10_000_000
STEP_S = 1.0
STEP_M = 36.0


@dataclass(frozen=True)
class Fleet:
    """Vehicles on trips, with the secrets of their devices."""

    vehicle_ids: list[int]
    device_ids: list[int]
    secrets: list[str]


# --- the city and its fleet -----------------------------------------------------------------------
def publish_city() -> City:
    """A city with 588 zones in force."""
    at = clock.now()
    comune = ensure_organisation(slug="bench", name={"it": "Banco"}, kind=OrganisationKind.CITY)
    city = City.objects.create(
        slug=f"bench-{ids.short_code().lower()}",
        name={"it": "Banco"},
        organisation=comune,
        boundary=_area(shapely.box(WEST, SOUTH, EAST, NORTH)),
        centre=geo.point((WEST + EAST) / 2, (SOUTH + NORTH) / 2),
    )
    draft = zones.create_draft(
        organisation_id=comune.pk, city_id=city.pk, title="Bench", at=at, by=SYSTEM
    )
    small = synthetic(number=500, seed=500, biggest=0.006)
    slow = (Rule(maximum_speed_kmh=15),)
    drawn = [(shape, "slow", slow) for shape in small[:400]]
    drawn += [(shape, "no_ride", ()) for shape in small[400:]]
    drawn += [(shape, "operating", ()) for shape in districts()]
    drafts = [
        zones.ZoneDraft(
            code=f"z{number}",
            name={"it": str(number)},
            kind=kind,
            boundary=_area(shape),
            rules=rules,
        )
        for number, (shape, kind, rules) in enumerate(drawn)
    ]
    zones.replace_zones(set_id=draft.pk, zones=drafts, at=at, by=SYSTEM)
    zones.publish(set_id=draft.pk, acknowledged=True, at=at, by=SYSTEM)
    return city


def provision(city: City, *, vehicles: int) -> Fleet:
    """Scooters on trips."""
    at = clock.now()
    run = ids.short_code()
    operator = ensure_organisation(
        slug="bench-fleet", name={"it": "Banco"}, kind=OrganisationKind.FLEET_OPERATOR
    )
    model, _created = VehicleType.objects.get_or_create(
        code="bench-scooter",
        defaults={
            "name": {"it": "Monopattino"},
            "kind": Kind.SCOOTER,
            "max_range_m": 40_000,
            "max_speed_kmh": 25,
            "battery_wh": 550,
        },
    )
    made = Vehicle.objects.bulk_create(
        Vehicle(
            organisation=operator,
            city=city,
            type=model,
            code=f"{run}{number}",
            life_state=LifeState.IN_SERVICE,
            rental_state=RentalState.ON_TRIP,
            link_state=LinkState.ONLINE,
        )
        for number in range(vehicles)
    )
    secrets = add_devices(vehicle_codes=[row.code for row in made], at=at, by=SYSTEM)
    # Their points begin before this moment.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE fleet_deviceassignment SET during = tstzrange(lower(during) - interval '1 day',"
            " NULL) WHERE vehicle_id = ANY (%s)",
            [[row.pk for row in made]],
        )
    pairs = DeviceAssignment.objects.filter(vehicle__in=made)
    devices = dict(pairs.values_list("vehicle_id", "device_id"))
    spots = [Placement(vehicle_id=row.pk, lon=9.19, lat=45.46, battery_pct=80) for row in made]
    place_vehicles(places=spots, at=at - datetime.timedelta(hours=1), by=SYSTEM)
    return Fleet(
        vehicle_ids=[row.pk for row in made],
        device_ids=[devices[row.pk] for row in made],
        secrets=[secrets[row.code] for row in made],
    )


def _area(shape: shapely.Geometry) -> MultiPolygon:
    area = GEOSGeometry(memoryview(shapely.to_wkb(shapely.force_2d(shape))), srid=geo.WGS84)
    return area if isinstance(area, MultiPolygon) else MultiPolygon(area, srid=geo.WGS84)


# --- where they ride ------------------------------------------------------------------------------
def ride(vehicles: int, each: int, *, start_s: float, step_s: float = STEP_S) -> Any:
    """Ways through the city, one row a vehicle: points (type `POINT`) in the order of time."""
    chance = np.random.default_rng(vehicles * 1_000 + each)
    turns = chance.normal(0, 0.3, (vehicles, each)).cumsum(axis=1)
    heading = chance.uniform(0, 2 * np.pi, (vehicles, 1)) + turns
    lon = chance.uniform(WEST + 0.05, EAST - 0.05, (vehicles, 1))
    lat = chance.uniform(SOUTH + 0.03, NORTH - 0.03, (vehicles, 1))
    lon = lon + (np.cos(heading) * STEP_M / 78_000).cumsum(axis=1)
    lat = lat + (np.sin(heading) * STEP_M / 111_000).cumsum(axis=1)
    points = np.zeros((vehicles, each), dtype=records.POINT)
    jitter = chance.integers(0, 900, (vehicles, each)) * 1_000
    points["at_us"] = (start_s + np.arange(each) * step_s) * 1e6 + jitter * min(step_s, 1.0)
    points["lon_e7"] = np.rint(_reflected(lon, WEST, EAST) * E7)
    points["lat_e7"] = np.rint(_reflected(lat, SOUTH, NORTH) * E7)
    points["odometer_m"] = np.arange(each) * STEP_M
    points["accuracy_dm"] = chance.integers(20, 120, (vehicles, each))
    points["speed_cms"] = chance.integers(200, 600, (vehicles, each))
    points["heading"] = np.degrees(heading) % 360
    points["battery_pct"], points["locked"], points["tilted"] = 80, 0, 0
    return points


def _reflected(values: Any, low: float, high: float) -> Any:
    """Back into the box, as a billiard ball comes back."""
    span = high - low
    folded = np.abs((values - low) % (2 * span))
    return low + np.where(folded > span, 2 * span - folded, folded)


def bodies(points: Any, *, size: int) -> list[list[bytes]]:
    """The requests of each vehicle, `size` points each, in the order of time."""
    encoded = []
    for row in points:
        reports = [
            {
                "at": int(one["at_us"]) // 1000,
                "lon": int(one["lon_e7"]) / E7,
                "lat": int(one["lat_e7"]) / E7,
                "speed_kmh": round(int(one["speed_cms"]) * 0.036, 1),
                "heading_deg": int(one["heading"]),
                "battery_pct": int(one["battery_pct"]),
                "odometer_m": int(one["odometer_m"]),
                "accuracy_m": int(one["accuracy_dm"]) / 10,
                "locked": False,
            }
            for one in row
        ]
        encoded.append(
            [
                msgspec.json.encode({"points": reports[first : first + size]})
                for first in range(0, len(reports), size)
            ]
        )
    return encoded
