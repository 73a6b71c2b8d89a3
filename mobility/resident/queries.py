"""What the shells of the resident's pages need to know before the first script runs."""

import dataclasses

from mobility.geography.models import City


@dataclasses.dataclass(frozen=True)
class MapStart:
    """Where the map opens."""

    lon: float
    lat: float
    zoom: float


# Porta Romana, the lighthouse district: shown until a city is loaded.
DEFAULT_START = MapStart(lon=9.2022, lat=45.4484, zoom=14.2)


def map_start() -> MapStart:
    """The centre of the city that is served."""
    city = City.objects.only("centre").order_by("pk").first()
    if city is None:
        return DEFAULT_START
    return MapStart(lon=city.centre.x, lat=city.centre.y, zoom=DEFAULT_START.zoom)
