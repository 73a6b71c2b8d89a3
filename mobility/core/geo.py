"""Places: WGS 84 (SRID 4326) is stored; metres come from the sphere or from UTM 32N (SRID 32632)."""

from typing import Any, overload

import numpy as np
from django.contrib.gis.geos import Point
from numpy.typing import NDArray

WGS84 = 4326
UTM_32N = 32632

# Mean earth radius in metres, IUGG.
EARTH_RADIUS_M = 6_371_008.8


def point(lon: float, lat: float) -> Point:
    """A stored point; longitude first, as in GeoJSON."""
    return Point(lon, lat, srid=WGS84)


@overload
def haversine_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float: ...
@overload
def haversine_m(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> NDArray[np.float64]: ...
def haversine_m(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> Any:
    """Great-circle distance in metres between points in degrees; takes numbers or numpy arrays."""
    lambda1, phi1, lambda2, phi2 = (np.radians(value) for value in (lon1, lat1, lon2, lat2))
    chord = (
        np.sin((phi2 - phi1) / 2) ** 2
        + np.cos(phi1) * np.cos(phi2) * np.sin((lambda2 - lambda1) / 2) ** 2
    )
    distance = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(chord))
    return float(distance) if np.ndim(distance) == 0 else distance
