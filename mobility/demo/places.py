"""The demo's Milan: 88 districts computed from their centre points, ten mobility areas.

Names and centres are facts; the polygons are Voronoi cells of the centres within a rounded outline,
so that the demo looks like Milan without being anybody's survey. `manage.py load_city` brings the real one.
"""

import dataclasses
import datetime
import json
from functools import cache
from pathlib import Path
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon
from django.db import transaction
from shapely.geometry.base import BaseGeometry

from mobility.core import geo
from mobility.core.principals import Principal
from mobility.geography import services
from mobility.geography.models import City, District, Hub
from mobility.geography.states import HubKind

# About 1.1 km around the outermost centres.
OUTLINE_MARGIN_DEGREES = 0.012


@dataclasses.dataclass(frozen=True)
class Centre:
    """A named point."""

    code: str
    name: str
    lon: float
    lat: float
    address: str = ""


@cache
def _data() -> dict[str, Any]:
    path = Path(__file__).with_name("milan.json")
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def districts() -> list[Centre]:
    """The 88 districts (NIL) by name and centre."""
    return [Centre(str(code), name, lon, lat) for code, name, lon, lat in _data()["districts"]]


def mobility_areas() -> list[Centre]:
    """The ten mobility areas of the demo."""
    return [Centre(*row) for row in _data()["mobility_areas"]]


def cells(centres: list[Centre]) -> list[BaseGeometry]:
    """The Voronoi cell of each centre within the outline, in the order of `centres`."""
    points = [shapely.Point(centre.lon, centre.lat) for centre in centres]
    outline = shapely.MultiPoint(points).convex_hull.buffer(OUTLINE_MARGIN_DEGREES, quad_segs=6)
    pieces = list(shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=outline).geoms)
    return [
        next(piece for piece in pieces if piece.covers(place)).intersection(outline)
        for place in points
    ]


@transaction.atomic
def ensure_city(*, at: datetime.datetime, by: Principal) -> City:
    """The demo city with districts and mobility areas; what is there stays as it is."""
    city = services.ensure_milan(at=at, by=by)
    if not city.districts.exists():
        centres = districts()
        District.objects.bulk_create(
            District(
                city=city,
                code=centre.code,
                name={"it": centre.name},
                boundary=_geos(shape),
                centre=geo.point(centre.lon, centre.lat),
            )
            for centre, shape in zip(centres, cells(centres), strict=True)
        )
        services.cover_districts(city=city, at=at, by=by)
    Hub.objects.bulk_create(
        (
            Hub(
                city=city,
                code=area.code,
                name={"it": f"Area di mobilità {area.name}", "en": f"{area.name} mobility area"},
                kind=HubKind.MOBILITY_AREA,
                location=geo.point(area.lon, area.lat),
                capacity=20,
                address=area.address,
            )
            for area in mobility_areas()
        ),
        ignore_conflicts=True,
    )
    city.refresh_from_db()
    return city


def circle(*, lon: float, lat: float, radius_m: float) -> MultiPolygon:
    """A round area, for bays and restricted zones."""
    centre = geo.point(lon, lat).transform(geo.UTM_32N, clone=True)
    disc = centre.buffer(radius_m, quadsegs=4).transform(geo.WGS84, clone=True)
    return MultiPolygon(disc, srid=geo.WGS84)


def _geos(shape: BaseGeometry) -> MultiPolygon:
    geometry = GEOSGeometry(shape.wkt, srid=geo.WGS84)
    if isinstance(geometry, Polygon):
        return MultiPolygon(geometry, srid=geo.WGS84)
    if not isinstance(geometry, MultiPolygon):
        raise TypeError(f"a district is an area, not a {geometry.geom_type}")
    return geometry
