"""Reading geography."""

import dataclasses
from typing import Any

from django.contrib.gis.db.models import Collect
from django.contrib.gis.db.models.functions import Centroid

from mobility.core.geo import point
from mobility.core.texts import pick
from mobility.geography.models import City, District, Hub
from mobility.geography.states import HubKind


def district_at(*, lon: float, lat: float) -> District | None:
    """The district that a point lies in, or None outside of all."""
    return District.objects.filter(boundary__covers=point(lon, lat)).first()


def district_features() -> dict[str, Any]:
    """All districts as a GeoJSON FeatureCollection (RFC 7946), names in the active language."""
    districts = District.objects.only("code", "name", "boundary", "centre", "residents")
    return _collection(
        {
            "type": "Feature",
            "id": district.code,
            "geometry": _geometry(district.boundary),
            "properties": {
                "code": district.code,
                "name": pick(district.name),
                "residents": district.residents,
                "centre": [district.centre.x, district.centre.y],
            },
        }
        for district in districts
    )


def hub_features() -> dict[str, Any]:
    """All hubs as a GeoJSON FeatureCollection (RFC 7946), names in the active language."""
    return _collection(
        {
            "type": "Feature",
            "id": hub.code,
            "geometry": {"type": "Point", "coordinates": [hub.location.x, hub.location.y]},
            "properties": {
                "code": hub.code,
                "name": pick(hub.name),
                "kind": hub.kind,
                "capacity": hub.capacity,
                "address": hub.address,
            },
        }
        for hub in Hub.objects.all()
    )


def _geometry(shape: Any) -> dict[str, Any]:
    # Six decimals are 11 cm: finer than any boundary is surveyed, and a third of the bytes.
    def rounded(value: Any) -> Any:
        return (
            [rounded(item) for item in value]
            if isinstance(value, list | tuple)
            else round(value, 6)
        )

    return {"type": shape.geom_type, "coordinates": rounded(shape.coords)}


def _collection(features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


@dataclasses.dataclass(frozen=True)
class MapStart:
    """Where the map opens."""

    lon: float
    lat: float
    zoom: float


# Porta Romana, the lighthouse district: shown until a city is loaded.
DEFAULT_START = MapStart(lon=9.2022, lat=45.4484, zoom=14.2)


def map_start() -> MapStart:
    """Where the city's mobility areas are, else the city's centre."""
    middle = Hub.objects.filter(kind=HubKind.MOBILITY_AREA).aggregate(
        spot=Centroid(Collect("location"))
    )["spot"]
    if middle is None:
        city = City.objects.only("centre").order_by("pk").first()
        middle = city.centre if city else None
    if middle is None:
        return DEFAULT_START
    return MapStart(lon=round(middle.x, 5), lat=round(middle.y, 5), zoom=DEFAULT_START.zoom)
