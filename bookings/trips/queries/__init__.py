"""Reads of trips: what one costs, what stands in the way of its end, what to take instead."""

from bookings.trips.queries.alternatives import alternative_to
from bookings.trips.queries.bays import zone_marks
from bookings.trips.queries.ending import (
    BAY_UNKNOWN,
    CABLE,
    MOVING,
    PHOTO_REQUIRED,
    EndCondition,
    PlaceJudged,
    judge_end,
    vehicle_fix,
)
from bookings.trips.queries.own import own_trip
from bookings.trips.queries.policies import (
    STRIKES_FOR,
    EndTerms,
    all_policies,
    end_terms,
    keep_photos_for,
    limits_of,
    policy_in,
    policy_of,
)
from bookings.trips.queries.price import (
    WAIVED_UNLOCK,
    frozen_perks,
    price_lines,
    price_terms,
    waived,
)

__all__ = [
    "BAY_UNKNOWN",
    "CABLE",
    "MOVING",
    "PHOTO_REQUIRED",
    "STRIKES_FOR",
    "WAIVED_UNLOCK",
    "EndCondition",
    "EndTerms",
    "PlaceJudged",
    "all_policies",
    "alternative_to",
    "end_terms",
    "frozen_perks",
    "judge_end",
    "keep_photos_for",
    "limits_of",
    "own_trip",
    "policy_in",
    "policy_of",
    "price_lines",
    "price_terms",
    "vehicle_fix",
    "waived",
    "zone_marks",
]
