"""How far the forecast would have been off in the weeks that are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.rebalancing.rules.demand import BUCKETS, Observed, shrunk_rates
from fleet.rebalancing.rules.forecast import (
    NOWCAST_HOURS,
    Spread,
    availability,
    nowcast,
    spread_of,
)
from fleet.rebalancing.rules.presence import by_bucket
from fleet.rebalancing.solver.problem import Floats, Ints

DAY = 24
WEEK = 7 * DAY


@dataclass(frozen=True, kw_only=True)
class Past:
    """Trips and hours by (place, hour of the window)."""

    trips: Floats
    present: Floats  # share of the hour in which a vehicle stood there
    known: Floats  # 1 where anything was seen at all
    bucket_of_hour: Ints

    def bucketed(self, values: Floats) -> Floats:
        """(place, hour) added up into (place, bucket of the week)."""
        return by_bucket(values=values, bucket_of_hour=self.bucket_of_hour, buckets=BUCKETS)

    def usual(self) -> Floats:
        """Share of time with a vehicle, (place, bucket)."""
        return availability(present=self.bucketed(self.present), hours=self.bucketed(self.known))


def past_spread(past: Past, *, parents: Ints, prior_per_hour: float) -> Spread:
    """The spread of day totals, each week expected from the other weeks alone.

    What a forecast was fitted to it meets too well; a week of its own is as far away as tomorrow.
    A history of less than two weeks leaves the prior as it is.
    """
    hours = past.bucket_of_hour.size // WEEK * WEEK
    if hours < 2 * WEEK:
        return Spread()
    newest = slice(past.bucket_of_hour.size - hours, None)
    week = np.repeat(np.arange(hours // WEEK), WEEK)
    trips, present, known = (values[:, newest] for values in (past.trips, past.present, past.known))
    bucket = past.bucket_of_hour[newest]
    expected = np.zeros_like(trips)
    for held_out in range(hours // WEEK):
        used, left = week != held_out, week == held_out
        seen, stood, looked = (
            by_bucket(values=each[:, used], bucket_of_hour=bucket[used], buckets=BUCKETS)
            for each in (trips, present, known)
        )
        rates = shrunk_rates(
            observed=Observed(trips=seen, hours=stood),
            parents=parents,
            prior_per_hour=prior_per_hour,
        ).per_hour
        mean = rates * availability(present=stood, hours=looked)
        expected[:, left] = mean[:, bucket[left]] * known[:, left]
    return spread_of(observed=_days(trips), expected=_days(expected))


def today(past: Past, *, rates: Floats, lead_hours: Floats) -> Floats:
    """What today is like: `forecast.nowcast` from the window's last hours.

    Expected is what would be asked for where vehicles really stood.
    """
    last = slice(-NOWCAST_HOURS, None)
    asked = rates[:, past.bucket_of_hour[last]] * past.present[:, last]
    return nowcast(
        observed=float(past.trips[:, last].sum()),
        expected=float(asked.sum()),
        lead_hours=lead_hours,
    )


def _days(values: Floats) -> Floats:
    """(place, hour) to (place, day)."""
    summed: Floats = values.reshape(values.shape[0], values.shape[1] // DAY, DAY).sum(axis=2)
    return summed
