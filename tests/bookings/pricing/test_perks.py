"""Passes before codes before discounts, caps last; and never more off than there is to pay."""

import dataclasses
import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.pricing.rules import (
    Block,
    Fare,
    Package,
    Perk,
    PerkKind,
    Step,
    Window,
    ZoneFee,
    ZoneMark,
    ZoneWhen,
    estimate,
    price_trip,
    time_cents,
)
from mobility.core.money import total_cents
from tests.bookings.pricing.golden import fare
from tests.bookings.pricing.rides import NOON, ride

BASIC = fare(unlock_cents=100, minute_cents=20, pause_minute_cents=5)


def kinds(lines):
    return [(line.kind, int(line.quantity), line.cents) for line in lines]


def bundle(minutes, ref="bundle", **more):
    return Perk(kind=PerkKind.PASS, ref=ref, minutes=minutes, bundle=True, **more)


def code(**worth):
    return Perk(kind=PerkKind.PROMO, ref="code", **worth)


VERIFIED = Perk(kind=PerkKind.DISCOUNT)


def test_each_perk_is_a_line_in_the_order_in_which_it_counts():
    terms = fare(
        unlock_cents=100,
        minute_cents=20,
        pause_minute_cents=5,
        blocks=(Block(minutes=60, cents=900),),
        discount_pct=25,
    )
    perks = [VERIFIED, code(percent=10), bundle(10, unlock=True)]
    lines = price_trip(fare=terms, segments=ride(70 * 60), perks=perks)
    assert kinds(lines) == [
        ("unlock", 1, 100),
        ("pass", 1, -100),
        ("ride", 70, 1400),
        ("pass", 10, -200),
        ("best_of", 1, -300),  # the sixty minutes left are one hour of 9.00
        ("promo", 1, -90),
        ("discount", 1, -203),  # a quarter of 8.10, half-up
    ]
    assert total_cents(lines) == 607


def test_caps_come_last_and_fall_with_a_discount():
    terms = fare(minute_cents=20, day_cap_cents=400, discount_pct=25)
    lines = price_trip(fare=terms, segments=ride(3600), perks=[VERIFIED, code(percent=10)])
    assert kinds(lines) == [
        ("ride", 60, 1200),
        ("promo", 1, -120),
        ("discount", 1, -270),
        ("cap", 1, -510),
    ]
    assert total_cents(lines) == 300


def test_minutes_of_a_bundle_are_not_spent_where_a_cap_has_made_them_worthless():
    terms = fare(minute_cents=20, day_cap_cents=1000)
    lines = price_trip(fare=terms, segments=ride(300 * 60), perks=[bundle(100)])
    assert kinds(lines) == [("ride", 300, 6000), ("cap", 1, -5000)]
    lines = price_trip(fare=terms, segments=ride(60 * 60), perks=[bundle(50)])
    assert kinds(lines) == [("ride", 60, 1200), ("pass", 50, -1000)]


def test_what_comes_anew_with_every_trip_is_spent_before_a_bundle_and_both_before_a_code():
    period = Perk(kind=PerkKind.PASS, ref="period", minutes=30)
    perks = [code(minutes=10), bundle(20), period]
    lines = price_trip(fare=BASIC, segments=ride(55 * 60), perks=perks)
    spent = [(line.params["ref"], int(line.quantity)) for line in lines if "ref" in line.params]
    assert spent == [("period", 30), ("bundle", 20), ("code", 5)]
    assert total_cents(lines) == 100


def test_a_code_with_an_amount_takes_no_more_than_there_is_and_nothing_off_what_comes_on_top():
    terms = fare(
        minute_cents=20, km_cents=50, zone_fees=(ZoneFee(when=ZoneWhen.END, kind="bay", cents=-30),)
    )
    marks = [ZoneMark(when=ZoneWhen.END, code="b1", kind="bay")]
    lines = price_trip(
        fare=terms,
        segments=ride(5 * 60),
        distance_m=1000,
        zones=marks,
        perks=[code(cents=500)],
    )
    assert kinds(lines) == [
        ("ride", 5, 100),
        ("promo", 1, -100),
        ("distance", 1, 50),
        ("zone", 1, -30),
    ]


def test_a_percent_is_bounded_where_the_code_says_so():
    lines = price_trip(
        fare=BASIC, segments=ride(100 * 60), perks=[code(percent=50, most_cents=300)]
    )
    assert [line.cents for line in lines if line.kind == "promo"] == [-300]


def test_a_discount_is_the_fares_and_only_for_the_verified():
    terms = fare(minute_cents=20, discount_pct=50)
    assert total_cents(price_trip(fare=terms, segments=ride(600))) == 200
    assert total_cents(price_trip(fare=terms, segments=ride(600), perks=[VERIFIED])) == 100


