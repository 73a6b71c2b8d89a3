"""The meter's stretches and the place of an end, as pure rules."""

import datetime
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.pricing.rules import SegmentKind
from bookings.trips import rules
from bookings.trips.rules import Fix, Source

NOON = datetime.datetime(2026, 5, 4, 10, 0, tzinfo=datetime.UTC)
RUNNING, PAUSED = SegmentKind.RUNNING, SegmentKind.PAUSED


def later(seconds: float) -> datetime.datetime:
    return NOON + datetime.timedelta(seconds=seconds)


def fix(**changes) -> Fix:
    return Fix(**{"lon": 9.2, "lat": 45.45, "accuracy_m": 5, "at": NOON, **changes})


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.integers(0, 5000), min_size=1, max_size=8), rest=st.integers(0, 5000))
def test_stretches_follow_each_other_without_gaps_and_add_up(steps, rest):
    stretches, now, kind = rules.begin(RUNNING, at=NOON), 0, RUNNING
    for step in steps:
        now, kind = now + step, PAUSED if kind is RUNNING else RUNNING
        stretches = rules.switch(stretches, kind, at=later(now))
    parts = rules.segments(stretches, at=later(now + rest))
    assert len(parts) == len(steps) + 1
    assert all(one.end == two.start for one, two in itertools.pairwise(parts))
    assert (parts[-1].end - parts[0].start).total_seconds() == sum(steps) + rest
    assert rules.segments(rules.close(stretches, at=later(now + rest)), at=later(99_999)) == parts


def test_a_switch_that_did_not_happen_leaves_no_trace():
    running = rules.begin(RUNNING, at=NOON)
    paused = rules.switch(running, PAUSED, at=later(60))
    resumed = rules.switch(paused, RUNNING, at=later(90))
    assert rules.reopen_previous(resumed) == paused


def test_a_clock_that_steps_back_makes_no_negative_stretch():
    stretches = rules.close(rules.begin(RUNNING, at=NOON), at=later(-5))
    (part,) = rules.segments(stretches, at=later(60))
    assert part.start == part.end == NOON


def test_a_trip_that_never_started_has_no_stretches():
    assert rules.segments([], at=NOON) == ()


@pytest.mark.parametrize(
    ("vehicle", "phone", "source"),
    [
        (fix(), None, Source.VEHICLE),
        (fix(), fix(lon=9.9), Source.VEHICLE),
        (fix(at=later(-120)), fix(lon=9.9), Source.VEHICLE),
        (fix(at=later(-121)), fix(lon=9.9), Source.PHONE),
        (None, fix(), Source.PHONE),
        (fix(at=later(-121)), None, Source.NOBODY),
        (None, None, Source.NOBODY),
    ],
)
def test_whose_word_the_place_rests_on(vehicle, phone, source):
    place = rules.place_of_end(vehicle=vehicle, phone=phone, at=NOON)
    assert place.source is source
    assert (place.fix is None) == (source is Source.NOBODY)


@pytest.mark.parametrize(
    ("vehicle", "moving"),
    [(fix(speed_kmh=5.1), True), (fix(speed_kmh=5.0), False), (None, False)],
)
def test_only_the_vehicle_itself_says_that_it_rolls(vehicle, moving):
    place = rules.place_of_end(vehicle=vehicle, phone=fix(speed_kmh=30), at=NOON)
    assert rules.is_moving(place) is moving
