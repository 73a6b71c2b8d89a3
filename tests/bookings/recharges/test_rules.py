"""What is never charged, and what is foreseen: arithmetic alone."""

import datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.recharges import rules
from charging.tariffs.rules import PriceComponent, PriceList
from mobility.core.money import PriceLine, total_cents, vat_split

NOON = datetime.datetime(2026, 5, 4, 10, 0, tzinfo=datetime.UTC)
ENERGY = PriceList(
    components=(PriceComponent("flat", Decimal(30)), PriceComponent("energy", Decimal(50)))
)
FEW = settings(max_examples=60)

lines = st.lists(
    st.builds(
        PriceLine,
        kind=st.sampled_from(["energy", "time", "flat", "idle"]),
        quantity=st.just(Decimal(1)),
        unit=st.just("kWh"),
        cents=st.integers(0, 20_000),
        vat_rate=st.sampled_from([Decimal("0.22"), Decimal("0.10"), Decimal("0.04"), Decimal(0)]),
    ),
    max_size=6,
)


def figures(energy_wh: int, *, minutes: int = 30, power_w: int = 0) -> rules.LiveFigures:
    heard = NOON + datetime.timedelta(minutes=minutes)
    return rules.LiveFigures(
        started_at=NOON,
        heard_at=heard,
        energy_wh=energy_wh,
        power_w=power_w,
        charged_until=heard,
    )


@given(lines=lines, most=st.integers(0, 30_000), failed=st.booleans())
@FEW
def test_nobody_pays_more_than_agreed_and_no_rate_turns_negative(
    lines: list[PriceLine], most: int, failed: bool
) -> None:
    due = rules.lines_due(lines, most_cents=most, charger_failed=failed)
    owed = sum(line.cents for line in lines if not (failed and line.kind == "idle"))
    assert total_cents(due) == min(owed, most)
    assert all(part.gross_cents >= 0 for part in vat_split(due))
    assert not (failed and any(line.kind == "idle" for line in due))


@given(energy=st.integers(0, 80_000), more=st.integers(0, 20_000), power=st.integers(0, 150_000))
@FEW
def test_more_energy_or_power_never_costs_less(energy: int, more: int, power: int) -> None:
    def ahead(wh: int, watts: int) -> int:
        told = figures(wh, power_w=watts)
        return rules.cost_ahead_cents(prices=ENERGY, figures=told, at=told.heard_at)

    assert ahead(energy, power) <= ahead(energy + more, power)
    assert ahead(energy, 0) <= ahead(energy, power)


def test_what_will_flow_before_the_charger_has_stopped_counts_already() -> None:
    told = figures(10_000, power_w=50_000)
    now = rules.live_cost_cents(prices=ENERGY, figures=told, at=told.heard_at)
    ahead = rules.cost_ahead_cents(prices=ENERGY, figures=told, at=told.heard_at)
    assert (now, ahead) == (530, 561)  # 45 s at 50 kW are 625 Wh: 31 cents more


def test_less_than_a_tick_of_the_meter_costs_nothing_whatever_the_tariff() -> None:
    assert rules.live_cost_cents(prices=ENERGY, figures=figures(99), at=NOON) == 0
    assert rules.live_cost_cents(prices=ENERGY, figures=figures(100), at=NOON) == 35


def test_a_stubborn_charger_is_asked_again_with_growing_pauses() -> None:
    pauses = [rules.stop_again_after(tries).total_seconds() for tries in range(1, 8)]
    assert pauses == [15, 30, 60, 120, 300, 300, 300]


def test_a_meter_that_tells_no_power_is_foreseen_by_what_flowed() -> None:
    assert rules.average_w(energy_wh=5_500, seconds=1_800) == 11_000
    assert rules.average_w(energy_wh=0, seconds=0) == 0
