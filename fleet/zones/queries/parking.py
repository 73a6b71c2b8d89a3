"""May a vehicle be left here, and where else? PostGIS measures, `rules.judge_parking` decides."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from fleet.zones.queries.rulebook import Rulebook, SetKey, rulebooks
from fleet.zones.rules import (
    DEFAULTS,
    Layer,
    NearbyZone,
    NearestPlace,
    ParkingVerdict,
    Subject,
    Surroundings,
    ZoneInfo,
    judge_parking,
    margin_m,
    says,
)
from fleet.zones.states import ZoneKind
from mobility.core import clock

if TYPE_CHECKING:
    import datetime

EDGE_NAME = {
    "it": "Punto più vicino dove si può parcheggiare",
    "en": "Nearest place where parking is allowed",
}

# The sets that bind this vehicle, now or when its trip began, and their zones around the place:
# service areas at any distance; of the others those within 0.001 degrees, which are at least 70 m
# here and beyond every margin, so that far bays cost nothing. The way out of a zone is measured
# only where it may refuse. Where no service area is for this vehicle, the city itself is the line.
_AROUND = """
WITH here AS (
    SELECT ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326) AS spot
), binding AS (
    SELECT one.id, one.version, one.organisation_id = city.organisation_id AS citys,
           one.during @> %(at)s::timestamptz AS now,
           one.during @> %(since)s::timestamptz AS before
    FROM fleet_zoneset one JOIN mobility_city city ON city.id = one.city_id
    WHERE one.city_id = %(city)s AND one.organisation_id IN (city.organisation_id, %(organisation)s)
      AND one.state <> 'draft'
      AND (one.during @> %(at)s::timestamptz OR one.during @> %(since)s::timestamptz)
), area AS (
    SELECT COALESCE(bool_or(now), FALSE) AS now, COALESCE(bool_or(before), FALSE) AS before
    FROM binding JOIN fleet_zone zone ON zone.zone_set_id = binding.id AND zone.kind = 'operating'
    WHERE NOT EXISTS (SELECT FROM fleet_zonerule WHERE zone_id = zone.id)
       OR EXISTS (
            SELECT FROM fleet_zonerule rule WHERE zone_id = zone.id
              AND (vehicle_kinds = '{}' AND vehicle_types = '{}'
                   OR %(kind)s = ANY (vehicle_kinds) OR %(type)s = ANY (vehicle_types))
              AND (user_groups = '{}' OR %(group)s = ANY (user_groups)))
), around AS (
    SELECT zone.id, zone.zone_set_id, zone.boundary, spot,
           zone.kind IN ('no_park', 'no_ride') OR EXISTS (
               SELECT FROM fleet_zonerule WHERE zone_id = zone.id
                 AND (NOT ride_end_allowed OR station_parking)) AS refuses
    FROM fleet_zone zone, here
    WHERE zone.zone_set_id IN (SELECT id FROM binding)
      AND (zone.kind = 'operating' OR zone.boundary && ST_Expand(spot, 0.001))
)
SELECT binding.id, version, citys, now, before, around.id,
       ST_Distance(boundary::geography, spot::geography),
       CASE WHEN refuses AND ST_Intersects(boundary, spot)
            THEN ST_Distance(ST_Boundary(boundary)::geography, spot::geography) ELSE 0 END
FROM binding LEFT JOIN around ON zone_set_id = binding.id
UNION ALL
SELECT NULL, NULL, TRUE, NOT area.now, NOT area.before, NULL,
       ST_Distance(boundary::geography, spot::geography), 0
