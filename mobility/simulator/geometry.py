"""Positions on a few kilometres of ground, treated as flat: exact enough for a city's streets."""

import math
import random
from typing import NamedTuple

METRES_PER_DEGREE = 111_320.0


class Place(NamedTuple):
    """A position in degrees (WGS 84)."""

    lon: float
    lat: float


def distance_m(a: Place, b: Place) -> float:
    """Metres between two places of one city."""
    across = (b.lon - a.lon) * math.cos(math.radians((a.lat + b.lat) / 2))
    return math.hypot(across, b.lat - a.lat) * METRES_PER_DEGREE


def heading_deg(a: Place, b: Place) -> float:
    """Compass direction from ``a`` to ``b``, 0 is north."""
    across = (b.lon - a.lon) * math.cos(math.radians((a.lat + b.lat) / 2))
    return math.degrees(math.atan2(across, b.lat - a.lat)) % 360.0


def between(a: Place, b: Place, part: float) -> Place:
    """The place ``part`` (0..1) of the way from ``a`` to ``b``."""
    return Place(a.lon + (b.lon - a.lon) * part, a.lat + (b.lat - a.lat) * part)


def moved(place: Place, east_m: float, north_m: float) -> Place:
    """``place`` shifted by metres."""
    per_lon = METRES_PER_DEGREE * math.cos(math.radians(place.lat))
    return Place(place.lon + east_m / per_lon, place.lat + north_m / METRES_PER_DEGREE)


def near(place: Place, *, within_m: float, rng: random.Random) -> Place:
    """A random place in a disc of ``within_m`` metres, evenly spread over its area."""
    radius = within_m * math.sqrt(rng.random())
    angle = rng.uniform(0.0, 2 * math.pi)
    return moved(place, radius * math.cos(angle), radius * math.sin(angle))
