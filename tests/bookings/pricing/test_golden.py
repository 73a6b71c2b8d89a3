"""Published fares give the published prices."""

import dataclasses

import pytest

from bookings.pricing.rules import Fare, Perk, PerkKind, Segment, SegmentKind, price_trip
from bookings.pricing.rules.check import check_parts
from mobility.core.money import total_cents, vat_split
from tests.bookings.pricing.golden import DOTT, DOTT_PASS, GOLDEN
from tests.bookings.pricing.rides import NOON, minutes_later, ride


def ridden(minutes):
    return [Segment(kind=SegmentKind.RUNNING, start=NOON, end=minutes_later(NOON, minutes))]


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row.source)
def test_a_published_fare_gives_the_published_price(row):
    lines = price_trip(
        fare=row.fare, segments=ridden(row.minutes), hold_s=row.held * 60, distance_m=row.metres
    )
    assert total_cents(lines) == row.cents


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row.source)
def test_a_published_fare_can_be_typed_and_survives_being_frozen(row):
    frozen = row.fare.as_json()
    check_parts({name: frozen.get(name, []) for name in ("blocks", "steps", "packages")})
    assert Fare.from_json(frozen) == row.fare


@pytest.mark.parametrize(("left", "minutes", "cents"), DOTT_PASS)
def test_a_published_pass_covers_its_minutes(left, minutes, cents):
    perk = Perk(kind=PerkKind.PASS, ref="p", minutes=left, bundle=True, unlock=True)
    lines = price_trip(fare=DOTT, segments=ridden(minutes), perks=[perk])
    assert total_cents(lines) == cents


def test_vat_is_taken_once_from_the_whole_document():
    """1.00 + 0.29 a minute + 0.05 a paused one: per line the VAT would differ in a quarter of all rides."""
    terms = dataclasses.replace(DOTT, pause_minute_cents=5)
    lines = price_trip(fare=terms, segments=ride(7 * 60, 2 * 60))
    assert [line.cents for line in lines] == [100, 203, 10]
    (part,) = vat_split(lines)
    assert (part.gross_cents, part.net_cents, part.vat_cents) == (313, 257, 56)
    assert [part.vat_cents for line in lines for part in vat_split([line])] == [18, 37, 2]
