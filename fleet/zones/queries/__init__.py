"""Reading zones: verdicts for a place, and the public map."""

from fleet.zones.queries.features import (
    NO_FEATURES,
    revision_of,
    set_features,
    zone_features,
    zones_tag,
)
from fleet.zones.queries.parking import parking_verdict
from fleet.zones.rules import NearestPlace, ParkingVerdict

__all__ = [
    "NO_FEATURES",
    "NearestPlace",
    "ParkingVerdict",
    "parking_verdict",
    "revision_of",
    "set_features",
    "zone_features",
    "zones_tag",
]
