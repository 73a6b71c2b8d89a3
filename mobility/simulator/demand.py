"""When people go out and where to: a plain daily rhythm of homes, work and errands."""

import random
from dataclasses import dataclass
from datetime import datetime

from mobility.simulator.citymap import CityMap
from mobility.simulator.geometry import Place, distance_m, near

TRIPS_PER_VEHICLE_DAY = 3.0
WEEKDAY = (
    0.25, 0.15, 0.10, 0.08, 0.10, 0.30, 0.80, 1.60, 2.20, 1.50, 1.00, 1.00,
    1.30, 1.30, 1.00, 1.00, 1.20, 1.80, 2.30, 1.70, 1.20, 0.90, 0.70, 0.45,
)  # fmt: skip
WEEKEND = (
    0.70, 0.60, 0.40, 0.20, 0.10, 0.10, 0.20, 0.40, 0.70, 1.00, 1.30, 1.50,
    1.50, 1.40, 1.50, 1.60, 1.70, 1.70, 1.50, 1.30, 1.20, 1.10, 1.00, 0.80,
)  # fmt: skip
MORNING = range(6, 11)
EVENING = range(16, 21)
COMMUTES = 0.7
STROLL_M = 250.0
MOST_DRAWS = 80
USUAL_TRIP_M = {"scooter": (400, 2_800), "bicycle": (500, 4_000), "car": (1_500, 9_000)}


@dataclass(frozen=True, slots=True)
class Haunts:
    """The two places a person's day turns around."""

    home: Place
    work: Place


def outings_per_hour(*, at: datetime, vehicles: int) -> float:
    """Outings of all residents together in an hour like this, so that the fleet has a usual day."""
    profile = WEEKDAY if at.weekday() < 5 else WEEKEND
    mean = sum(profile) / len(profile)
    return vehicles * TRIPS_PER_VEHICLE_DAY / 24 * profile[at.hour] / mean


def settle(*, city: CityMap, rng: random.Random) -> Haunts:
    """Where a new resident lives, and works not too far away."""
    home = city.somewhere("bicycle", rng)
    return Haunts(home, within_reach(of=home, kind="bicycle", city=city, rng=rng))


def itinerary(
    *, at: datetime, haunts: Haunts, city: CityMap, kind: str, rng: random.Random
) -> tuple[Place, Place]:
    """From where to where: to work in the morning, home in the evening, errands between."""
    if at.weekday() < 5 and rng.random() < COMMUTES:
        if at.hour in MORNING:
            return _around(haunts.home, rng), _near_legal(haunts.work, city, kind, rng)
        if at.hour in EVENING:
            return _around(haunts.work, rng), _near_legal(haunts.home, city, kind, rng)
    start = city.somewhere(kind, rng)
    return start, within_reach(of=start, kind=kind, city=city, rng=rng)


def within_reach(*, of: Place, kind: str, city: CityMap, rng: random.Random) -> Place:
    """A legal place as far away as people usually go with a vehicle of ``kind``."""
    low, high = USUAL_TRIP_M[kind]
    for _ in range(MOST_DRAWS):
        goal = city.somewhere(kind, rng)
        if low <= distance_m(of, goal) <= high:
            return goal
    return city.somewhere(kind, rng)


def _around(place: Place, rng: random.Random) -> Place:
    return near(place, within_m=STROLL_M, rng=rng)


def _near_legal(place: Place, city: CityMap, kind: str, rng: random.Random) -> Place:
    for _ in range(10):
        goal = _around(place, rng)
        if city.may_park(kind, goal):
            return goal
    return city.somewhere(kind, rng)
