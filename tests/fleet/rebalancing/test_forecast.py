"""What today is like, who finds a vehicle, and how far a forecast may be off."""

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.rebalancing import queries
from fleet.rebalancing.rules import forecast
from fleet.rebalancing.rules.backtest import Past, past_spread, today
from fleet.rebalancing.rules.demand import BUCKETS, PRIOR_PROFILE
from fleet.rebalancing.rules.forecast import Spread, interval, nowcast
from fleet.rebalancing.rules.influences import Influence, influence_factors
from fleet.rebalancing.rules.parameters import Parameters
from tests.fleet.rebalancing.conftest import BUSY, NIGHT, PARAMETERS, QUIET

HOUR = datetime.timedelta(hours=1)


def weeks(count):
    """Bucket of each hour, from a Monday's midnight on."""
    hour = np.arange(count * 168)
    return hour % 24 + np.where(hour // 24 % 7 >= 5, 24, 0)


def city(*, common=0.0, places=60, count=4, seed=3):
    """Poisson trips of a commuting city whose days are good or bad by `common`."""
    chance = np.random.default_rng(seed)
    bucket = weeks(count)
    days = bucket.size // 24
    weather = np.ones(days)
    if common:
        weather = chance.gamma(common**-2, common**2, days)
    mean = np.outer(chance.gamma(2.0, 1.0, places), PRIOR_PROFILE[bucket] * np.repeat(weather, 24))
    ones = np.ones_like(mean)
    return Past(
        trips=chance.poisson(mean).astype(float), present=ones, known=ones, bucket_of_hour=bucket
    )


def spread(past):
    return past_spread(past, parents=np.zeros(len(past.trips), dtype=int), prior_per_hour=1.0)


def test_a_slow_morning_lowers_the_day_and_less_so_the_evening():
    factors = nowcast(observed=60.0, expected=180.0, lead_hours=np.array([1.0, 10.0, 100.0]))
    assert 0.4 < factors[0] < 0.5 < factors[1] < 0.75 < 0.99 < factors[2] < 1.0


def test_a_night_in_which_nothing_is_expected_says_nothing():
    assert nowcast(observed=0.0, expected=0.5, lead_hours=np.array([2.0])) == pytest.approx(1, 0.03)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 48))
@settings(max_examples=60, deadline=None)
def test_no_count_multiplies_a_day_beyond_reason(observed, expected, lead):
    factor = nowcast(observed=observed, expected=expected, lead_hours=np.array([lead]))
    assert 0.2 <= factor[0] <= 3.0


def test_today_counts_only_what_could_be_had():
    """Half of the city stood empty: half the trips are as many as one could expect."""
    past = city(places=40)
    rates = np.tile(4.0 * PRIOR_PROFILE, (40, 1))
    past.present[:20, -2:] = 0.0
    past.trips[:, -2:] = 0.0
    past.trips[20:, -2:] = rates[20:][:, past.bucket_of_hour[-2:]]
    assert today(past, rates=rates, lead_hours=np.array([2.0])) == pytest.approx(1.0)


def test_a_place_where_a_vehicle_seldom_stands_sees_few_trips():
    hours = np.full((2, BUCKETS), 20.0)
    usual = forecast.availability(present=hours * np.array([[0.1], [0.9]]), hours=hours)
    assert usual[0].mean() == pytest.approx(0.13, abs=0.04)
    assert usual[1].mean() == pytest.approx(0.89, abs=0.04)
    now = forecast.available_soon(usual=usual[:, 0], now=np.array([1.0, 0.0]))
    assert now[0] > usual[0, 0]
    assert now[1] < usual[1, 0]


def test_chance_and_weather_are_told_apart():
    calm, stormy = spread(city()), spread(city(common=0.4))
    assert calm.common < 0.25 < stormy.common
    assert 0.9 < calm.noise < 1.5


def test_a_week_of_history_leaves_the_prior():
    assert spread(city(count=1)) == Spread()


def test_four_days_of_five_lie_in_the_interval():
    """Days that were not looked at when the spread was measured."""
    inside = []
    for seed in range(6):
        both = city(common=0.3, count=8, seed=seed)
        half = both.bucket_of_hour.size // 2
        first = Past(
            trips=both.trips[:, :half],
            present=both.present[:, :half],
            known=both.known[:, :half],
            bucket_of_hour=both.bucket_of_hour[:half],
        )
        days = both.trips.reshape(len(both.trips), -1, 24).sum(axis=2)
        week = days[:, :28].reshape(len(days), 4, 7).mean(axis=1)
        low, high = interval(mean=np.tile(week, (1, 4)), spread=spread(first))
        inside.append(((days[:, 28:] >= low) & (days[:, 28:] <= high)).mean())
    assert 0.72 < np.mean(inside) < 0.88


@given(st.floats(0, 500), st.floats(0, 500), st.floats(1, 5), st.floats(0, 0.6))
@settings(max_examples=60, deadline=None)
def test_an_interval_holds_its_mean_and_grows_with_it(one, other, noise, common):
    mean = np.array(sorted((one, other)))
    low, high = interval(mean=mean, spread=Spread(noise=noise, common=common))
    assert (low <= np.ceil(mean)).all()
    assert (high >= np.floor(mean * 0.6)).all()
    assert (low >= 0).all()
    assert (low <= high).all()
    assert low[0] <= low[1]
    assert high[0] <= high[1]


def test_a_concert_multiplies_what_is_near_and_rain_everything():
    start = NIGHT + HOUR / 2
    concert = Influence(
        since=start + HOUR, until=start + 2.5 * HOUR, factor=3.0, lon=BUSY[0], lat=BUSY[1]
    )
    rain = Influence(since=start - HOUR, until=start + HOUR, factor=0.5)
    factors = influence_factors(
        [concert, rain],
        lon=np.array([BUSY[0], QUIET[0]]),
        lat=np.array([BUSY[1], QUIET[1]]),
        horizon_start=start,
        hours=4,
    )
    assert factors.tolist() == [[0.5, 3.0, 2.0, 1.0], [0.5, 1.0, 1.0, 1.0]]


def situation(ruote, milan, **parameters):
    return queries.load_situation(
        organisation_id=ruote.pk,
        city_id=milan.pk,
        parameters=Parameters.from_json({**PARAMETERS, **parameters}),
        horizon_start=NIGHT + 2.5 * HOUR,
        at=NIGHT,
    )


def test_a_plan_expects_what_will_be_seen_and_values_what_is_asked_for(night, ruote, milan):
    """At the busy place a scooter stands ten minutes of each hour and is gone: fourteen trips a day
    are what will be seen, and many more are wanted."""
    demand = situation(ruote, milan).demand["scooter"]
    busiest = int(demand.departures.sum(axis=1).argmax())
    assert demand.trips()[busiest] < 30 < demand.departures[busiest].sum()


def test_what_staff_know_of_the_day_changes_the_plan(night, ruote, milan):
    usual = situation(ruote, milan).demand["scooter"].departures
    strike = {
        "since": (NIGHT - HOUR).isoformat(),
        "until": (NIGHT + 48 * HOUR).isoformat(),
        "factor": 2.0,
    }
    doubled = situation(ruote, milan, influences=[strike]).demand["scooter"].departures
    assert doubled == pytest.approx(2.0 * usual)