def test_the_rest_of_a_persons_day_bounds_the_time_and_nothing_else():
    terms = fare(minute_cents=20, km_cents=10, person_day_cap_cents=1000)
    rest = Perk(kind=PerkKind.DAY_CAP, cents=150)
    lines = price_trip(fare=terms, segments=ride(600), distance_m=1000, perks=[rest])
    assert (time_cents(lines), total_cents(lines)) == (150, 160)
    two_days = price_trip(fare=terms, segments=ride(25 * 3600), perks=[rest])
    assert total_cents(two_days) == 150 + 1000


def test_a_pass_on_a_fare_of_steps_covers_its_first_minutes():
    terms = fare(steps=(Step(until=None, minutes=30, cents=50),))
    lines = price_trip(fare=terms, segments=ride(70 * 60), perks=[bundle(45)])
    # The second half hour has begun within the free minutes; the third is paid.
    assert total_cents(lines) == 50
    assert kinds(lines)[0] == ("step", 3, 150)


def test_perks_survive_being_frozen():
    for perk in (bundle(10, unlock=True), code(percent=5, most_cents=7), VERIFIED):
        assert Perk.from_json(perk.as_json()) == perk


def test_zones_cost_at_the_end_where_they_are_named_and_each_once():
    fees = (
        ZoneFee(when=ZoneWhen.START, code="centre", cents=100),
        ZoneFee(when=ZoneWhen.END, kind="bay", cents=-50),
        ZoneFee(when=ZoneWhen.END, code="centre", kind="bay", cents=-500),
    )
    terms = fare(minute_cents=20, zone_fees=fees)
    start = ZoneMark(when=ZoneWhen.START, code="centre", kind="slow")
    end = ZoneMark(when=ZoneWhen.END, code="b7", kind="bay")

    def zone_cents(*marks):
        lines = price_trip(fare=terms, segments=ride(60), zones=marks)
        return [line.cents for line in lines if line.kind == "zone"]

    assert zone_cents() == []
    assert zone_cents(start) == [100]
    assert zone_cents(end) == [-20]  # no more than the ride costs
    assert zone_cents(start, end, end) == [100, -50]
    both = ZoneMark(when=ZoneWhen.END, code="centre", kind="bay")
    assert zone_cents(start, both) == [100, -50, -70]


cents = st.integers(0, 400)
maybe = st.none() | st.integers(0, 5000)
blocks = st.lists(
    st.tuples(st.integers(1, 400), st.integers(1, 4000)), max_size=2, unique_by=lambda row: row[0]
).map(lambda rows: tuple(Block(minutes=m, cents=c) for m, c in sorted(rows)))
windows = st.lists(
    st.builds(
        Window,
        start=st.sampled_from(["00:00", "07:30", "12:00"]),
        end=st.sampled_from(["06:10", "09:30", "24:00"]),
        minute_cents=st.none() | cents,
        pause_minute_cents=st.none() | cents,
    ),
    max_size=2,
).map(tuple)
packages = st.lists(
    st.builds(Package, minutes=st.integers(1, 3000), km=st.integers(0, 99), cents=cents),
    max_size=2,
).map(tuple)
by_minute = st.fixed_dictionaries({"blocks": blocks, "windows": windows, "packages": packages})
by_step = st.fixed_dictionaries(
    {
        "steps": st.tuples(st.integers(1, 90), cents, cents).map(
            lambda row: (
                Step(until=row[0] * 2, minutes=row[0], cents=row[1]),
                Step(until=None, minutes=60, cents=row[2]),
            )
        )
    }
)
fares = st.tuples(
    by_minute | by_step,
    st.fixed_dictionaries(
        {
            "unlock_cents": cents,
            "minute_cents": cents,
            "pause_minute_cents": cents,
            "km_cents": cents,
            "free_km": st.integers(0, 20),
            "day_cap_cents": maybe,
            "trip_cap_cents": maybe,
            "person_day_cap_cents": maybe,
            "discount_pct": st.integers(0, 100),
            "zone_fees": st.lists(
                st.builds(
                    ZoneFee,
                    when=st.sampled_from(ZoneWhen),
                    kind=st.just("bay"),
                    cents=st.integers(-900, 900).filter(bool),
                ),
                max_size=2,
            ).map(tuple),
        }
    ),
).map(lambda parts: fare(**parts[0], **parts[1]))
perk_sets = st.lists(
    st.one_of(
        st.builds(bundle, st.integers(1, 900), unlock=st.booleans()),
        st.builds(Perk, kind=st.just(PerkKind.PASS), ref=st.just("p"), minutes=st.integers(1, 60)),
        st.builds(code, percent=st.integers(1, 100), most_cents=st.none() | cents),
        st.builds(code, cents=st.integers(1, 900)),
        st.builds(code, minutes=st.integers(1, 60)),
        st.just(VERIFIED),
        st.builds(Perk, kind=st.just(PerkKind.DAY_CAP), cents=cents),
    ),
    max_size=4,
)
lengths = st.lists(st.integers(0, 70_000), min_size=1, max_size=4)
marks = st.lists(
    st.builds(ZoneMark, when=st.sampled_from(ZoneWhen), code=st.just("b"), kind=st.just("bay")),
    max_size=2,
)


