"""Whose word counts for where a trip ends."""

import dataclasses
import datetime
import enum

from mobility.core.geo import haversine_m

# A position older than this says little about where the vehicle is now.
FRESH = datetime.timedelta(seconds=120)
MOVING_KMH = 5.0
# A receiver that doubts more than this, as in a garage, does not know where the vehicle is.
USABLE_M = 50.0
# How far a phone may be from where its vehicle seems to be, beside the doubts of both.
ARM_M = 30.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Where something is; `accuracy_m` is the radius in metres it may be off."""

    lon: float
    lat: float
    accuracy_m: float
    at: datetime.datetime
    speed_kmh: float = 0.0


class Source(enum.StrEnum):
    """Whose word the place of an end rests on."""

    VEHICLE = "vehicle"
    PHONE = "phone"
    BAY = "bay"
    NOBODY = "nobody"


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a trip is to end; without a fix nobody knows."""

    source: Source
    fix: Fix | None


def place_of_end(
    *,
    vehicle: Fix | None,
    phone: Fix | None,
    at: datetime.datetime,
    bay: Fix | None = None,
) -> Place:
    """The vehicle's word if it is fresh and good, else a bay's code, else the phone's, else nobody's.

    Neither can talk a vehicle into a legal place while the vehicle itself knows better: where it is
    fresh but unsure, they count only within its doubt.
    """
    fresh = vehicle is not None and at - vehicle.at <= FRESH
    if vehicle is not None and fresh and vehicle.accuracy_m <= USABLE_M:
        return Place(Source.VEHICLE, vehicle)
    for source, fix in ((Source.BAY, bay), (Source.PHONE, phone)):
        if fix is None:
            continue
        if vehicle is not None and fresh and not _agree(vehicle, fix):
            return Place(Source.VEHICLE, vehicle)
        return Place(source, fix)
    return Place(Source.NOBODY, None)


def is_moving(place: Place) -> bool:
    """Whether the vehicle itself says that it rolls."""
    return (
        place.source is Source.VEHICLE
        and place.fix is not None
        and place.fix.speed_kmh > MOVING_KMH
    )


def _agree(vehicle: Fix, other: Fix) -> bool:
    apart_m = haversine_m(vehicle.lon, vehicle.lat, other.lon, other.lat)
    return bool(apart_m <= vehicle.accuracy_m + other.accuracy_m + ARM_M)
