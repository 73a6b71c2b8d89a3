"""Prices are arithmetic: golden fares, and promises that hold for every ride."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.pricing.rules import (
    Block,
    Fare,
    Segment,
    SegmentKind,
    block_cents,
    estimate,
    price_trip,
)
from mobility.core.money import total_cents, vat_split
from tests.bookings.pricing.rides import ride

# The published rows of a Milanese car sharing's code: 0.28 a minute, 12 an hour, 30 for four hours.
SHARE = (Block(minutes=60, cents=1200), Block(minutes=240, cents=3000))


def fare(**changes) -> Fare:
    terms = {
        "version": "v",
        "currency": "EUR",
        "vat_rate": Decimal("0.22"),
        "unlock_cents": 100,
        "minute_cents": 25,
        "pause_minute_cents": 10,
        "hold_free_minutes": 10,
        "hold_minute_cents": 10,
        "hold_max_minutes": 20,
        "grace_s": 60,
    }
    return Fare(**{**terms, **changes})


@pytest.mark.parametrize(
    ("minutes", "cents"),
    [(1, 28), (42, 1176), (43, 1200), (61, 1228), (241, 3028), (329, 5000), (1441, 5028)],
)
def test_golden_rows_of_the_cheapest_combination(minutes, cents):
    terms = fare(unlock_cents=0, minute_cents=28, blocks=SHARE, day_cap_cents=5000, grace_s=0)
    assert total_cents(estimate(fare=terms, minutes=minutes)) == cents
    assert total_cents(price_trip(fare=terms, segments=ride(minutes * 60))) == cents


@pytest.mark.parametrize(
    ("lengths_s", "cents"),
    [
        ((61,), 100 + 2 * 25),  # the second minute has started
        ((120,), 100 + 2 * 25),
        ((120.9,), 100 + 2 * 25),  # parts of a second are not billed
        ((600, 90, 60), 100 + 11 * 25 + 2 * 10),  # minutes start once per kind, not per stretch
        ((90, 60, 90), 100 + 3 * 25 + 10),
    ],
)
def test_started_minutes_are_counted_once_per_kind(lengths_s, cents):
    assert total_cents(price_trip(fare=fare(), segments=ride(*lengths_s), distance_m=900)) == cents


def test_each_component_is_a_line_and_the_cap_comes_last():
    terms = fare(day_cap_cents=500, km_cents=20, free_km=2)
    lines = price_trip(fare=terms, segments=ride(3600), hold_s=12 * 60 + 1, distance_m=5240)
    assert [(line.kind, line.quantity, line.cents) for line in lines] == [
        ("unlock", Decimal(1), 100),
        ("ride", Decimal(60), 1500),
        ("cap", Decimal(1), -1100),
        ("hold", Decimal(3), 30),
        ("distance", Decimal("3.2"), 64),
    ]


def test_a_vehicle_that_went_nowhere_costs_nothing():
    assert price_trip(fare=fare(), segments=ride(60), distance_m=100) == ()
    assert total_cents(price_trip(fare=fare(), segments=ride(60), distance_m=101)) == 125
    assert total_cents(price_trip(fare=fare(), segments=ride(61), distance_m=0)) == 150


def test_a_day_is_24_elapsed_hours_on_both_clock_changes():
    terms = fare(unlock_cents=0, minute_cents=10, day_cap_cents=1000)
    for start in (
        datetime.datetime(2027, 3, 27, 23, 0, tzinfo=datetime.UTC),
        datetime.datetime(2027, 10, 30, 22, 0, tzinfo=datetime.UTC),
    ):
        whole = Segment(
            kind=SegmentKind.RUNNING, start=start, end=start + datetime.timedelta(hours=24)
        )
        assert total_cents(price_trip(fare=terms, segments=(whole,))) == 1000


def test_the_first_days_cap_includes_the_unlocking():
    terms = fare(day_cap_cents=1000)
    assert total_cents(price_trip(fare=terms, segments=ride(23 * 3600))) == 1000
    assert total_cents(price_trip(fare=terms, segments=ride(24 * 3600 + 60))) == 1025


def test_vat_is_inside_the_price_and_split_once():
    lines = price_trip(fare=fare(), segments=ride(29 * 60, 5 * 60), distance_m=4000)
    (part,) = vat_split(lines)
    assert part.gross_cents == total_cents(lines) == 875
    assert (part.net_cents, part.vat_cents) == (717, 158)


def test_a_fare_survives_its_snapshot():
    terms = fare(blocks=SHARE, day_cap_cents=5000, trip_cap_cents=9000)
    assert Fare.from_json(terms.as_json()) == terms


def test_a_snapshot_of_a_later_version_with_more_fields_can_still_be_read():
    snapshot = {**fare().as_json(), "something_new": 1}
    assert Fare.from_json(snapshot) == fare()


cents = st.integers(min_value=0, max_value=500)
blocks = st.lists(
    st.tuples(st.integers(1, 600), st.integers(1, 5000)), max_size=3, unique_by=lambda row: row[0]
).map(lambda rows: tuple(Block(minutes=m, cents=c) for m, c in sorted(rows)))
fares = st.builds(
    fare,
    unlock_cents=cents,
    minute_cents=cents,
    pause_minute_cents=cents,
    blocks=blocks,
    day_cap_cents=st.none() | st.integers(0, 6000),
    trip_cap_cents=st.none() | st.integers(0, 9000),
    km_cents=cents,
    free_km=st.integers(0, 50),
    grace_s=st.integers(0, 120),
)
lengths = st.lists(st.integers(0, 100_000), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(terms=fares, lengths=lengths, more_s=st.integers(0, 90_000), metres=st.integers(0, 90_000))
def test_a_later_end_is_never_cheaper_and_no_price_is_negative(terms, lengths, more_s, metres):
    price = total_cents(price_trip(fare=terms, segments=ride(*lengths), distance_m=metres))
    longer = [*lengths[:-1], lengths[-1] + more_s]
    assert price >= 0
    assert price <= total_cents(price_trip(fare=terms, segments=ride(*longer), distance_m=metres))


@settings(max_examples=60, deadline=None)
@given(terms=fares, lengths=lengths)
def test_caps_hold_and_never_add(terms, lengths):
    lines = price_trip(fare=terms, segments=ride(*lengths))
    total = total_cents(lines)
    assert total <= sum(line.cents for line in lines if line.kind != "cap")
    if terms.trip_cap_cents is not None:
        assert total <= terms.trip_cap_cents
    if terms.day_cap_cents is not None:
        assert total <= terms.day_cap_cents * max(1, -(-sum(lengths) // 86_400))


@settings(max_examples=60, deadline=None)
@given(minutes=st.integers(0, 3000), cents=cents, rows=blocks)
def test_blocks_never_cost_more_than_minutes_or_than_the_next_minute(minutes, cents, rows):
    price = block_cents(minutes=minutes, minute_cents=cents, blocks=rows)
    assert price <= minutes * cents
    assert price <= block_cents(minutes=minutes + 1, minute_cents=cents, blocks=rows)


@settings(max_examples=60, deadline=None)
@given(terms=fares, minutes=st.integers(1, 3000))
def test_the_estimate_is_what_such_a_ride_then_costs(terms, minutes):
    lines = price_trip(fare=terms, segments=ride(minutes * 60), distance_m=101)
    ridden = [line for line in lines if line.kind != "distance"]
    assert list(estimate(fare=terms, minutes=minutes)) == ridden
