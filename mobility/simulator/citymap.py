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
STROLL_M = 60.0
HUB_WISH = 0.25
CORNER_WISH = 0.50


@dataclass(frozen=True, slots=True)
class CityMap:
    """Hubs, street corners, and per kind of vehicle where it may operate and be left."""

    hubs: tuple[Place, ...]
    corners: tuple[Place, ...]
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
        """A place to go to: beside a hub, at a corner or anywhere in the operating area."""
        for _ in range(MOST_DRAWS):
            place = self._draw(kind, rng)
            if self.may_park(kind, place):
                return place
        return rng.choice(self.corners)

    def forbidden(self, kind: str, rng: random.Random) -> Place:
        """A place where the vehicle must not be left: in a no-park zone or beyond the area."""
        banned = self.no_park.get(kind)
        if banned is not None and not banned.is_empty and rng.random() < 0.5:
            inside = banned.representative_point()
            return Place(inside.x, inside.y)
        area = self.operating.get(kind)
        if area is None:
            return near(rng.choice(self.corners), within_m=300.0, rng=rng)
        west, south, _, north = area.bounds
        return Place(west - 0.004, rng.uniform(south, north))

    def _draw(self, kind: str, rng: random.Random) -> Place:
        wish, area = rng.random(), self.operating.get(kind)
        if self.hubs and wish < HUB_WISH:
            return near(rng.choice(self.hubs), within_m=STROLL_M, rng=rng)
        if area is None or wish < HUB_WISH + CORNER_WISH:
            return near(rng.choice(self.corners), within_m=STROLL_M, rng=rng)
        west, south, east, north = area.bounds
        return Place(rng.uniform(west, east), rng.uniform(south, north))


async def read_map(api: CityApi, *, kinds: set[str], corners: list[Place]) -> CityMap:
    """Ask the service for hubs and zones; ``corners`` are places where vehicles stood at first."""
    hubs = [_hub(feature) for feature in (await api.get("hubs")).body.get("features", [])]
    features = (await api.get("zones")).body.get("features", [])
    return CityMap(
        hubs=tuple(hubs),
        corners=tuple(corners),
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
