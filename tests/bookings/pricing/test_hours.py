"""Prices by the city's clocks, also on the two days on which these are changed."""

import datetime
import itertools

import pytest

from bookings.pricing.rules import Block, Segment, SegmentKind, Window, estimate, price_trip
from bookings.pricing.rules.windows import cuts, shows
from mobility.core.clock import CITY_ZONE
from mobility.core.money import total_cents
from tests.bookings.pricing.golden import fare
from tests.bookings.pricing.rides import ride

PEAK = Window(start="07:30", end="09:30", weekdays=(1, 2, 3, 4, 5), minute_cents=30)
NIGHT = Window(start="22:00", end="06:00", minute_cents=10, pause_minute_cents=1)
TERMS = fare(minute_cents=20, pause_minute_cents=5, windows=(PEAK, NIGHT))


def rome(text, fold=0):
    """An instant by what the city's clocks show."""
    wall = datetime.datetime.fromisoformat(text).replace(tzinfo=CITY_ZONE, fold=fold)
    return wall.astimezone(datetime.UTC)


def rates(start, *lengths_s, terms=TERMS):
    lines = price_trip(fare=terms, segments=ride(*lengths_s, start=start))
    return {
        (line.kind, line.params["minute_cents"]): int(line.quantity)
        for line in lines
        if line.kind in {"ride", "pause"}
    }


@pytest.mark.parametrize(
    ("start", "price"),
    [
        ("2026-11-23T08:00", 30),  # a Monday
        ("2026-11-22T08:00", 20),  # a Sunday
        ("2026-11-23T09:30", 20),
        ("2026-11-23T22:00", 10),
        ("2026-11-24T05:59", 10),
        ("2026-11-24T06:00", 20),
    ],
)
def test_a_minute_costs_what_it_costs_when_it_begins(start, price):
    assert rates(rome(start), 60) == {("ride", price): 1}


def test_a_ride_through_the_peak_is_split_where_its_minutes_begin():
    """From 07:00:30: the minute that begins at 07:29:30 is the last of the cheap ones."""
    start = rome("2026-11-23T07:00:30")
    assert rates(start, 3 * 3600) == {("ride", 20): 30 + 30, ("ride", 30): 120}


def test_pauses_have_their_own_price_and_minutes_start_once_per_kind():
    start = rome("2026-11-23T21:59:00")
    # Riding from 21:59:00 to 21:59:30 and from 22:00:30 on; the first minute of riding ends there.
    assert rates(start, 30, 60, 90) == {("ride", 20): 1, ("ride", 10): 1, ("pause", 5): 1}


def test_a_night_belongs_to_the_weekday_on_which_it_began():
    friday = Window(start="22:00", end="04:00", weekdays=(5,), minute_cents=99)
    assert shows(friday, rome("2026-11-27T23:00"))
    assert shows(friday, rome("2026-11-28T03:00"))
    assert not shows(friday, rome("2026-11-27T03:00"))
    assert not shows(friday, rome("2026-11-28T23:00"))


def test_a_booking_over_the_missing_hour_is_an_hour():
    """28 March 2027: 01:30 to 03:30 on the clocks."""
    whole = Segment(
        kind=SegmentKind.RUNNING, start=rome("2027-03-28T01:30"), end=rome("2027-03-28T03:30")
    )
    assert total_cents(price_trip(fare=fare(minute_cents=20), segments=[whole])) == 60 * 20


def test_a_booking_over_the_doubled_hour_is_three_hours():
    """31 October 2027: 01:30 to 03:30 on the clocks."""
    whole = Segment(
        kind=SegmentKind.RUNNING, start=rome("2027-10-31T01:30"), end=rome("2027-10-31T03:30")
    )
    assert total_cents(price_trip(fare=fare(minute_cents=20), segments=[whole])) == 180 * 20


def test_a_window_in_the_missing_hour_never_happens():
    terms = fare(minute_cents=20, windows=(Window(start="02:00", end="03:00", minute_cents=99),))
    assert rates(rome("2027-03-28T01:30"), 3600, terms=terms) == {("ride", 20): 60}


def test_a_window_into_the_missing_hour_ends_when_the_clock_jumps():
    terms = fare(minute_cents=20, windows=(Window(start="22:00", end="02:30", minute_cents=10),))
    start = rome("2027-03-28T01:30")
    assert rates(start, 3600, terms=terms) == {("ride", 10): 30, ("ride", 20): 30}


def test_a_window_in_the_doubled_hour_happens_twice():
    terms = fare(minute_cents=20, windows=(Window(start="02:00", end="02:30", minute_cents=99),))
    start = rome("2027-10-31T01:00")
    assert rates(start, 4 * 3600, terms=terms) == {("ride", 99): 60, ("ride", 20): 180}


def test_a_window_over_the_whole_doubled_hour_lasts_two():
    terms = fare(minute_cents=20, windows=(Window(start="02:00", end="03:00", minute_cents=99),))
    start = rome("2027-10-31T01:00")
    assert rates(start, 4 * 3600, terms=terms) == {("ride", 99): 120, ("ride", 20): 120}


@pytest.mark.parametrize("day", ["2027-03-28", "2027-10-31", "2027-05-12"])
def test_between_two_cuts_no_clock_changes_its_mind(day):
    """Looked at minute by minute: the price changes only at a cut."""
    windows = (PEAK, NIGHT, Window(start="02:15", end="02:45", minute_cents=1))
    start = rome(f"{day}T00:00")
    end = start + datetime.timedelta(hours=26)
    edges = [start, *cuts(windows, start=start, end=end), end]
    for begin, stop in itertools.pairwise(edges):
        at, held = begin, [shows(window, begin) for window in windows]
        while at < stop:
            assert [shows(window, at) for window in windows] == held, at
            at += datetime.timedelta(minutes=1)


def test_blocks_cover_the_minutes_that_are_dear():
    terms = fare(minute_cents=20, windows=(PEAK,), blocks=(Block(minutes=60, cents=1300),))
    start = rome("2026-11-23T08:30")
    # An hour at the peak for 13.00 instead of 18.00; the hour after it is cheaper by the minute.
    assert total_cents(price_trip(fare=terms, segments=ride(7200, start=start))) == 1300 + 1200


def test_unlocking_may_have_hours_too():
    free = Window(start="12:00", end="14:00", unlock_cents=0)
    terms = fare(unlock_cents=100, windows=(free,))
    assert (
        total_cents(price_trip(fare=terms, segments=ride(60, start=rome("2026-11-23T13:00")))) == 0
    )
    assert (
        total_cents(price_trip(fare=terms, segments=ride(60, start=rome("2026-11-23T14:00"))))
        == 100
    )


def test_an_estimate_without_a_time_is_that_of_the_dearest_hour():
    assert total_cents(estimate(fare=TERMS, minutes=10)) == 300
    night = rome("2026-11-23T23:00")
    assert total_cents(estimate(fare=TERMS, minutes=10, at=night)) == 100
    assert TERMS.hour_cents == 1800
