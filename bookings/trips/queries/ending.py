"""What stands in the way of an end: everything at once, and where it would not."""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Any

from bookings.trips import rules
from bookings.trips.queries.bays import bay_fix
from bookings.trips.queries.plug import Plug, plug_at
from bookings.trips.rules import Fix, Place, Source
from bookings.trips.states import PhotoRule, TripFlag
from fleet.vehicles.states import Kind
from fleet.zones.queries import NearestPlace, ParkingVerdict, parking_verdict

if TYPE_CHECKING:
    from bookings.trips.models import Trip
    from bookings.trips.queries.policies import EndTerms

MOVING = "vehicle_moving"
PHOTO_REQUIRED = "photo_required"
CABLE = "cable"
BAY_UNKNOWN = "bay_unknown"

# After so many bad ones a person sends a photo before every end.
RISKY_STRIKES = 2


@dataclasses.dataclass(frozen=True, slots=True)
class EndCondition:
    """One thing that stands in the way of an end; `nearest` is where it would not."""

    code: str
    nearest: NearestPlace | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class PlaceJudged:
    """Whose word the place rests on, everything that is wrong with it, and what to remember."""

    source: Source
    conditions: tuple[EndCondition, ...]
    flags: tuple[TripFlag, ...] = ()
    fix: Fix | None = None
    # The place is not sure enough to let the rider go without a photo.
    uncertain: bool = False


def judge_end(
    *, trip: Trip, terms: EndTerms, phone: Fix | None, at: datetime.datetime, bay: str = ""
) -> PlaceJudged:
    """All unmet conditions for ending `trip` (loaded with its story) where it is now.

    1. Whose word counts: the vehicle's if fresh and good, else a bay's code, else the phone's.
    2. What the zones say of that place, and whether the vehicle rolls.
    3. Where the bay of a car wants it plugged in: a charging session or a rising charge is proof, a
       charger that does not work asks nothing.
    4. A photo where policy or the person's earlier photos ask for one.

    What a vehicle does not report is not asked. One query more for each of 1 (only with a bay's
    code), 3 and an uncertain place.
    """
    fix_of_bay = bay_fix(trip=trip, code=bay, at=at) if bay else None
    place = rules.place_of_end(vehicle=vehicle_fix(trip), phone=phone, bay=fix_of_bay, at=at)
    unmet: list[EndCondition] = []
    flags = list(_FLAGS[place.source])
    uncertain = place.source is not Source.VEHICLE
    if bay and fix_of_bay is None and place.source is not Source.VEHICLE:
        unmet.append(EndCondition(BAY_UNKNOWN))
    if place.fix is not None:
        verdict = _verdict(trip, place.fix, at=at)
        unmet += [EndCondition(code, verdict.nearest) for code in verdict.reasons]
        uncertain = uncertain or _barely(trip, place, verdict, terms=terms, at=at)
        plug = _plug(trip, verdict, terms=terms, at=at)
        unmet += [EndCondition(CABLE)] if plug is Plug.OUT else []
        flags += [TripFlag.CHARGER_FAULTED] if plug is Plug.BROKEN else []
    if rules.is_moving(place):
        unmet.append(EndCondition(MOVING))
    if _photo_missing(terms):
        unmet.append(EndCondition(PHOTO_REQUIRED))
    uncertain = uncertain and terms.policy.photo_rule != PhotoRule.NEVER and not terms.photos
    return PlaceJudged(place.source, tuple(unmet), tuple(flags), place.fix, uncertain)


def vehicle_fix(trip: Trip) -> Fix | None:
    """Where the vehicle of a trip (loaded with its story) last said it was."""
    latest = getattr(trip.vehicle, "latest", None)
    if latest is None:
        return None
    return Fix(
        lon=latest.lon,
        lat=latest.lat,
        accuracy_m=(latest.accuracy_dm or 0) / 10,
        at=latest.at,
        speed_kmh=(latest.speed_cms or 0) * 0.036,
    )


_FLAGS: dict[Source, tuple[TripFlag, ...]] = {
    Source.VEHICLE: (),
    Source.PHONE: (TripFlag.POSITION_FROM_PHONE,),
    Source.BAY: (TripFlag.POSITION_FROM_BAY, TripFlag.POSITION_UNVERIFIED),
    Source.NOBODY: (TripFlag.POSITION_UNVERIFIED,),
}


def _verdict(trip: Trip, fix: Fix, *, at: datetime.datetime, **other: Any) -> ParkingVerdict:
    return parking_verdict(
        city_id=trip.vehicle.city_id,
        organisation_id=trip.organisation_id,
        lon=fix.lon,
        lat=fix.lat,
        accuracy_m=other.get("accuracy_m", fix.accuracy_m),
        kind=trip.vehicle.kind,
        vehicle_type=trip.vehicle.type.code,
        # Zones that were published under way must not catch the rider.
        since=trip.started_at,
        at=at,
    )


def _barely(
    trip: Trip, place: Place, verdict: ParkingVerdict, *, terms: EndTerms, at: datetime.datetime
) -> bool:
    """Whether the place is legal only because its doubt belongs to the rider."""
    fix = place.fix
    if fix is None or not verdict.allowed or fix.accuracy_m <= terms.policy.photo_accuracy_m:
        return False
    return not _verdict(trip, fix, at=at, accuracy_m=0.0).allowed


def _plug(
    trip: Trip, verdict: ParkingVerdict, *, terms: EndTerms, at: datetime.datetime
) -> Plug | None:
    asked = terms.policy.plug_at_hubs and trip.vehicle.kind == Kind.CAR
    if not asked or not verdict.allowed or verdict.zone_id is None:
        return None
    return plug_at(trip=trip, zone_id=verdict.zone_id, at=at)


def _photo_missing(terms: EndTerms) -> bool:
    rule = terms.policy.photo_rule
    risky = rule == PhotoRule.UNCERTAIN and terms.strikes >= RISKY_STRIKES
    return not terms.photos and (rule == PhotoRule.ALWAYS or risky)
