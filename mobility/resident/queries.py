"""What the shells of the resident's pages need to know before the first script runs."""

import dataclasses

from django.contrib.gis.db.models import Collect
from django.contrib.gis.db.models.functions import Centroid

from mobility.geography.models import City, Hub
from mobility.geography.states import HubKind


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
    middle = Hub.objects.filter(kind=HubKind.MOBILITY_AREA).aggregate(spot=Centroid(Collect("location")))["spot"]
    if middle is None:
        city = City.objects.only("centre").order_by("pk").first()
        middle = city.centre if city else None
    if middle is None:
        return DEFAULT_START
    return MapStart(lon=round(middle.x, 5), lat=round(middle.y, 5), zoom=DEFAULT_START.zoom)
