"""What anybody can read about the city: hubs and dated zones, and places drawn from them."""

import random
from dataclasses import dataclass, field
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from mobility.simulator.city_api import CityApi
from mobility.simulator.geometry import Place, near

MOST_DRAWS = 60
HUB_STROLL_M = 35.0


@dataclass(frozen=True, slots=True)
class CityMap:
    """Hubs, and per kind of vehicle where it may operate and where it may not be left."""

    hubs: tuple[Place, ...]
    operating: dict[str, BaseGeometry]
    no_park: dict[str, BaseGeometry]
    bays: dict[str, BaseGeometry] = field(default_factory=dict)

    def may_park(self, kind: str, place: Place) -> bool:
        """Would a vehicle of ``kind`` be well left here? The service has the last word."""
        point = shapely.Point(place.lon, place.lat)
        area, banned = self.operating.get(kind), self.no_park.get(kind)
        inside = area is None or bool(area.contains(point))
        return inside and not (banned is not None and bool(banned.contains(point)))

    def somewhere(self, kind: str, rng: random.Random) -> Place:
        """A place to go to: mostly beside a hub, otherwise anywhere in the operating area."""
        for _ in range(MOST_DRAWS):
            place = self._draw(kind, rng)
            if self.may_park(kind, place):
                return place
        return rng.choice(self.hubs)

    def forbidden(self, kind: str, rng: random.Random) -> Place:
        """A place where the vehicle must not be left: in a no-park zone or beyond the area."""
        banned = self.no_park.get(kind)
        if banned is not None and not banned.is_empty and rng.random() < 0.5:
            inside = banned.representative_point()
            return Place(inside.x, inside.y)
        area = self.operating.get(kind)
        if area is None:
            return near(rng.choice(self.hubs), within_m=300.0, rng=rng)
        west, south, _, north = area.bounds
        return Place(west - 0.004, rng.uniform(south, north))

    def _draw(self, kind: str, rng: random.Random) -> Place:
        area = self.operating.get(kind)
        if area is None or rng.random() < 0.7:
            return near(rng.choice(self.hubs), within_m=HUB_STROLL_M, rng=rng)
        west, south, east, north = area.bounds
        return Place(rng.uniform(west, east), rng.uniform(south, north))


async def read_map(api: CityApi, *, kinds: set[str], fallback: list[Place]) -> CityMap:
    """Ask the service; where it publishes no hubs, the places of ``fallback`` serve as such."""
    hubs = [_hub(feature) for feature in (await api.get("hubs")).body.get("features", [])]
    features = (await api.get("zones")).body.get("features", [])
    return CityMap(
        hubs=tuple(hubs or fallback),
        operating=_by_kind(features, "operating", kinds),
        no_park=_by_kind(features, "no_park", kinds),
        bays=_by_kind(features, "bay", kinds),
    )


def _hub(feature: dict[str, Any]) -> Place:
    lon, lat = feature["geometry"]["coordinates"][:2]
    return Place(lon, lat)


def _by_kind(
    features: list[dict[str, Any]], zone_kind: str, kinds: set[str]
) -> dict[str, BaseGeometry]:
    areas: dict[str, BaseGeometry] = {}
    for kind in kinds:
        shapes = [
            shape(feature["geometry"])
            for feature in features
            if feature["properties"]["kind"] == zone_kind and _concerns(feature, kind)
        ]
        if shapes:
            areas[kind] = shapely.union_all(shapes)
            shapely.prepare(areas[kind])
    return areas


def _concerns(feature: dict[str, Any], kind: str) -> bool:
    named = feature["properties"].get("vehicle_kinds") or []
    return not named or kind in named
