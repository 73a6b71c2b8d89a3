"""Reading zones: verdicts for a place, and the public map."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import orjson
from django.contrib.gis.db.models.functions import AsGeoJSON
from django.db import connection

from fleet.zones.models import Zone
from fleet.zones.rules import (
    NearbyZone,
    NearestPlace,
    ParkingVerdict,
    judge_parking,
    margin_m,
)
from mobility.core.texts import pick

if TYPE_CHECKING:
    import datetime

__all__ = ["NearestPlace", "ParkingVerdict", "parking_verdict", "zone_features"]

EDGE_NAME = {
    "it": "Punto più vicino dove si può parcheggiare",
    "en": "Nearest place where parking is allowed",
}

# The zones that bind this vehicle now: the city's own and its operator's. Without a service area
# the boundary of the city itself is the line.
_BINDING = """
WITH here AS (
    SELECT ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326) AS spot
), binding AS (
    SELECT zone.id, zone.kind, zone.name, zone.boundary
    FROM fleet_zone zone JOIN mobility_city city ON city.id = zone.city_id
    WHERE zone.city_id = %(city)s
      AND zone.organisation_id IN (city.organisation_id, %(organisation)s)
      AND zone.during @> %(at)s::timestamptz
      AND zone.kind IN ('operating', 'no_park', 'bay')
      AND (zone.vehicle_kinds = '{}' OR %(kind)s = ANY (zone.vehicle_kinds))
), ruling AS (
    SELECT id, kind, name, boundary FROM binding
    UNION ALL
    SELECT NULL, 'operating', NULL, city.boundary FROM mobility_city city
    WHERE city.id = %(city)s AND city.boundary IS NOT NULL
      AND NOT EXISTS (SELECT FROM binding WHERE kind = 'operating')
)
"""

# 0.001 degrees are at least 70 m here: beyond every margin, so that far bays and no-parking zones
# cost nothing.
_AROUND = (
    _BINDING
    + """
SELECT id, kind,
       ST_Distance(boundary::geography, spot::geography) AS distance_m,
       CASE WHEN kind = 'no_park' AND ST_Intersects(boundary, spot)
            THEN ST_Distance(ST_Boundary(boundary)::geography, spot::geography)
            ELSE 0 END AS depth_m
FROM ruling, here
WHERE kind = 'operating' OR boundary && ST_Expand(spot, 0.001)
"""
)

# The nearest bay by its centre, and the nearest point of the area that is open and not closed.
_NEAREST = (
    _BINDING  # noqa: S608 - two constants
    + """
, bay AS (
    SELECT name, ST_PointOnSurface(boundary) AS place
    FROM ruling, here WHERE kind = 'bay' ORDER BY boundary <-> spot LIMIT 1
), open_area AS (
    SELECT ST_Union(boundary) AS shape FROM ruling WHERE kind = 'operating'
), closed_area AS (
    SELECT ST_Union(boundary) AS shape FROM ruling WHERE kind = 'no_park'
), edge AS (
    SELECT NULL::jsonb AS name, ST_ClosestPoint(
        COALESCE(ST_Difference(open_area.shape, closed_area.shape), open_area.shape), spot
    ) AS place
    FROM open_area, closed_area, here
), candidate AS (
    SELECT name, place FROM bay UNION ALL SELECT name, place FROM edge
)
SELECT name, ST_X(place), ST_Y(place), ST_Distance(place::geography, spot::geography) AS distance_m
FROM candidate, here WHERE NOT ST_IsEmpty(place) ORDER BY distance_m LIMIT 1
"""
)


def parking_verdict(
    *,
    city_id: int,
    organisation_id: int,
    lon: float,
    lat: float,
    accuracy_m: float | None,
    kind: str,
    at: datetime.datetime,
) -> ParkingVerdict:
    """Whether a vehicle of this kind and operator may be left at a place, at that moment.

    `accuracy_m` is the doubt of the position; it counts in the rider's favour (see
    `rules.judge_parking`). One query when allowed; a second finds the nearest legal place.
    """
    params = {
        "city": city_id,
        "organisation": organisation_id,
        "lon": lon,
        "lat": lat,
        "kind": kind,
        "at": at,
    }
    verdict = judge_parking(zones=_zones_around(params), margin_m=margin_m(accuracy_m))
    if verdict.allowed:
        return verdict
    return dataclasses.replace(verdict, nearest=_nearest_place(params))


def zone_features(*, at: datetime.datetime, city_slug: str | None = None) -> dict[str, Any]:
    """The zones valid at a moment as a GeoJSON FeatureCollection (RFC 7946)."""
    zones = Zone.objects.valid_at(at).select_related("city", "hub")
    if city_slug is not None:
        zones = zones.filter(city__slug=city_slug)
    # Six decimals are 11 cm: finer than any boundary is drawn.
    drawn = zones.annotate(drawing=AsGeoJSON("boundary", precision=6)).defer("boundary")
    return {"type": "FeatureCollection", "features": [_feature(zone) for zone in drawn]}


def _feature(zone: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": zone.pk,
        "geometry": orjson.loads(zone.drawing),
        "properties": {
            "city": zone.city.slug,
            "code": zone.code,
            "name": pick(zone.name),
            "kind": zone.kind,
            "vehicle_kinds": zone.vehicle_kinds,
            "max_speed_kmh": zone.max_speed_kmh,
            "hub": zone.hub.code if zone.hub else None,
            "capacity": zone.capacity,
        },
    }


def _zones_around(params: dict[str, Any]) -> list[NearbyZone]:
    with connection.cursor() as cursor:
        cursor.execute(_AROUND, params)
        return [
            NearbyZone(zone_id=zone_id, kind=kind, distance_m=distance_m, depth_m=depth_m)
            for zone_id, kind, distance_m, depth_m in cursor.fetchall()
        ]


def _nearest_place(params: dict[str, Any]) -> NearestPlace | None:
    with connection.cursor() as cursor:
        cursor.execute(_NEAREST, params)
        row = cursor.fetchone()
    if row is None:
        return None
    name, lon, lat, distance_m = row
    words = orjson.loads(name) if isinstance(name, str) else name
    return NearestPlace(name=words or EDGE_NAME, lon=lon, lat=lat, distance_m=distance_m)
