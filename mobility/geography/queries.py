"""Reading geography."""

from typing import Any

from mobility.core.geo import point
from mobility.core.texts import pick
from mobility.geography.models import District, Hub


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
