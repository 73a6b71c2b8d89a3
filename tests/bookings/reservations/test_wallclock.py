"""The city's wall clock on the two days on which it jumps, and on all others."""

import datetime
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.reservations.wallclock import (
    LocalTimeTwice,
    NoSuchLocalTime,
    TimeNotRead,
    day_bounds,
    day_slots,
    read_moment,
    shown,
)

SPRING, AUTUMN = datetime.date(2027, 3, 28), datetime.date(2027, 10, 31)


def test_half_past_two_does_not_exist_when_the_clocks_go_forward():
    with pytest.raises(NoSuchLocalTime) as refused:
        read_moment("2027-03-28T02:30")
    assert refused.value.extra["choices"] == [
        "2027-03-28T01:30:00+01:00",
        "2027-03-28T03:30:00+02:00",
    ]
    # Saying which of two does not make it exist.
    with pytest.raises(NoSuchLocalTime):
        read_moment("2027-03-28T02:30", fold=1)


def test_half_past_two_comes_twice_when_they_go_back_and_one_has_to_say_which():
    with pytest.raises(LocalTimeTwice) as asked:
        read_moment("2027-10-31T02:30")
    both = ["2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"]
    assert asked.value.extra["choices"] == both
    first, second = (read_moment("2027-10-31T02:30", fold=fold) for fold in (0, 1))
    assert (second - first) == datetime.timedelta(hours=1)
    assert [shown(first), shown(second)] == both
    assert [read_moment(text) for text in both] == [first, second]


def test_the_same_wall_times_are_one_hour_in_spring_and_three_in_autumn():
    for day, hours in ((SPRING, 1), (AUTUMN, 3), (datetime.date(2027, 5, 1), 2)):
        start, end = (read_moment(f"{day}T{time}") for time in ("01:30", "03:30"))
        assert end - start == datetime.timedelta(hours=hours)


@pytest.mark.parametrize(("day", "slots"), [(SPRING, 46), (AUTUMN, 50)])
def test_a_day_offers_the_half_hours_that_it_has(day, slots):
    labels = [shown(start)[11:] for start, _end in day_slots(day)]
    assert len(labels) == len(set(labels)) == slots
    half_past_two = [label for label in labels if label.startswith("02:30")]
    assert half_past_two == ([] if slots == 46 else ["02:30:00+02:00", "02:30:00+01:00"])


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2027-13-01T00:00", "0001-01-01T00:00", "9999-12-31T23:59"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(TimeNotRead):
        read_moment(text)


@settings(max_examples=60, deadline=None)
@given(
    st.datetimes(datetime.datetime(2026, 1, 1), datetime.datetime(2035, 1, 1)),
    st.sampled_from([0, 1]),
)
def test_what_is_read_is_shown_again_or_refused(wall, fold):
    wall = wall.replace(microsecond=0)
    try:
        at = read_moment(wall.isoformat(), fold=fold)
    except NoSuchLocalTime:
        assert (wall.month, wall.hour) == (3, 2)
    else:
        assert shown(at).startswith(wall.isoformat())


@settings(max_examples=60, deadline=None)
@given(st.dates(datetime.date(2026, 1, 1), datetime.date(2035, 1, 1)))
def test_days_follow_each_other_without_a_gap(day):
    start, end = day_bounds(day)
    assert end == day_bounds(day + datetime.timedelta(days=1))[0]
    slots = day_slots(day)
    assert (slots[0][0], slots[-1][1]) == (start, end)
    assert all(one[1] == two[0] for one, two in itertools.pairwise(slots))
