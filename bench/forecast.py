"""Forecast of trips: backtest on public data, else on a simulated city.

Data: hourly pick-ups of 612 stations of New York's Citi Bike, January and February 2017, with how
long each stood empty. Looked for in the folder `TRIPDATA_DIR`, else in `shared/tripdata` beside the
project; without it a seeded city of 300 places with commuting, weekends, storms and vehicles that
run out takes its place, and the table says so. Trained on January, tested on every hour of
February. Every forecast uses only hours that were over when it was made: day-ahead at midnight for
the 24 hours to come, from the last 28 days; two hours ahead at the full hour, for the hour that
ends two hours later (`begins` in two hours is shown beside). The rules are those of the product:
`rules.demand.shrunk_rates` times `rules.forecast.availability`, `available_soon` and `nowcast`.

Denominator: the mean absolute error of "same hour last week". Coverage: share of places whose
February day totals lie in the 80 % interval given the midnight before, places of less than five
expected trips left out (whole numbers are too coarse to hit a share there). Bias by place: trips
forecast over trips made, tenth and ninetieth of a hundred among places of a trip a day or more.

    ./dev bench forecast [--quick]
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
os.environ["LOG_LEVEL"] = "ERROR"
django.setup()

from bench.report import Figure, publish  # noqa: E402 — needs Django set up
from fleet.rebalancing.rules import forecast  # noqa: E402
from fleet.rebalancing.rules.backtest import Past, past_spread  # noqa: E402
from fleet.rebalancing.rules.demand import (  # noqa: E402
    BUCKETS,
    PRIOR_PROFILE,
    Observed,
    shrunk_rates,
)
from fleet.rebalancing.solver.problem import Floats, Ints  # noqa: E402

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "tripdata"
TRIPDATA = Path(os.environ.get("TRIPDATA_DIR", BESIDE))
FILE = "nyc_2017_jan_feb_hourly.npz"
JANUARY = 31
DAY, WEEK = 24, 168
HISTORY_DAYS = 28
COARSE = 5.0


@dataclass(frozen=True, kw_only=True)
class Trips:
    """Counts by (hour, place), which of them are known, the share of time with a vehicle there."""

    name: str
    counts: Floats
    known: Floats
    present: Floats
    bucket: Ints

    @property
    def days(self) -> int:
        """Whole days in all."""
        return len(self.counts) // DAY


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Expected trips by (hour of the test, place), and its intervals of day totals."""

    rates: Floats  # asked for wherever a vehicle stands
    usual: Floats  # share of time in which one stands
    low: Floats  # (day, place)
    high: Floats