FROM mobility_city, area, here
WHERE id = %(city)s AND boundary IS NOT NULL AND NOT (area.now AND area.before)
"""

# The nearest bay by its centre, and the nearest point of what is open to both the city and the
# operator and not closed. A bay of one counts only where the other lets rides end. Only what is
# closed within `reach` degrees is cut out, because uniting a whole city's zones takes long.
_NEAREST = """
WITH here AS (
    SELECT ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326) AS spot
), ground AS (
    SELECT ST_Union(boundary) FILTER (WHERE id = ANY (%(citys_open)s)) AS citys,
           ST_Union(boundary) FILTER (WHERE id = ANY (%(own_open)s)) AS own,
           ST_Union(boundary) FILTER (
               WHERE id = ANY (%(closed)s) AND boundary && ST_Expand(spot, %(reach)s)
           ) AS closed
    FROM fleet_zone, here WHERE id = ANY (%(all)s)
), bay AS (
    SELECT name, ST_PointOnSurface(boundary) AS place
    FROM fleet_zone, ground, here
    WHERE id = ANY (%(citys_bays)s) AND COALESCE(ST_Intersects(own, ST_PointOnSurface(boundary)), TRUE)
       OR id = ANY (%(own_bays)s) AND COALESCE(ST_Intersects(citys, ST_PointOnSurface(boundary)), TRUE)
    ORDER BY boundary <-> spot LIMIT 1
), open_area AS (
    SELECT COALESCE(ST_Intersection(citys, own), citys, own, boundary) AS shape
    FROM ground, mobility_city WHERE mobility_city.id = %(city)s
), edge AS (
    SELECT NULL::jsonb AS name, ST_ClosestPoint(
        COALESCE(ST_Difference(shape, closed), shape), spot
    ) AS place
    FROM open_area, ground, here
), candidate AS (
    SELECT name, place FROM bay UNION ALL SELECT name, place FROM edge
)
SELECT name, ST_X(place), ST_Y(place), ST_Distance(place::geography, spot::geography) AS distance_m
FROM candidate, here WHERE NOT ST_IsEmpty(place) ORDER BY distance_m LIMIT 1
"""
# 0.02 degrees are more than 1,500 m here in every direction, and 180 degrees are everywhere.
NEAR_DEGREES, NEAR_M, EVERYWHERE_DEGREES = 0.02, 1_500.0, 180.0
FEW = 30
CITY_LINE = ZoneInfo(
    zone_id=0,
    code="",
    kind=ZoneKind.OPERATING,
    organisation_id=0,
    city_id=0,
    binds_all_operators=True,
    rules=(DEFAULTS[ZoneKind.OPERATING],),
)


@dataclasses.dataclass(frozen=True, slots=True)
class _Row:
    """One zone around the place, a set without any (`zone_id` None), or the city (`key` None)."""

    key: SetKey | None
    citys: bool
    now: bool
    before: bool
    zone_id: int | None
    distance_m: float
    depth_m: float


def parking_verdict(
    *,
    city_id: int,
    organisation_id: int,
    lon: float,
    lat: float,
    accuracy_m: float | None,
    kind: str,
    at: datetime.datetime,
    vehicle_type: str | None = None,
    user_group: str | None = None,
    since: datetime.datetime | None = None,
) -> ParkingVerdict:
    """Whether a vehicle of this kind and operator may be left at a place, at that moment.

    `accuracy_m` is the doubt of the position; it counts in the rider's favour (see
    `rules.judge_parking`). `since` is when a running trip began: zones that were published in the
    meantime must not catch its rider, so the kinder of then and now holds. One query when allowed;
    a second finds the nearest legal place, sometimes a third. Rules of a set that this process has
    not met cost three more, once.
    """
    subject = Subject(kind=kind, vehicle_type=vehicle_type, user_group=user_group)
    params = {
        "city": city_id,
        "organisation": organisation_id,
        "lon": lon,
        "lat": lat,
        "kind": kind,
        "type": vehicle_type,
        "group": user_group,
        "at": at,
        "since": since or at,
    }
    rows = _rows_around(params)
    keys = list(dict.fromkeys(row.key for row in rows if row.key))
    books = {book.set_id: book for book in rulebooks(keys=keys)}
    margin, local = margin_m(accuracy_m), clock.local(at)
    verdicts = [
        judge_parking(
            layers=_layers(world, books, subject=subject),
            margin_m=margin,
            subject=subject,
            local=local,
        )
        for world in ([row for row in rows if row.now], [row for row in rows if row.before])
    ]
    for verdict in verdicts:
        if verdict.allowed:
            return verdict
    binding = {row.key[0]: books[row.key[0]] for row in rows if row.key and row.now}
    nearest = _nearest_place(params, _grounds(binding.values(), subject=subject, local=local))
    return dataclasses.replace(verdicts[0], nearest=nearest)


def _rows_around(params: dict[str, Any]) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(_AROUND, params)
        return [
            _Row(
                set_id and (set_id, version),
                citys,
                now,
                before,
                zone_id,
                distance_m or 0.0,
                depth_m,
            )
            for set_id, version, citys, now, before, zone_id, distance_m, depth_m in cursor.fetchall()
        ]


def _layers(
    rows: Sequence[_Row], books: dict[int, Rulebook], *, subject: Subject
) -> list[Surroundings]:
    """The city's layer, then the operator's; the line of the city by itself where there is one."""
    layers = []
    binding = {row.key[0]: books[row.key[0]] for row in rows if row.key}
    for book in sorted(binding.values(), key=lambda one: not one.binds_all_operators):
        key = (book.set_id, book.version)
        near = {row.zone_id: row for row in rows if row.key == key and row.zone_id}
        layer = Layer(global_rules=book.global_rules, has_area=book.has_area(subject))
        zones = [_nearby(zone, near[zone.zone_id]) for zone in book.zones if zone.zone_id in near]
        layers.append(Surroundings(zones=zones, layer=layer))
    layers += [
        Surroundings(zones=[_nearby(CITY_LINE, row)], layer=Layer(has_area=True))
        for row in rows
        if row.key is None
    ]
    return layers


def _nearby(zone: ZoneInfo, row: _Row) -> NearbyZone:
    return NearbyZone(zone=zone, distance_m=row.distance_m, depth_m=row.depth_m)


def _grounds(
    books: Iterable[Rulebook], *, subject: Subject, local: datetime.datetime
) -> dict[str, list[int]]:
    """Zones by what they say of ending a ride now: the city's and the operator's own."""
    grounds: dict[str, list[int]] = {
        name: [] for name in ("citys_open", "own_open", "citys_bays", "own_bays", "closed")
    }
    for book in books:
        whose = "citys" if book.binds_all_operators else "own"
        has_area = book.has_area(subject)
        for zone in book.zones:
            word = says(zone.rules, attribute="ride_end_allowed", subject=subject, local=local)
            if word is False:
                grounds["closed"].append(zone.zone_id)
            elif word and zone.kind == ZoneKind.BAY:
                grounds[f"{whose}_bays"].append(zone.zone_id)
            if word and has_area:
                grounds[f"{whose}_open"].append(zone.zone_id)
    return grounds


def _nearest_place(params: dict[str, Any], grounds: dict[str, list[int]]) -> NearestPlace | None:
    """Where much is closed looked for nearby first; what is found beyond may lie in a zone that was
    not cut out."""
    if len(grounds["closed"]) > FEW:
        nearest = _nearest_within(NEAR_DEGREES, params, grounds)
        if nearest is not None and nearest.distance_m <= NEAR_M:
            return nearest
    return _nearest_within(EVERYWHERE_DEGREES, params, grounds)


def _nearest_within(
    reach: float, params: dict[str, Any], grounds: dict[str, list[int]]
) -> NearestPlace | None:
    everything = [zone_id for ids in grounds.values() for zone_id in ids]
    with connection.cursor() as cursor:
        cursor.execute(_NEAREST, params | grounds | {"all": everything, "reach": reach})
        row = cursor.fetchone()
    if row is None:
        return None
    name, lon, lat, distance_m = row
    words = orjson.loads(name) if isinstance(name, str) else name
    return NearestPlace(name=words or EDGE_NAME, lon=lon, lat=lat, distance_m=distance_m)
