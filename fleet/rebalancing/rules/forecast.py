"""From demand to trips: who finds a vehicle, what today is like, and how far it may be off.

`demand.shrunk_rates` says what people would ask for wherever a vehicle stands. What will be seen is
that times the share of time in which one stands there, times what today shows so far. On public
data (`./dev bench forecast`) each of the three takes its part of the error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Self

import numpy as np

from fleet.rebalancing.solver.problem import Floats

PSEUDO_PRESENT_HOURS = 3.0
# What stands there now says this much about two hours from now, the place's habit the rest.
PRESENT_NOW_SHARE = 0.25
NOWCAST_HOURS = 2
PSEUDO_NOWCAST_TRIPS = 20.0
# A day that began at twice the usual is taken for half as far off so many hours later.
NOWCAST_HALF_LIFE_HOURS = 10.0
# One bad hour of counting must not multiply a whole day.
NOWCAST_RANGE = (0.2, 3.0)

PRIOR_NOISE = 1.8
PRIOR_COMMON = 0.25
PSEUDO_DAYS = 5.0


def availability(*, present: Floats, hours: Floats) -> Floats:
    """Expected share of time with a vehicle, (place, bucket), from hours present of hours looked at.

    Each bucket is shrunk to its place by three hours, the place to the city by a day.
    """
    city = present.sum() / max(1e-9, hours.sum())
    of_place = (present.sum(axis=1) + 24.0 * city) / (hours.sum(axis=1) + 24.0)
    shrunk: Floats = (present + PSEUDO_PRESENT_HOURS * of_place[:, None]) / (
        hours + PSEUDO_PRESENT_HOURS
    )
    return shrunk


def available_soon(*, usual: Floats, now: Floats) -> Floats:
    """The share of time with a vehicle one to three hours from now, given what stands there now."""
    result: Floats = (1.0 - PRESENT_NOW_SHARE) * usual + PRESENT_NOW_SHARE * now
    return result


def nowcast(*, observed: float, expected: float, lead_hours: Floats) -> Floats:
    """What today is like: the factor on expected trips of hours that begin in `lead_hours`.

    The ratio of the city's trips seen to those expected within the last two hours, steadied by
    20 trips, fades by half every ten hours. A night in which little is expected says nothing.
    """
    ratio = (observed + PSEUDO_NOWCAST_TRIPS) / (expected + PSEUDO_NOWCAST_TRIPS)
    ratio = float(np.clip(ratio, *NOWCAST_RANGE))
    factors: Floats = ratio ** (0.5 ** (np.asarray(lead_hours) / NOWCAST_HALF_LIFE_HOURS))
    return factors


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far counts lie from a mean m: variance = noise * m + (common * m) squared.

    `noise` is chance (1 for a Poisson count), `common` what all places share: the day's weather.
    """

    noise: float = PRIOR_NOISE
    common: float = PRIOR_COMMON

    def as_json(self) -> dict[str, float]:
        """Plain values, to be stored with a plan."""
        return {name: round(value, 4) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, float]) -> Self:
        """From stored values; a plan from before has the prior's."""
        return cls(**{name: float(value) for name, value in stored.items()})

    def deviation(self, mean: Floats) -> Floats:
        """Standard deviation of a count whose mean is expected."""
        result: Floats = np.sqrt(self.noise * mean + (self.common * mean) ** 2)
        return result


def spread_of(*, observed: Floats, expected: Floats) -> Spread:
    """The spread of past counts, (place, period), around what was expected of them.

    1. The common part: how the sums of all places vary around their expectation beyond chance.
    2. The noise: what is left at single places. Both are shrunk to a prior worth five periods.
    """
    periods = observed.shape[1]
    whole, wanted = observed.sum(axis=0), expected.sum(axis=0)
    known = wanted > 0
    off = ((whole[known] - wanted[known]) / wanted[known]) ** 2
    chance = PRIOR_NOISE / np.maximum(wanted[known], 1.0)
    common = np.maximum(off - chance, 0.0).sum() + PSEUDO_DAYS * PRIOR_COMMON**2
    common = float(np.sqrt(common / (known.sum() + PSEUDO_DAYS)))
    # Against the level of each period, so that a storm is not counted twice.
    level = np.divide(whole, wanted, out=np.ones(periods), where=known)
    around = expected * level
    squares = ((observed - around) ** 2).sum()
    pseudo = PSEUDO_DAYS * float(around.sum()) / max(1, periods) + 10.0
    noise = float((squares + pseudo * PRIOR_NOISE) / (around.sum() + pseudo))
    return Spread(noise=noise, common=common)


def interval(*, mean: Floats, spread: Spread, share: float = 0.8) -> tuple[Floats, Floats]:
    """Between which counts the truth lies in `share` of cases, both ends included.

    A gamma-like skew by the cube of Wilson and Hilferty (1931): quantiles stay above zero where
    normal ones would not; ends are whole trips.
    """
    mean = np.maximum(np.asarray(mean, dtype=np.float64), 1e-9)
    relative = spread.deviation(mean) / mean
    reach = NormalDist().inv_cdf(0.5 + share / 2.0)
    ninth = relative**2 / 9.0
    low, high = (
        mean * np.maximum(1.0 - ninth + side * reach * np.sqrt(ninth), 0.0) ** 3
        for side in (-1.0, 1.0)
    )
    # Below one trip a whole number above the low end would leave out the likeliest one, none.
    lowest = np.where(low < 1.0, np.round(low), np.ceil(low))
    return lowest, np.maximum(lowest, np.floor(high))