@settings(max_examples=60, deadline=None)
@given(terms=fares, parts=lengths, perks=perk_sets, zones=marks, metres=st.integers(0, 90_000))
def test_no_price_is_negative_no_perk_makes_it_dearer_and_each_line_is_what_it_says(
    terms, parts, perks, zones, metres
):
    ridden = {"segments": ride(*parts), "distance_m": metres, "zones": zones}
    plain = price_trip(fare=terms, **ridden)
    lines = price_trip(fare=terms, **ridden, perks=perks)
    assert 0 <= total_cents(lines) <= total_cents(plain)
    assert time_cents(lines) >= 0
    for line in lines:
        lowers = line.kind in {"pass", "promo", "discount", "best_of", "cap"}
        assert (line.cents <= 0) if lowers else (line.cents >= 0 or line.kind == "zone")


@settings(max_examples=60, deadline=None)
@given(
    terms=fares,
    parts=lengths,
    perks=perk_sets,
    zones=marks,
    more_s=st.integers(0, 90_000),
    more_m=st.integers(0, 90_000),
)
def test_riding_on_is_never_cheaper_whatever_one_has(terms, parts, perks, zones, more_s, more_m):
    longer = [*parts[:-1], parts[-1] + more_s]
    now = price_trip(fare=terms, segments=ride(*parts), zones=zones, perks=perks)
    later = price_trip(
        fare=terms, segments=ride(*longer), distance_m=more_m, zones=zones, perks=perks
    )
    assert total_cents(now) <= total_cents(later)


@settings(max_examples=60, deadline=None)
@given(terms=fares, parts=lengths, perks=perk_sets)
def test_no_bundle_gives_more_minutes_than_it_has_nor_than_were_ridden(terms, parts, perks):
    lines = price_trip(fare=terms, segments=ride(*parts), perks=perks)
    spent = [line for line in lines if line.kind == "pass" and line.unit == "min"]
    assert all(line.quantity > 0 for line in spent)
    owned = sum(perk.minutes for perk in perks if perk.kind is PerkKind.PASS)
    ridden = -(-sum(parts[::2]) // 60) + len(parts)
    assert sum(line.quantity for line in spent) <= min(owned, ridden)


@settings(max_examples=60, deadline=None)
@given(terms=fares)
def test_every_fare_survives_its_snapshot(terms):
    assert Fare.from_json(terms.as_json()) == terms


@settings(max_examples=60, deadline=None)
@given(
    minute=st.integers(0, 100),
    pause=st.integers(0, 100),
    parts=lengths,
    data=st.data(),
)
def test_cutting_a_ride_in_two_is_never_cheaper_by_rounding(minute, pause, parts, data):
    """Without unlocking, blocks, caps and hours only rounding is left, and it rounds up in each part."""
    terms = fare(minute_cents=minute, pause_minute_cents=pause)
    whole = ride(*parts)
    cut = whole[0].start + datetime.timedelta(seconds=data.draw(st.integers(0, sum(parts))))
    before = [_piece(part, part.start, min(part.end, max(part.start, cut))) for part in whole]
    after = [_piece(part, max(part.start, min(part.end, cut)), part.end) for part in whole]
    apart = total_cents(price_trip(fare=terms, segments=before)) + total_cents(
        price_trip(fare=terms, segments=after)
    )
    # The day's minutes are started anew every 24 hours, in the whole ride and in its parts alike.
    if sum(parts) <= 86_400:
        assert apart >= total_cents(price_trip(fare=terms, segments=whole))


@settings(max_examples=40, deadline=None)
@given(terms=fares, parts=lengths, data=st.data())
def test_cutting_a_ride_in_two_never_starts_fewer_minutes(terms, parts, data):
    """Whatever a minute costs when it begins: there are at least as many."""
    hours_only = dataclasses.replace(terms, steps=(), packages=())
    whole = ride(*parts)
    cut = whole[0].start + datetime.timedelta(seconds=data.draw(st.integers(0, sum(parts))))
    before = [_piece(part, part.start, min(part.end, max(part.start, cut))) for part in whole]
    after = [_piece(part, max(part.start, min(part.end, cut)), part.end) for part in whole]
    if sum(parts) <= 86_400:
        apart = _minutes(hours_only, before) + _minutes(hours_only, after)
        assert apart >= _minutes(hours_only, whole)


def _minutes(terms, segments):
    lines = price_trip(fare=terms, segments=segments)
    return sum(line.quantity for line in lines if line.kind in {"ride", "pause"})


def _piece(part, start, end):
    return type(part)(kind=part.kind, start=start, end=end)


@pytest.mark.parametrize("minutes", [1, 29, 61, 700])
def test_the_estimate_counts_with_what_one_has(minutes):
    perks = [bundle(20, unlock=True), code(percent=10)]
    expected = price_trip(fare=BASIC, segments=ride(minutes * 60), perks=perks)
    assert estimate(fare=BASIC, minutes=minutes, perks=perks) == expected
    assert estimate(fare=BASIC, minutes=minutes, perks=perks, at=NOON) == expected