def load_new_york() -> Trips:
    """The public hours."""
    with np.load(TRIPDATA / FILE) as data:
        hour = data["hour"].astype("datetime64[h]")
        pickups = data["pickup"].astype(np.float64)
        empty = np.clip(data["samples_empty"].astype(np.float64), 0.0, 20.0) / 20.0
    known = (pickups >= 0).astype(np.float64)
    trips = np.maximum(pickups, 0.0)
    # A trip was made, so a bike was there, whatever the samples say.
    present = np.maximum(1.0 - empty, 0.05 * (trips > 0)) * known
    weekday = (hour.astype("datetime64[D]").astype(np.int64) + 3) % 7
    of_day = np.arange(hour.size) % DAY
    return Trips(
        name="New York, 612 stations",
        counts=trips * known,
        known=known,
        present=present,
        bucket=of_day + np.where(weekday >= 5, BUCKETS // 2, 0),
    )


def simulate_city(*, places: int = 300, days: int = 59, seed: int = 5) -> Trips:
    """A city with the prior's week, a level for each place, good and bad days, and empty hours."""
    chance = np.random.default_rng(seed)
    hours = days * DAY
    weekday = np.arange(hours) // DAY % 7
    bucket = np.arange(hours) % DAY + np.where(weekday >= 5, BUCKETS // 2, 0)
    weather = np.repeat(chance.gamma(16.0, 1 / 16.0, days), DAY)
    wanted = np.outer(PRIOR_PROFILE[bucket] * weather, chance.gamma(1.0, 1.5, places))
    present = chance.beta(6.0, 0.6, (hours, places))
    noise = chance.gamma(2.0, 0.5, (hours, places))
    return Trips(
        name=f"simulated city, {places} places",
        counts=chance.poisson(wanted * present * noise).astype(np.float64),
        known=np.ones((hours, places)),
        present=present,
        bucket=bucket,
    )


def day_ahead(trips: Trips, *, first_day: int) -> Forecast:
    """For each day of the test what the midnight before knew."""
    made = [_at_midnight(trips, day=day) for day in range(first_day, trips.days)]
    return Forecast(
        rates=np.vstack([each.rates for each in made]),
        usual=np.vstack([each.usual for each in made]),
        low=np.vstack([each.low for each in made]),
        high=np.vstack([each.high for each in made]),
    )


def _at_midnight(trips: Trips, *, day: int) -> Forecast:
    past = slice(max(0, day - HISTORY_DAYS) * DAY, day * DAY)
    coming = trips.bucket[day * DAY : (day + 1) * DAY]

    seen = Past(
        trips=trips.counts[past].T,
        present=trips.present[past].T,
        known=trips.known[past].T,
        bucket_of_hour=trips.bucket[past],
    )
    parents = np.zeros(trips.counts.shape[1], dtype=np.int64)
    rates = shrunk_rates(
        observed=Observed(trips=seen.bucketed(seen.trips), hours=seen.bucketed(seen.present)),
        parents=parents,
        prior_per_hour=1.0,
    ).per_hour
    usual = seen.usual()
    spread = past_spread(seen, parents=parents, prior_per_hour=1.0)
    mean = (rates * usual)[:, coming].sum(axis=1)
    low, high = forecast.interval(mean=mean, spread=spread)
    return Forecast(
        rates=rates[:, coming].T, usual=usual[:, coming].T, low=low[None, :], high=high[None, :]
    )


def _days(values: Floats) -> Floats:
    """(place, hour) to (place, day)."""
    summed: Floats = values.reshape(values.shape[0], -1, DAY).sum(axis=2)
    return summed


def same_day(trips: Trips, *, ahead: Forecast, first_hour: int, lead: int) -> Floats:
    """Each hour once more, with what was known `lead` hours before its end."""
    result = np.empty_like(ahead.rates)
    usual = ahead.rates * ahead.usual
    for row in range(usual.shape[0]):
        hour = first_hour + row
        until = hour + 1 - lead
        since = until - forecast.NOWCAST_HOURS
        rows = slice(max(0, since - first_hour), max(0, until - first_hour))
        observed = trips.counts[first_hour:][rows].sum()
        factor = forecast.nowcast(
            observed=float(observed),
            expected=float((usual * trips.known[first_hour:])[rows].sum()),
            lead_hours=np.array(float(lead)),
        )
        soon = forecast.available_soon(usual=ahead.usual[row], now=trips.present[until - 1])
        result[row] = ahead.rates[row] * soon * factor
    return result


# --- figures --------------------------------------------------------------------------------------
def error(trips: Trips, *, expected: Floats, first_hour: int) -> float:
    """Mean absolute error over known hours."""
    known = trips.known[first_hour:] > 0
    return float(np.abs(expected - trips.counts[first_hour:])[known].mean())


def deviance(trips: Trips, *, expected: Floats, first_hour: int) -> float:
    """Mean Poisson deviance over known hours."""
    known = trips.known[first_hour:] > 0
    seen, mean = trips.counts[first_hour:][known], np.maximum(expected[known], 1e-3)
    logs = seen * np.log(np.maximum(seen, 1e-9) / mean)
    return float(2.0 * (logs - (seen - mean)).mean())


def coverage(trips: Trips, *, ahead: Forecast, first_hour: int) -> float:
    """Per cent of day totals inside their interval, for places with enough trips."""
    seen = _days(trips.counts[first_hour:].T).T
    whole = _days(trips.known[first_hour:].T).T == DAY
    mean = _days((ahead.rates * ahead.usual).T).T
    judged = whole & (mean >= COARSE)
    inside = (seen >= ahead.low) & (seen <= ahead.high)
    return float(100.0 * inside[judged].mean())


def biases(trips: Trips, *, expected: Floats, first_hour: int) -> Floats:
    """Tenth, middle and ninetieth of a hundred of forecast over seen, by place."""
    known = trips.known[first_hour:]
    seen = trips.counts[first_hour:].sum(axis=0)
    wanted = (expected * known).sum(axis=0)
    busy = (seen > 0) & (seen >= known.sum(axis=0) / DAY)
    spread: Floats = np.percentile(wanted[busy] / seen[busy], [10, 50, 90])
    return spread


def figures_of(trips: Trips, *, first_day: int) -> list[Figure]:
    """All figures of one data set."""
    first = first_day * DAY
    ahead = day_ahead(trips, first_day=first_day)
    tomorrow = ahead.rates * ahead.usual
    soon, later = (same_day(trips, ahead=ahead, first_hour=first, lead=lead) for lead in (2, 3))
    week_before = trips.counts[first - WEEK : -WEEK]
    naive = error(trips, expected=week_before, first_hour=first)
    low, middle, high = biases(trips, expected=tomorrow, first_hour=first)
    inside = coverage(trips, ahead=ahead, first_hour=first)

    def relative(expected: Floats) -> float:
        return error(trips, expected=expected, first_hour=first) / naive

    def off(expected: Floats) -> float:
        return deviance(trips, expected=expected, first_hour=first)

    return [
        Figure(name="same hour last week, mean absolute error", value=naive, unit="trips"),
        Figure(name="day-ahead, of that", value=relative(tomorrow), unit="", limit=0.79, aim=0.75),
        Figure(name="two hours ahead, of that", value=relative(soon), unit="", limit=0.66, aim=0.627),
        Figure(name="  of an hour that begins in two hours", value=relative(later), unit=""),
        Figure(name="Poisson deviance, same hour last week", value=off(week_before), unit=""),
        Figure(name="  day-ahead", value=off(tomorrow), unit=""),
        Figure(name="  two hours ahead", value=off(soon), unit=""),
        Figure(name="day totals inside the 80 % interval", value=inside, unit="%", limit=85.0),
        Figure(
            name="  likewise, at least", value=inside, unit="%", limit=75.0, more_is_better=True
        ),
        Figure(name="bias of the middle place", value=middle, unit=""),
        Figure(name="  of a place at the low tenth", value=low, unit=""),
        Figure(name="  of a place at the high tenth", value=high, unit=""),
    ]  # fmt: skip


def main() -> int:
    """Measure and publish; 1 when a limit is broken."""
    parser = argparse.ArgumentParser(description="Backtest the forecast of trips.")
    parser.add_argument("--quick", action="store_true", help="only the last week of the data")
    options = parser.parse_args()
    public = (TRIPDATA / FILE).exists()
    if not public:
        print(f"No public trips in {TRIPDATA}; set TRIPDATA_DIR to measure them.")
    trips = load_new_york() if public else simulate_city()
    print(trips.name)
    first_day = trips.days - 7 if options.quick else JANUARY
    figures = figures_of(trips, first_day=first_day)
    notes: dict[str, object] = {"quick": options.quick, "data": trips.name}
    return 0 if publish(name="forecast", figures=figures, notes=notes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
