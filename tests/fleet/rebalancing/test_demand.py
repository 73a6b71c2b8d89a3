"""Expected trips: from a prior on the first day to the fleet's own history."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.rebalancing.rules.demand import (
    BUCKETS,
    DAYS_OF_BUCKET,
    PRIOR_PROFILE,
    Observed,
    shrunk_rates,
    with_unmet_searches,
)
from fleet.rebalancing.rules.history import Searches, StateLog, Window, observe
from fleet.rebalancing.rules.presence import presence_hours


def nothing(places):
    return Observed(trips=np.zeros((places, BUCKETS)), hours=np.zeros((places, BUCKETS)))


def weekly_mean(per_hour):
    return (per_hour * DAYS_OF_BUCKET).sum(axis=1) / 24


def test_on_the_first_day_the_prior_speaks():
    rates = shrunk_rates(observed=nothing(3), parents=np.array([0, 0, 1]), prior_per_hour=0.2)
    assert rates.per_hour == pytest.approx(np.tile(0.2 * PRIOR_PROFILE, (3, 1)), rel=0.01)
    assert weekly_mean(rates.per_hour) == pytest.approx([0.2] * 3, rel=0.01)
    assert (rates.data_share == 0).all()


def test_after_months_the_data_speaks():
    hours = np.full((2, BUCKETS), 500.0)
    truth = np.vstack([2.0 * PRIOR_PROFILE, 0.1 * PRIOR_PROFILE])
    rates = shrunk_rates(
        observed=Observed(trips=truth * hours, hours=hours),
        parents=np.array([0, 1]),
        prior_per_hour=0.5,
    )
    assert rates.per_hour == pytest.approx(truth, rel=0.1, abs=0.01)
    assert (rates.data_share > 0.98).all()


def test_a_place_that_stood_empty_shows_no_lack_of_demand():
    """Same trips, but at the second place a scooter stood only a fifth of the time."""
    trips = np.tile(10.0 * PRIOR_PROFILE, (2, 1))
    hours = np.vstack([np.full(BUCKETS, 50.0), np.full(BUCKETS, 10.0)])
    rates = shrunk_rates(
        observed=Observed(trips=trips, hours=hours), parents=np.array([0, 1]), prior_per_hour=0.2
    )
    level = weekly_mean(rates.per_hour)
    assert level[1] > 2.5 * level[0]


def test_an_unknown_place_is_taken_for_its_neighbours():
    hours = np.zeros((3, BUCKETS))
    hours[0], hours[2] = 200.0, 200.0
    trips = np.zeros((3, BUCKETS))
    trips[0] = 200.0 * 3.0 * PRIOR_PROFILE
    rates = shrunk_rates(
        observed=Observed(trips=trips, hours=hours),
        parents=np.array([0, 0, 1]),
        prior_per_hour=0.1,
    )
    level = weekly_mean(rates.per_hour)
    assert level[1] > 2.0
    assert level[2] < 0.1


def test_people_who_found_nothing_count_as_part_of_a_trip():
    seen = nothing(1)
    seen.trips[0, 8], seen.hours[0, 8] = 30.0, 20.0
    unmet, found, missed = (np.zeros((1, BUCKETS)) for _ in range(3))
    unmet[0, 8], found[0, 8], missed[0, 8] = 40.0, 60.0, 10.0
    more = with_unmet_searches(observed=seen, unmet=unmet, found=found, hours_missed=missed)
    assert more.hours[0, 8] == 30.0
    # Half of the searches that found something became trips.
    assert more.trips[0, 8] == pytest.approx(30 + 40 * 33 / 70)


@settings(max_examples=60, deadline=None)
@given(
    intervals=st.lists(
        st.tuples(st.integers(0, 2), st.integers(-120, 600), st.integers(0, 300)), max_size=12
    )
)
def test_presence_is_the_union_of_all_stays(intervals):
    """Compared with looking at every minute."""
    hours = 6
    minutes = np.zeros((3, hours * 60), dtype=bool)
    for place, since, length in intervals:
        minutes[place, max(0, since) : max(0, since + length)] = True
    expected = minutes.reshape(3, hours, 60).mean(axis=2)
    found = presence_hours(
        place=np.array([place for place, _since, _length in intervals], dtype=np.int64),
        since=np.array([since / 60 for _place, since, _length in intervals], dtype=np.float64),
        until=np.array([(since + n) / 60 for _place, since, n in intervals], dtype=np.float64),
        places=3,
        hours=hours,
    )
    assert found == pytest.approx(expected, abs=1e-9)


def test_trips_and_stays_are_read_from_the_state_history():
    """Two scooters in a window of four hours (buckets 8 to 11).

    The first stood at place 0 since before, left at 1.5 h and ended at place 1 at 2.0 h; the second
    stood at place 1 from 3.5 h on.
    """
    log = StateLog(
        vehicle=np.array([1, 1, 1, 2]),
        at=np.array([-5.0, 1.5, 2.0, 3.5]),
        place=np.array([0, 0, 1, 1]),
        available=np.array([True, False, True, True]),
        started=np.array([False, True, False, False]),
        ended=np.array([False, False, True, False]),
    )
    looked = np.zeros((2, 4))
    looked[1, 0] = 5.0  # at place 1, before anything stood there
    departures, arrivals = observe(
        log=log,
        searches=Searches(searched=looked, found=np.zeros((2, 4))),
        window=Window(bucket_of_hour=np.array([8, 9, 10, 11])),
        places=2,
    )
    assert departures.hours[0, 8:12].tolist() == [1.0, 0.5, 0.0, 0.0]
    # Place 1: the missed first hour counts, because somebody looked.
    assert departures.hours[1, 8:12].tolist() == [1.0, 0.0, 1.0, 1.0]
    assert departures.trips[0, 9] == 1.0
    assert departures.trips[1, 8] == pytest.approx(5 * min(1.0, 4 / 10))
    assert arrivals.trips[1, 10] == 1.0
    assert arrivals.trips.sum() == 1.0
    assert arrivals.hours[:, 8:12].tolist() == [[1.0] * 4] * 2
