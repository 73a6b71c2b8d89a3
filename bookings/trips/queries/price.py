"""Reads of trips: what a running one costs, and what stands in the way of its end."""

import dataclasses
import datetime

from bookings.pricing.rules import price_trip
from bookings.trips import rules
from bookings.trips.models import Trip
from bookings.trips.rules import Fix, Source
from fleet.telematics.queries import latest_position
from fleet.zones.queries import NearestPlace, parking_verdict
from mobility.core.money import PriceLine

MOVING = "vehicle_moving"


@dataclasses.dataclass(frozen=True, slots=True)
class EndCondition:
    """One thing that stands in the way of an end; `nearest` is where it would not."""

    code: str
    nearest: NearestPlace | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class PlaceJudged:
    """Whose word the place rests on, and everything that is wrong with it."""

    source: Source
    conditions: tuple[EndCondition, ...]


def judge_place(*, trip: Trip, phone: Fix | None, at: datetime.datetime) -> PlaceJudged:
    """All unmet conditions for ending `trip` where it is now, in one answer."""
    place = rules.place_of_end(vehicle=_vehicle_fix(trip), phone=phone, at=at)
    if place.fix is None:
        return PlaceJudged(place.source, ())
    verdict = parking_verdict(
        city_id=trip.vehicle.city_id,
        organisation_id=trip.organisation_id,
        lon=place.fix.lon,
        lat=place.fix.lat,
        accuracy_m=place.fix.accuracy_m,
        kind=trip.vehicle.kind,
        vehicle_type=trip.vehicle.type.code,
        # Zones that were published under way must not catch the rider.
        since=trip.started_at,
        at=at,
    )
    conditions = [EndCondition(code, verdict.nearest) for code in verdict.reasons]
    if rules.is_moving(place):
        conditions.append(EndCondition(MOVING))
    return PlaceJudged(place.source, tuple(conditions))


def price_lines(*, trip: Trip, at: datetime.datetime, distance_m: int = 0) -> tuple[PriceLine, ...]:
    """The price of a trip so far, or as it stands when its meter does.

    Kilometres count only in the final price: the way is known for sure only afterwards.
    """
    if trip.started_at is None:
        return ()
    hold_s = int((trip.requested_at - trip.reservation.reserved_at).total_seconds())
    return price_trip(
        fare=trip.reservation.fare,
        segments=rules.segments(trip.stretches, at=at),
        hold_s=hold_s,
        distance_m=distance_m,
    )


def _vehicle_fix(trip: Trip) -> Fix | None:
    position = latest_position(vehicle_id=trip.vehicle_id)
    if position is None:
        return None
    return Fix(
        lon=position.lon,
        lat=position.lat,
        accuracy_m=position.accuracy_m or 0.0,
        at=position.at,
        speed_kmh=position.speed_kmh or 0.0,
    )
