"""The rules of care and of stretches hold for any ride."""

import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.pricing.rules import SegmentKind
from bookings.trips import rules
from bookings.trips.rules import Deed, Fix, Limits, Silence, Source, Standing
from bookings.trips.states import EndReason, Notice

START = datetime.datetime(2026, 5, 4, 8, 0, tzinfo=datetime.UTC)


def minutes(number):
    return datetime.timedelta(minutes=number)


LIMITS = Limits(
    auto_pause=minutes(5),
    first_prompt=minutes(10),
    last_prompt=minutes(20),
    auto_end=minutes(30),
    max_pause=minutes(60),
    lock_ends_after=None,
    low_battery_pct=15,
    dead_battery_pct=3,
    dead_after=minutes(5),
)


def standing(**facts):
    usual = {
        "paused": False,
        "idle_since": None,
        "pause_since": None,
        "heard_at": START,
        "good_at": START,
        "battery_pct": 80,
        "noticed": (),
    }
    return Standing(**usual | facts)


@settings(max_examples=60, deadline=None)
@given(idle=st.integers(0, 60), paused=st.booleans(), noticed=st.sets(st.sampled_from(Notice)))
def test_standing_locked_never_ends_a_ride_before_its_time(idle, paused, noticed):
    since = START - minutes(idle)
    found = standing(idle_since=since, paused=paused, noticed=noticed)
    care = rules.next_deed(found, LIMITS, at=START)
    ends = care is not None and care.deed is Deed.END
    assert ends == (idle >= 30)
    if care is not None and care.deed is Deed.TELL:
        assert care.notice not in noticed
    if care is not None and care.deed is Deed.PAUSE:
        assert not paused
        assert idle >= 5


@settings(max_examples=60, deadline=None)
@given(
    battery=st.one_of(st.none(), st.integers(0, 100)),
    silent=st.integers(0, 20),
    noticed=st.booleans(),
)
def test_a_battery_is_dead_only_when_all_but_empty_and_silent(battery, silent, noticed):
    found = standing(
        battery_pct=battery,
        heard_at=START - minutes(silent),
        noticed=[Notice.LOW_BATTERY] if noticed else [],
    )
    care = rules.next_deed(found, LIMITS, at=START)
    dead = care is not None and care.reason == EndReason.BATTERY_DEAD
    assert dead == (battery is not None and battery <= 3 and silent >= 5)


@settings(max_examples=40, deadline=None)
@given(vehicles=st.integers(0, 40), silent=st.integers(0, 40), share=st.integers(1, 100))
def test_an_outage_never_begins_and_ends_by_the_same_figures(vehicles, silent, share):
    fleet = Silence(silent=min(silent, vehicles), vehicles=vehicles, share_pct=share)
    assert not (rules.is_outage(fleet) and rules.is_over_outage(fleet))


@settings(max_examples=60, deadline=None)
@given(lengths=st.lists(st.integers(0, 30), min_size=1, max_size=6), at=st.integers(0, 200))
def test_a_meter_that_stood_earlier_never_counts_more(lengths, at):
    stretches, now = rules.begin(SegmentKind.RUNNING, at=START), START
    for number, length in enumerate(lengths):
        now += minutes(length)
        kind = SegmentKind.PAUSED if number % 2 == 0 else SegmentKind.RUNNING
        stretches = rules.switch(stretches, kind, at=now, itself=bool(number % 3))
    moment = START + minutes(at)
    whole = rules.segments(rules.close(stretches, at=now + minutes(500)), at=now)
    cut = rules.segments(rules.cut(stretches, at=moment), at=now)
    length = sum((part.end - part.start for part in cut), datetime.timedelta())
    assert length == max(moment - START, datetime.timedelta())
    assert length <= sum((part.end - part.start for part in whole), datetime.timedelta())
    assert all(row["end"] for row in rules.cut(stretches, at=moment))


def fix(lon, accuracy_m, *, age=0):
    return Fix(lon=lon, lat=45.45, accuracy_m=accuracy_m, at=START - minutes(age))


def test_whose_word_counts():
    def source(**told):
        return rules.place_of_end(**{"vehicle": None, "phone": None} | told, at=START).source

    good, vague, old = fix(9.20, 5), fix(9.20, 90), fix(9.20, 5, age=5)
    near, far = fix(9.2005, 10), fix(9.25, 10)
    assert source(vehicle=good, phone=far, bay=far) is Source.VEHICLE
    assert source(vehicle=vague, phone=near) is Source.PHONE
    assert source(vehicle=vague, phone=far) is Source.VEHICLE
    assert source(vehicle=vague, phone=near, bay=near) is Source.BAY
    assert source(vehicle=old, phone=far) is Source.PHONE
    assert source(vehicle=vague) is Source.NOBODY
    assert source() is Source.NOBODY
