"""One rounding, one VAT split."""

from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from mobility.core import money

RATE = Decimal("0.22")


def line(cents: int, rate: Decimal = RATE) -> money.PriceLine:
    return money.PriceLine(
        kind="minute", quantity=Decimal(1), unit="min", cents=cents, vat_rate=rate
    )


@pytest.mark.parametrize(
    ("amount", "cents"), [("0.5", 1), ("1.5", 2), ("2.4999", 2), ("-0.5", -1), ("100", 100)]
)
def test_halves_round_away_from_zero(amount: str, cents: int) -> None:
    assert money.round_cents(Decimal(amount)) == cents


def test_vat_is_split_once_per_rate_and_not_per_line() -> None:
    # 1.00 + 0.29 + 0.05: line by line the VAT would be 18 + 5 + 1 = 24 cents too, but three times 3 cents is not.
    parts = money.vat_split([line(3), line(3), line(3)])
    assert [(part.net_cents, part.vat_cents) for part in parts] == [(7, 2)]


@given(
    st.lists(
        st.tuples(st.integers(-10_000, 10_000), st.sampled_from(["0", "0.10", "0.22"])), max_size=8
    )
)
def test_parts_add_up_to_the_total(rows: list[tuple[int, str]]) -> None:
    lines = [line(cents, Decimal(rate)) for cents, rate in rows]
    parts = money.vat_split(lines)
    assert sum(part.gross_cents for part in parts) == money.total_cents(lines)
    assert all(part.net_cents + part.vat_cents == part.gross_cents for part in parts)


def test_a_line_survives_json() -> None:
    first = money.PriceLine("km", Decimal("1.250"), "km", 31, RATE, {"free_km": 50})
    assert money.PriceLine.from_json(first.as_json()) == first


def test_amounts_read_as_people_write_them() -> None:
    with translation.override("it"):
        assert money.format_money(123456) == "1.234,56\u00a0€"
    with translation.override("en"):
        assert money.format_money(120) == "€1.20"
