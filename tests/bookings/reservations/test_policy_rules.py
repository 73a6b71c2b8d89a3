"""Pure: spans that can be booked, how long reservations last, who hoards."""

import datetime
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bookings.pricing.rules import Fare
from bookings.reservations import rules, spans
from bookings.reservations.models import ReservationPolicy

AT = datetime.datetime(2026, 5, 4, 8, 0, tzinfo=datetime.UTC)
POLICY = ReservationPolicy()
MINUTE = datetime.timedelta(minutes=1)


def fare(**numbers: int) -> Fare:
    usual = {"unlock_cents": 0, "minute_cents": 20, "pause_minute_cents": 5}
    holds = {"hold_free_minutes": 10, "hold_minute_cents": 0, "hold_max_minutes": 10}
    return Fare(
        version="1", currency="EUR", vat_rate=Decimal("0.22"), **{**usual, **holds, **numbers}
    )


FARES = st.builds(
    fare,
    hold_free_minutes=st.integers(0, 60),
    hold_minute_cents=st.integers(0, 50),
    hold_max_minutes=st.integers(1, 120),
    hold_extend_minutes=st.integers(0, 30),
    hold_longest_minutes=st.integers(0, 240),
    free_cancel_before_h=st.integers(0, 72),
)
AHEAD = st.integers(0, 100 * 24 * 60)


@settings(max_examples=60, deadline=None)
@given(FARES)
def test_nobody_pays_for_a_reservation_without_having_made_it_longer(one):
    first, longest = rules.first_minutes(one), rules.longest_minutes(one)
    assert 1 <= first <= longest
    if one.hold_free_minutes and one.hold_minute_cents:
        assert first <= one.hold_free_minutes
    assert rules.extension_minutes(one) >= 0


@settings(max_examples=60, deadline=None)
@given(FARES, st.integers(1, 30))
def test_more_time_is_free_and_never_less_than_without(one, minutes):
    # Where nothing is free, the first minutes are the given ones, and longer is one's own wish.
    assume(one.hold_free_minutes or not one.hold_minute_cents)
    longer = rules.with_time(one, minutes=minutes)
    assert rules.first_minutes(longer) >= rules.first_minutes(one)
    assert longer.hold_free_minutes == one.hold_free_minutes + minutes


@settings(max_examples=60, deadline=None)
@given(FARES, AHEAD)
def test_cancelling_is_free_for_a_moment_and_never_after_the_beginning(one, ahead):
    starts_at = AT + ahead * MINUTE
    until = spans.cancelled_free_until(fare=one, starts_at=starts_at, at=AT)
    assert AT <= until <= starts_at
    limit = starts_at - datetime.timedelta(hours=one.free_cancel_before_h)
    assert until >= min(limit, starts_at)


@settings(max_examples=60, deadline=None)
@given(AHEAD, st.integers(-100, 6000))
def test_a_span_without_faults_is_within_all_limits(ahead, length):
    starts_at, ends_at = AT + ahead * MINUTE, AT + (ahead + length) * MINUTE
    faults = spans.span_faults(starts_at=starts_at, ends_at=ends_at, at=AT, policy=POLICY)
    fits = 30 <= length <= 72 * 60 and ahead <= 60 * 24 * 60
    assert (faults == ()) is fits


@settings(max_examples=60, deadline=None)
@given(st.integers(-60, 300))
def test_a_late_return_counts_whole_once_it_is_not_tolerated_any_more(late):
    found = spans.late_s(ends_at=AT, returned_at=AT + late * MINUTE, policy=POLICY)
    assert found == (late * 60 if late > 10 else 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 59), max_size=12))
def test_hoarding_ends_an_hour_after_the_first_of_the_last_six(minutes):
    times = [AT - minute * MINUTE for minute in minutes]
    until = rules.hoarding_until(times, policy=POLICY)
    assert (until is None) is (len(times) < 6)
    if until is not None:
        assert sum(time + rules.HOUR >= until for time in times) >= 6


def test_a_vehicle_cools_down_after_the_second_time():
    closed = [AT, AT + MINUTE]
    assert rules.cooling_until(closed[:1], policy=POLICY) is None
    assert rules.cooling_until(closed, policy=POLICY) == AT + 31 * MINUTE
    warm = ReservationPolicy(cool_down_minutes=0)
    assert rules.cooling_until(closed, policy=warm) is None


@given(st.sets(st.integers(0, 7)), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_a_free_place_is_one_that_nobody_has(taken, limit):
    slot = rules.free_slot(taken, limit=limit)
    assert (slot is None) is (set(range(limit)) <= taken)
    assert slot is None or (slot not in taken and 0 <= slot < limit)
