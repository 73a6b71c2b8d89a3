"""When an alarm begins and when it is over: each condition by itself, without database and clock.

Each rule walks the new fixes of one vehicle, oldest first, from what it remembers, and says
whether the alarm is to be on or off after them (`None`: as it was).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fleet.telematics.rules.jumps import Fix
from mobility.core.geo import haversine_m

if TYPE_CHECKING:
    from collections.abc import Iterable

_SECOND_US = 1_000_000

# A parked vehicle whose fixes wander this far has not moved: receivers between houses do that.
ANCHOR_RADIUS_M = 50.0
# Of the last so many fixes, so many must be away before somebody is said to carry it off.
AWAY_OF_FIXES = 3
AWAY_NEEDED = 2
# It stands again when it has kept within the radius for so long.
REST_S = 300

# A vehicle that lies on its side says so again; one report may be a kick or a kerb.
TILTS_NEEDED = 2

# Above the limit by more than this, for so long, is too fast; at or below it for so long is over.
SPEED_TOLERANCE_KMH = 3.0
FAST_S = 10
SLOW_S = 20
# After the vehicle confirmed the limit it may still roll.
BRAKING_S = 10


@dataclass(frozen=True, kw_only=True)
class Parked:
    """Where a parked vehicle belongs, and what its last fixes said."""

    anchor: Fix | None = None
    away: int = 0
    rest: Fix | None = None


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Since when (µs) a vehicle under a limit has been too fast, and since when within it."""

    fast_since_us: int | None = None
    slow_since_us: int | None = None


def moved_without_trip(
    fixes: Iterable[Fix], *, parked: Parked, alarmed: bool
) -> tuple[Parked, bool | None]:
    """A vehicle that nobody has rented is away from where it was parked.

    Begins with the second of three fixes further from the anchor than `ANCHOR_RADIUS_M` and their
    own doubt. Over when three fixes in a row are back, or when it has stood elsewhere for `REST_S`:
    there it is parked from then on. (A rental ends it as well; that is for the caller to see.)
    """
    on = alarmed
    for fix in fixes:
        if parked.anchor is None:
            parked = Parked(anchor=fix)
            continue
        away = _apart_m(parked.anchor, fix) > ANCHOR_RADIUS_M + fix.doubt_m
        bits = (parked.away << 1 | away) & (1 << AWAY_OF_FIXES) - 1
        parked = replace(parked, away=bits, rest=_resting(parked.rest, fix) if away else None)
        if away and bits.bit_count() >= AWAY_NEEDED:
            on = True
        elif not bits:
            on = False
        if on and parked.rest and fix.at_us - parked.rest.at_us >= REST_S * _SECOND_US:
            parked, on = Parked(anchor=fix), False
    return parked, None if on == alarmed else on


def tilted(told: Iterable[bool], *, tilts: int, alarmed: bool) -> tuple[int, bool | None]:
    """A parked vehicle lies on its side: begins with two reports in a row, over with one upright."""
    on = alarmed
    for lies in told:
        tilts = min(tilts + 1, TILTS_NEEDED) if lies else 0
        on = on or tilts >= TILTS_NEEDED if lies else False
    return tilts, None if on == alarmed else on


def too_fast(
    speeds: Iterable[tuple[int, float]],
    *,
    limit_kmh: float,
    applied_us: int,
    pace: Pace,
    alarmed: bool,
) -> tuple[Pace, bool | None]:
    """A vehicle keeps above the limit that it confirmed at `applied_us`.

    `speeds` are moments (µs) and km/h. Begins when every report for `FAST_S` was above the limit by
    more than `SPEED_TOLERANCE_KMH`, over when every report for `SLOW_S` was not.
    """
    on, fast, slow = alarmed, pace.fast_since_us, pace.slow_since_us
    for at_us, kmh in speeds:
        if at_us < applied_us + BRAKING_S * _SECOND_US:
            continue
        if kmh > limit_kmh + SPEED_TOLERANCE_KMH:
            fast, slow = at_us if fast is None else fast, None
            on = on or at_us - fast >= FAST_S * _SECOND_US
        else:
            fast, slow = None, at_us if slow is None else slow
            on = on and at_us - slow < SLOW_S * _SECOND_US
    return Pace(fast_since_us=fast, slow_since_us=slow), None if on == alarmed else on


def _apart_m(one: Fix, other: Fix) -> float:
    return haversine_m(one.lon_e7 / 1e7, one.lat_e7 / 1e7, other.lon_e7 / 1e7, other.lat_e7 / 1e7)


def _resting(rest: Fix | None, fix: Fix) -> Fix:
    """The fix since which the vehicle has kept to one place."""
    if rest is None or _apart_m(rest, fix) > ANCHOR_RADIUS_M + fix.doubt_m:
        return fix
    return rest
