"""Reading what vehicles reported: near a place, the latest of one, the way of a trip."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet

from fleet.telematics.models import LatestState
from fleet.telematics.rules import jumps
from fleet.telematics.rules.way import Way, way_of
from fleet.telematics.store import point_store
from fleet.vehicles import rules
from fleet.vehicles.models import Vehicle
from mobility.core.geo import EARTH_RADIUS_M, haversine_m
from mobility.core.prepared import prepared

if TYPE_CHECKING:
    from fleet.telematics.records import Points

_E7 = 1e7
_METRES_PER_DEGREE = math.radians(1) * EARTH_RADIUS_M


@dataclass(frozen=True, kw_only=True)
class NearbyVehicle:
    """A vehicle a resident could take, as seen from a place."""

    vehicle_id: int
    public_id: UUID
    code: str
    kind: str
    type_code: str
    type_name: Mapping[str, str]
    lon: float
    lat: float
    battery_pct: int | None
    range_m: int | None
    distance_m: float
    hub_id: int | None
    organisation_id: int
    reported_at: datetime.datetime


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a vehicle last said it was, and how it stood there."""

    lon: float
    lat: float
    accuracy_m: float | None
    at: datetime.datetime
    speed_kmh: float | None
    locked: bool | None
    battery_pct: int | None


def vehicles_near(
    *,
    lon: float,
    lat: float,
    radius_m: float,
    kind: str | None,
    at: datetime.datetime,
    limit: int,
) -> list[NearbyVehicle]:
    """Rentable vehicles within `radius_m` metres, nearest first; one query.

    The database cuts a box out of the latest states by plain comparison: they change too often to
    carry a spatial index, and a few thousand rows are scanned in a millisecond.
    """
    west, east, south, north = _box_e7(lon, lat, radius_m)
    vehicles = (
        Vehicle.objects.rentable()
        .filter(latest__lon_e7__range=(west, east), latest__lat_e7__range=(south, north))
        .select_related("type", "latest")
    )
    if kind is not None:
        vehicles = vehicles.filter(type__kind=kind)
    near = [_nearby(vehicle, lon, lat) for vehicle in vehicles]
    in_reach = [vehicle for vehicle in near if vehicle.distance_m <= radius_m]
    in_reach.sort(key=lambda vehicle: (vehicle.distance_m, vehicle.vehicle_id))
    return in_reach[:limit]


def latest_position(*, vehicle_id: int) -> Position | None:
    """The newest report of a vehicle, or None if it never spoke."""
    latest = LatestState.objects.filter(pk=vehicle_id).first()
    if latest is None:
        return None
    return Position(
        lon=latest.lon,
        lat=latest.lat,
        accuracy_m=None if latest.accuracy_dm is None else latest.accuracy_dm / 10,
        at=latest.at,
        speed_kmh=None if latest.speed_cms is None else latest.speed_cms * 0.036,
        locked=latest.locked,
        battery_pct=latest.battery_pct,
    )


def track(
    *,
    vehicle_id: int,
    start: datetime.datetime,
    end: datetime.datetime,
) -> Points:
    """All stored points of a vehicle from `start` to `end`, both included (`records.OWNED_POINT`).

    In the order of the device's clock, each moment once, wherever the store keeps them by now.
    When a point was received is told only while its day is hot, −1 afterwards.
    """
    return point_store().track(vehicle_id=vehicle_id, start=start, end=end)


def trip_way(
    *,
    vehicle_id: int,
    start: datetime.datetime,
    end: datetime.datetime,
) -> tuple[Points, Way]:
    """The points of a vehicle between two moments, and the way they make (`rules.way`)."""
    points = track(vehicle_id=vehicle_id, start=start, end=end)
    (top_kmh,) = _top_kmh.first(vehicle_id=vehicle_id) or (0,)
    limit_mps = jumps.limit_mps(np.array([top_kmh], dtype=np.float64))
    return points, way_of(points, limit_mps=float(limit_mps[0]))


@prepared
def _top_kmh(*, vehicle_id: int) -> QuerySet[Vehicle, Any]:
    return Vehicle.objects.values_list("type__max_speed_kmh").filter(pk=vehicle_id).order_by()


def trip_distance_m(
    *,
    vehicle_id: int,
    start: datetime.datetime,
    end: datetime.datetime,
) -> float:
    """Metres along the stored points of a vehicle between two moments.

    Always computed from what is stored, in the order of the device's clock: points that arrived
    late or twice make no difference. Jumps of the receiver and the drift of a standing vehicle
    count nothing; the formula is told in `rules.way`.
    """
    _points, way = trip_way(vehicle_id=vehicle_id, start=start, end=end)
    return way.distance_m


def _nearby(vehicle: Vehicle, lon: float, lat: float) -> NearbyVehicle:
    latest = vehicle.latest
    return NearbyVehicle(
        vehicle_id=vehicle.pk,
        public_id=vehicle.public_id,
        code=vehicle.code,
        kind=vehicle.kind,
        type_code=vehicle.type.code,
        type_name=vehicle.type.name,
        lon=latest.lon,
        lat=latest.lat,
        battery_pct=latest.battery_pct,
        range_m=rules.range_m(
            max_range_m=vehicle.type.max_range_m,
            battery_pct=latest.battery_pct,
        ),
        distance_m=haversine_m(lon, lat, latest.lon, latest.lat),
        hub_id=vehicle.home_hub_id,
        organisation_id=vehicle.organisation_id,
        reported_at=latest.at,
    )


def _box_e7(lon: float, lat: float, radius_m: float) -> tuple[int, int, int, int]:
    """West, east, south and north of a box around a circle, in 1e-7 degrees."""
    high = radius_m / _METRES_PER_DEGREE
    # At the poles a degree of longitude has no length; nobody rents a scooter there.
    wide = high / max(math.cos(math.radians(lat)), 0.01)
    west, east, south, north = lon - wide, lon + wide, lat - high, lat + high
    return (
        math.floor(west * _E7),
        math.ceil(east * _E7),
        math.floor(south * _E7),
        math.ceil(north * _E7),
    )
