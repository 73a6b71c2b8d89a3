"""Loading a city from GeoJSON: districts and hubs, whole or not at all per feature, and idempotently.

A folder holds any number of `*.geojson` files (RFC 7946, WGS 84). What a feature is follows from its
properties: something with a `nil_id` or `district_id` is a district, something with a `station_id` or
`hub_id` a hub. A feature that cannot be taken is refused with its reason; the others are loaded.
"""

import dataclasses
import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.contrib.gis.gdal import GDALException
from django.contrib.gis.geos import GEOSException, GEOSGeometry, MultiPolygon, Point, Polygon
from django.db import transaction

from mobility.core import audit, geo
from mobility.core.principals import Principal
from mobility.geography.models import City, District, Hub
from mobility.geography.states import HubKind

# A city lies within this many degrees of its centre; a point outside has swapped or foreign coordinates.
MAX_DEGREES_FROM_CENTRE = 1.0


class RefusedFeature(Exception):
    """Why one feature was not taken; the sentence goes into the report."""


@dataclasses.dataclass
class LayerReport:
    """What became of one file."""

    file: str
    layer: str
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return dataclasses.asdict(self)


def load_folder(
    *, city: City, folder: Path, at: datetime.datetime, by: Principal
) -> list[LayerReport]:
    """Load every GeoJSON file of `folder` into `city`; loading the same folder again changes nothing."""
    return [
        load_file(city=city, path=path, at=at, by=by) for path in sorted(folder.glob("*.geojson"))
    ]


@transaction.atomic
def load_file(*, city: City, path: Path, at: datetime.datetime, by: Principal) -> LayerReport:
    """Load one file; a file that is no GeoJSON or holds nothing of ours is refused as a whole."""
    report = LayerReport(file=path.name, layer="unknown")
    for index, feature in _features(path, report):
        try:
            layer, fields = _read(feature, city)
        except RefusedFeature as refusal:
            report.refused.append({"feature": index, "reason": str(refusal)})
            continue
        report.layer = layer
        _upsert(city=city, layer=layer, fields=fields, report=report)
    changes = {"created": report.created, "updated": report.updated, "refused": len(report.refused)}
    audit.record(by=by, action=f"load:{path.name[:60]}", row=city, at=at, changes=changes)
    return report


def _features(path: Path, report: LayerReport) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        collection = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as problem:
        report.refused.append(
            {"feature": None, "reason": f"the file is no readable JSON: {problem}"}
        )
        return
    if not isinstance(collection, dict) or not isinstance(collection.get("features"), list):
        report.refused.append(
            {"feature": None, "reason": "the file is no GeoJSON FeatureCollection"}
        )
        return
    for index, feature in enumerate(collection["features"]):
        if isinstance(feature, dict) and isinstance(feature.get("properties"), dict):
            yield index, feature
        else:
            report.refused.append(
                {"feature": index, "reason": "no GeoJSON feature with properties"}
            )


def _read(feature: Mapping[str, Any], city: City) -> tuple[str, dict[str, Any]]:
    properties = feature["properties"]
    if code := _first(properties, "nil_id", "district_id"):
        return "districts", _district_fields(code, properties, _geometry(feature, city))
    if code := _first(properties, "station_id", "hub_id"):
        return "hubs", _hub_fields(code, properties, _geometry(feature, city))
    raise RefusedFeature("neither a district (nil_id, district_id) nor a hub (station_id, hub_id)")


def _district_fields(
    code: str, properties: Mapping[str, Any], shape: GEOSGeometry
) -> dict[str, Any]:
    if isinstance(shape, Polygon):
        shape = MultiPolygon(shape, srid=geo.WGS84)
    if not isinstance(shape, MultiPolygon):
        raise RefusedFeature(f"a district needs a polygon, this is a {shape.geom_type}")
    if not shape.valid:
        raise RefusedFeature(f"the polygon is not valid: {shape.valid_reason}")
    return {
        "code": code,
        "name": _name(properties, code),
        "boundary": shape,
        "centre": shape.point_on_surface,
        "residents": _count(properties, "residents", "population", "population_2011"),
    }


def _hub_fields(code: str, properties: Mapping[str, Any], shape: GEOSGeometry) -> dict[str, Any]:
    if not isinstance(shape, Point):
        raise RefusedFeature(f"a hub needs a point, this is a {shape.geom_type}")
    kind = str(
        properties.get("kind")
        or ("bike_station" if "station_id" in properties else "mobility_area")
    )
    if kind not in HubKind.values:
        raise RefusedFeature(f"unknown kind of hub: {kind}")
    return {
        "code": code,
        "name": _name(properties, code),
        "kind": kind,
        "location": shape,
        "capacity": _count(properties, "capacity"),
        "address": str(properties.get("address") or "")[:300],
    }


def _geometry(feature: Mapping[str, Any], city: City) -> GEOSGeometry:
    try:
        shape = GEOSGeometry(json.dumps(feature.get("geometry")), srid=geo.WGS84)
    except (GDALException, GEOSException, TypeError, ValueError) as problem:
        raise RefusedFeature(f"the geometry cannot be read: {problem}") from problem
    if shape.empty:
        raise RefusedFeature("the geometry is empty")
    west, south, east, north = shape.extent
    centre = city.centre
    if max(
        abs(west - centre.x), abs(east - centre.x), abs(south - centre.y), abs(north - centre.y)
    ) > (MAX_DEGREES_FROM_CENTRE):
        raise RefusedFeature(
            "it lies far outside the city; coordinates are longitude, latitude in WGS 84"
        )
    return shape


def _upsert(*, city: City, layer: str, fields: dict[str, Any], report: LayerReport) -> None:
    model: type[District | Hub] = District if layer == "districts" else Hub
    existing = model._default_manager.filter(city=city, code=fields["code"]).first()
    if existing is None:
        model._default_manager.create(city=city, **fields)
        report.created += 1
    elif all(_same(getattr(existing, name), value) for name, value in fields.items()):
        report.unchanged += 1
    else:
        for name, value in fields.items():
            setattr(existing, name, value)
        existing.save(update_fields=list(fields))
        report.updated += 1


def _same(stored: Any, offered: Any) -> bool:
    if isinstance(stored, GEOSGeometry) and isinstance(offered, GEOSGeometry):
        # Exact: what was stored came from the same text, so a file loaded twice is equal to the bit.
        return stored.equals_exact(offered)
    return bool(stored == offered)


def _first(properties: Mapping[str, Any], *names: str) -> str:
    return next(
        (str(properties[name]) for name in names if properties.get(name) not in (None, "")), ""
    )


def _name(properties: Mapping[str, Any], code: str) -> dict[str, str]:
    name = properties.get("name") or properties.get("title")
    if isinstance(name, dict):
        return {language: str(words) for language, words in name.items()}
    return {"it": str(name or code).strip()[:200]}


def _count(properties: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = properties.get(name)
        if value is None:
            continue
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value < 0
            or value != int(value)
        ):
            raise RefusedFeature(f"{name} is not a whole number from 0: {value!r}")
        return int(value)
    return None
