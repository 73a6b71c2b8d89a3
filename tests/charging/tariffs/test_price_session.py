"""The price of a session: rows worked out by hand, and what must hold for every tariff."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.tariffs.rules import (
    BadComponent,
    LoadPoint,
    PriceComponent,
    PriceList,
    Restrictions,
    SessionFigures,
    price_periods,
    price_session,
    price_summary,
    read_components,
    read_prices,
)
from mobility.core.money import total_cents, vat_split

NOON = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
AC = {
    "components": [
        {"kind": "energy", "unit_cents": "45"},
        {"kind": "idle", "unit_cents": "10", "free_units": 30, "cap_cents": 1500},
    ],
}
HPC = {
    "components": [
        {"kind": "flat", "unit_cents": "50"},
        {"kind": "energy", "unit_cents": "79.9"},
        {"kind": "time", "unit_cents": "2", "free_units": 60},
    ],
}


def figures(energy_wh: int, charging_s: int, idle_s: int = 0) -> SessionFigures:
    """A session at noon that charged, then stood."""
    parked = NOON + timedelta(seconds=charging_s)
    return SessionFigures(
        started_at=NOON,
        ended_at=parked + timedelta(seconds=idle_s),
        energy_wh=energy_wh,
        charging_ended_at=parked,
    )


@pytest.mark.parametrize(
    ("tariff", "energy_wh", "charging_s", "idle_s", "cents"),
    [
        (AC, 0, 0, 0, []),
        (AC, 11_000, 3600, 0, [("energy", 495)]),
        (AC, 11_000, 5400, 1800, [("energy", 495)]),
        (AC, 11_000, 3600, 3600, [("energy", 495), ("idle", 300)]),
        (AC, 11_000, 6400, 80000, [("energy", 495), ("idle", 1500)]),
        (HPC, 0, 60, 0, [("flat", 50)]),
        (HPC, 31_234, 1500, 0, [("flat", 50), ("energy", 2496)]),
        (HPC, 31_234, 5400, 0, [("flat", 50), ("energy", 2496), ("time", 60)]),
        # Time is time spent charging: what a car stands there afterwards is parking.
        (HPC, 31_234, 3600, 7200, [("flat", 50), ("energy", 2496)]),
        (HPC, 1, 0, 0, [("flat", 50)]),
        (HPC, 7, 0, 0, [("flat", 50), ("energy", 1)]),
    ],
)
def test_simple_tariffs(
    tariff: dict[str, Any],
    energy_wh: int,
    charging_s: int,
    idle_s: int,
    cents: list[tuple[str, int]],
) -> None:
    lines = price_session(
        prices=read_prices(tariff), figures=figures(energy_wh, charging_s, idle_s)
    )
    assert [(line.kind, line.cents) for line in lines] == cents


prices = st.decimals(min_value=0, max_value=1000, places=2)
rates = st.sampled_from([Decimal("0.22"), Decimal("0.10")])
simple = st.builds(
    PriceComponent,
    kind=st.sampled_from(["flat", "energy", "time", "idle"]),
    unit_cents=prices,
    free_units=st.decimals(min_value=0, max_value=100, places=1),
    cap_cents=st.none() | st.integers(0, 10_000),
    vat_rate=rates,
)
restrictions = st.fixed_dictionaries(
    {},
    optional={
        "start_time": st.sampled_from(["00:00", "02:30", "07:00", "22:00"]),
        "end_time": st.sampled_from(["00:00", "02:30", "06:15", "19:00"]),
        "day_of_week": st.sampled_from([["SUNDAY"], ["SATURDAY", "MONDAY"]]),
        "min_kwh": st.integers(0, 30),
        "max_kwh": st.integers(31, 60),
        "min_duration": st.integers(0, 7200),
        "max_power": st.integers(5, 50),
        "min_current": st.integers(6, 60),
    },
).map(Restrictions.from_json)
anything = st.builds(
    PriceComponent,
    kind=st.sampled_from(["flat", "energy", "time", "idle"]),
    unit_cents=prices,
    vat_rate=rates,
    step=st.sampled_from([1, 60, 900]),
    when=restrictions,
)
lists = st.builds(
    PriceList,
    components=st.lists(anything, max_size=5).map(tuple),
    min_cents=st.none() | st.integers(0, 500),
    max_cents=st.none() | st.integers(500, 5000),
)
# Days on which Italian clocks go forward and back, and one on which they do nothing.
starts = st.sampled_from(
    [
        datetime(2026, 3, 28, 22, 0, tzinfo=UTC),
        datetime(2026, 10, 24, 21, 30, tzinfo=UTC),
        NOON,
    ],
)


@st.composite
def courses(draw: st.DrawFn) -> SessionFigures:
    start = draw(starts)
    charging = draw(st.integers(0, 40_000))
    energy = draw(st.integers(0, 90_000))
    points = draw(st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 100_000)), max_size=5))
    return SessionFigures(
        started_at=start,
        ended_at=start + timedelta(seconds=charging + draw(st.integers(0, 20_000))),
        energy_wh=energy,
        charging_ended_at=start + timedelta(seconds=charging),
        points=[LoadPoint(at=start + timedelta(seconds=s), energy_wh=wh) for s, wh in points],
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(simple, max_size=5),
    *[st.integers(0, 200_000)] * 3,
    st.tuples(*[st.integers(0, 50_000)] * 3),
)
def test_more_never_costs_less(
    components: list[PriceComponent],
    energy_wh: int,
    charging_s: int,
    idle_s: int,
    extra: tuple[int, int, int],
) -> None:
    tariff = PriceList(components=tuple(components))
    small = figures(energy_wh, charging_s, idle_s)
    large = figures(energy_wh + extra[0], charging_s + extra[1], idle_s + extra[2])
    less = total_cents(price_session(prices=tariff, figures=small))
    assert 0 <= less <= total_cents(price_session(prices=tariff, figures=large))


@settings(max_examples=60, deadline=None)
@given(lists, courses())
def test_never_below_the_least_nor_above_the_highest_price(
    tariff: PriceList, course: SessionFigures
) -> None:
    lines = price_session(prices=tariff, figures=course)
    total = total_cents(lines)
    assert total >= (tariff.min_cents or 0)
    assert tariff.max_cents is None or total <= tariff.max_cents
    assert sum(part.gross_cents for part in vat_split(lines)) == total


@settings(max_examples=60, deadline=None)
@given(lists, courses())
def test_the_periods_make_the_whole_session(tariff: PriceList, course: SessionFigures) -> None:
    periods = price_periods(prices=tariff, figures=course)
    span = (course.ended_at - course.started_at).total_seconds()
    assert sum(period["energy_wh"] for period in periods) == course.energy_wh
    assert sum(period["seconds"] for period in periods) == pytest.approx(span, abs=0.01)
    assert all(period["energy_wh"] >= 0 for period in periods)


@settings(max_examples=40, deadline=None)
@given(courses(), prices, restrictions)
def test_two_halves_at_one_price_cost_what_the_whole_costs(
    course: SessionFigures, cents: Decimal, when: Restrictions
) -> None:
    whole = PriceList(components=(PriceComponent("energy", cents),))
    halves = PriceList(
        components=(PriceComponent("energy", cents, when=when), PriceComponent("energy", cents)),
    )
    one = total_cents(price_session(prices=whole, figures=course))
    two = total_cents(price_session(prices=halves, figures=course))
    assert abs(one - two) <= 1  # each line is rounded once


@settings(max_examples=40, deadline=None)
@given(lists)
def test_stored_and_read_again_it_is_the_same(tariff: PriceList) -> None:
    assert read_prices(tariff.as_json()) == tariff


@pytest.mark.parametrize(
    "component",
    [
        {},
        {"kind": "energy"},
        {"kind": "wind", "unit_cents": 1},
        {"kind": "energy", "unit_cents": "-1"},
        {"kind": "energy", "unit_cents": "NaN"},
        {"kind": "energy", "unit_cents": "much"},
        {"kind": "energy", "unit_cents": 1, "vat_rate": "22"},
        {"kind": "time", "unit_cents": 1, "free_units": -1},
        {"kind": "time", "unit_cents": 1, "cap_cents": -1},
        {"kind": "time", "unit_cents": 1, "step": 0},
        {"kind": "time", "unit_cents": 1, "when": {"start_time": "7:00"}},
        {"kind": "time", "unit_cents": 1, "when": {"start_time": "25:00"}},
        {"kind": "time", "unit_cents": 1, "when": {"day_of_week": ["Monday"]}},
        {"kind": "time", "unit_cents": 1, "when": {"day_of_week": "MONDAY"}},
        {"kind": "time", "unit_cents": 1, "when": {"min_kwh": 20, "max_kwh": 10}},
        {"kind": "time", "unit_cents": 1, "when": {"min_kwh": "NaN"}},
        {"kind": "time", "unit_cents": 1, "when": {"start_date": "2026-13-01"}},
        {"kind": "time", "unit_cents": 1, "when": {"reservation": "RESERVATION"}},
    ],
)
def test_nonsense_is_no_component(component: dict[str, object]) -> None:
    with pytest.raises(BadComponent):
        read_components([component])


@pytest.mark.parametrize(("least", "most"), [(-1, None), (500, 400)])
def test_nonsense_is_no_limit(least: int | None, most: int | None) -> None:
    with pytest.raises(BadComponent):
        read_prices({"components": [], "min_cents": least, "max_cents": most})


def test_the_summary_is_what_a_person_compares() -> None:
    summary = price_summary(read_prices(HPC), at=NOON)
    assert (summary["session_cents"], summary["kwh_cents"], summary["minute_cents"]) == (
        50,
        79.9,
        2,
    )


def test_the_summary_is_that_of_the_hour() -> None:
    tariff = read_prices(
        {
            "components": [
                {"kind": "energy", "unit_cents": "30", "when": {"start_time": "22:00", "end_time": "06:00"}},
                {"kind": "energy", "unit_cents": "60"},
            ],
        }
    )  # fmt: skip
    hours = {22: 30, 5: 30, 6: 60, 21: 60}
    for hour, cents in hours.items():
        at = datetime(2026, 5, 4, hour, tzinfo=tariff.zone)
        assert price_summary(tariff, at=at)["kwh_cents"] == cents
