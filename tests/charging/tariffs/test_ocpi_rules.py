"""Prices by the rules of OCPI 2.2.1 (module Tariffs): its worked examples, and every restriction.

The specification's prices are without VAT; the rows use a rate of nothing, and its sums hold.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from charging.tariffs.rules import LoadPoint, SessionFigures, price_session, read_prices
from mobility.core.money import total_cents, vat_split

ROME = ZoneInfo("Europe/Rome")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def component(kind: str, cents: str, step: int = 1, **when: Any) -> dict[str, Any]:
    return {"kind": kind, "unit_cents": cents, "step": step, "vat_rate": "0", "when": when}


def per_hour(kind: str, cents: int, step: int = 1, **when: Any) -> dict[str, Any]:
    # Prices per minute: sixty of them have to make whole cents to be the specification's.
    assert cents % 60 == 0 or cents * 1000 % 60 == 0 or step > 1
    return component(kind, str(round(cents / 60, 10)), step, **when)


def session(
    start: datetime,
    *,
    charging: timedelta,
    parking: timedelta = timedelta(0),
    kwh: float = 10,
    amperes: int | None = None,
) -> SessionFigures:
    parked = start.astimezone(ZoneInfo("UTC")) + charging
    points = []
    if amperes is not None:
        points = [
            LoadPoint(
                at=start.astimezone(ZoneInfo("UTC")) + charging * part / 8,
                energy_wh=int(kwh * 1000 * part / 8),
                current_ma=amperes * 1000,
            )
            for part in range(1, 9)
        ]
    return SessionFigures(
        started_at=start.astimezone(ZoneInfo("UTC")),
        ended_at=parked + parking,
        energy_wh=int(kwh * 1000),
        charging_ended_at=parked,
        points=points,
    )


def cost(components: list[dict[str, Any]], figures: SessionFigures, **limits: int) -> int:
    prices = read_prices({"components": components, **limits})
    return total_cents(price_session(prices=prices, figures=figures))


MONDAY = datetime(2026, 5, 4, 9, 30, tzinfo=ROME)
ENERGY = component("energy", "25")
START_FEE = component("flat", "50")
STEPS = [
    per_hour("time", 120, 1800, end_time="17:00"),
    per_hour("time", 240, 900, start_time="17:00"),
    per_hour("idle", 100, 900, end_time="20:00"),
]
COMPLEX = [
    component("flat", "250"),
    per_hour("time", 100, 900, max_current=32),
    per_hour("time", 200, 600, min_current=32, day_of_week=["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]),
    per_hour("time", 125, 600, min_current=32, day_of_week=["SATURDAY", "SUNDAY"]),
    per_hour("idle", 500, 300, start_time="09:00", end_time="18:00", day_of_week=["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]),
    per_hour("idle", 600, 300, start_time="10:00", end_time="17:00", day_of_week=["SATURDAY"]),
]  # fmt: skip


def at(hour: int, minute: int = 0, *, day: int = 4) -> datetime:
    return datetime(2026, 5, day, hour, minute, tzinfo=ROME)


@pytest.mark.parametrize(
    ("components", "limits", "figures", "cents"),
    [
        ([ENERGY], {}, session(MONDAY, charging=HOUR, kwh=20), 500),
        ([ENERGY, START_FEE], {}, session(MONDAY, charging=HOUR, kwh=20), 550),
        ([ENERGY], {"min_cents": 50}, session(MONDAY, charging=HOUR, kwh=20), 500),
        ([ENERGY], {"min_cents": 50}, session(MONDAY, charging=HOUR, kwh=1.9), 50),
        (
            [START_FEE, ENERGY, per_hour("idle", 200, 900)],
            {},
            session(MONDAY, charging=HOUR, parking=40 * MINUTE, kwh=20),
            700,
        ),
        ([START_FEE, ENERGY], {"max_cents": 1000}, session(MONDAY, charging=HOUR, kwh=50), 1000),
        ([START_FEE, ENERGY], {"max_cents": 1000}, session(MONDAY, charging=HOUR, kwh=30), 800),
        ([per_hour("time", 200, 60)], {}, session(MONDAY, charging=2.5 * HOUR), 500),
        (
            [per_hour("time", 300, 60), per_hour("idle", 500, 300)],
            {},
            session(MONDAY, charging=2.5 * HOUR, parking=42 * MINUTE),
            1125,
        ),
        ([per_hour("time", 190, 300)], {}, session(MONDAY, charging=2.5 * HOUR), 475),
        ([component("energy", "22", 100)], {}, session(MONDAY, charging=HOUR, kwh=20.45), 451),
        (
            COMPLEX,
            {},
            session(MONDAY, charging=147 * MINUTE, parking=42 * MINUTE, amperes=16),
            875,
        ),
        (
            COMPLEX,
            {},
            session(at(13, 30, day=9), charging=114 * MINUTE, parking=71 * MINUTE, amperes=43),
            1250,
        ),
        # The first kWh is free, each further one costs 20 cents.
        (
            [component("energy", "0", max_kwh=1), component("energy", "20", min_kwh=1)],
            {},
            session(MONDAY, charging=HOUR, kwh=20),
            380,
        ),
        # Switching to another element, #1, #2, and to a free one.
        (STEPS, {}, session(at(16, 55), charging=10 * MINUTE, parking=2 * MINUTE), 50),
        (STEPS, {}, session(at(16, 35), charging=35 * MINUTE), 130),
        (STEPS, {}, session(at(19, 55), charging=10 * MINUTE, parking=2 * MINUTE), 60),
        ([component("flat", "0")], {}, session(MONDAY, charging=HOUR), 0),
    ],
)
def test_examples_of_the_specification(
    components: list[dict[str, Any]],
    limits: dict[str, int],
    figures: SessionFigures,
    cents: int,
) -> None:
    assert cost(components, figures, **limits) == cents


NIGHT = [
    component("energy", "30", start_time="22:00", end_time="06:00"),
    component("energy", "60"),
]
TEN_PER_HOUR = 10


@pytest.mark.parametrize(
    ("start", "hours", "night_hours"),
    [
        (datetime(2026, 5, 4, 20, 0, tzinfo=ROME), 12, 8),
        (datetime(2026, 5, 4, 5, 0, tzinfo=ROME), 2, 1),
        (datetime(2026, 5, 4, 6, 0, tzinfo=ROME), 2, 0),
        # Clocks go forward: this night has one hour less, from 22:00 to 06:00 there are seven.
        (datetime(2026, 3, 28, 20, 0, tzinfo=ROME), 12, 7),
        # And back: nine.
        (datetime(2026, 10, 24, 20, 0, tzinfo=ROME), 12, 9),
    ],
)
def test_a_night_price_crosses_midnight_and_both_changes_of_the_clock(
    start: datetime, hours: int, night_hours: int
) -> None:
    figures = session(start, charging=hours * HOUR, kwh=hours * TEN_PER_HOUR)
    night = night_hours * TEN_PER_HOUR * 30
    assert cost(NIGHT, figures) == night + (hours - night_hours) * TEN_PER_HOUR * 60


@pytest.mark.parametrize(
    ("day", "cheap_hours"),
    [
        (datetime(2026, 5, 4, tzinfo=ROME), 1),
        # 02:00 to 03:00 does not exist on this day, and comes twice on that.
        (datetime(2026, 3, 29, tzinfo=ROME), 0),
        (datetime(2026, 10, 25, tzinfo=ROME), 2),
    ],
)
def test_an_hour_that_is_missing_or_comes_twice(day: datetime, cheap_hours: int) -> None:
    cheap = component("energy", "0", start_time="02:00", end_time="03:00")
    figures = session(day, charging=8 * HOUR, kwh=80)
    assert cost([cheap, component("energy", "10")], figures) == (8 - cheap_hours) * 100


def test_a_time_within_the_missing_hour_begins_with_the_change() -> None:
    late = component("energy", "0", start_time="02:30", end_time="04:00")
    figures = session(datetime(2026, 3, 29, tzinfo=ROME), charging=8 * HOUR, kwh=80)
    # 03:00 to 04:00 by the wall clock, the first hour after the change.
    assert cost([late, component("energy", "10")], figures) == 700


def test_dates_are_from_the_first_to_before_the_last() -> None:
    holiday = component("energy", "0", start_date="2026-05-04", end_date="2026-05-05")
    tariff = [holiday, component("energy", "10")]
    assert cost(tariff, session(at(22, day=3), charging=4 * HOUR, kwh=40)) == 200
    assert cost(tariff, session(at(22, day=4), charging=4 * HOUR, kwh=40)) == 200
    assert cost(tariff, session(at(10, day=4), charging=4 * HOUR, kwh=40)) == 0


def test_days_of_the_week_are_those_of_the_site() -> None:
    sunday = component("energy", "0", day_of_week=["SUNDAY"])
    figures = session(at(23, day=3), charging=2 * HOUR, kwh=20)
    assert cost([sunday, component("energy", "10")], figures) == 100


def test_power_decides_stretch_by_stretch() -> None:
    tariff = [component("energy", "80", min_power=50), component("energy", "40")]
    begin = MONDAY.astimezone(ZoneInfo("UTC"))
    figures = SessionFigures(
        started_at=begin,
        ended_at=begin + HOUR,
        energy_wh=70_000,
        # Sixty kilowatt-hours in half an hour, then ten.
        points=[LoadPoint(at=begin + HOUR / 2, energy_wh=60_000)],
    )
    assert cost(tariff, figures) == 60 * 80 + 10 * 40


def test_duration_decides_in_seconds() -> None:
    tariff = [component("time", "0", max_duration=1800), component("time", "10")]
    assert cost(tariff, session(MONDAY, charging=HOUR)) == 300
    assert cost(tariff, session(MONDAY, charging=30 * MINUTE)) == 0


def test_without_a_matching_component_a_kind_costs_nothing() -> None:
    only_nights = [component("energy", "30", start_time="22:00", end_time="06:00")]
    assert cost(only_nights, session(MONDAY, charging=HOUR)) == 0


def test_the_first_matching_component_counts_not_the_cheapest() -> None:
    tariff = [component("energy", "90"), component("energy", "10")]
    assert cost(tariff, session(MONDAY, charging=HOUR, kwh=10)) == 900


def test_the_fee_per_charge_is_asked_once_however_often_the_clock_turns() -> None:
    tariff = [
        component("flat", "100", start_time="22:00", end_time="06:00"),
        component("flat", "200"),
    ]
    assert cost(tariff, session(at(20), charging=12 * HOUR)) == 200
    assert cost(tariff, session(at(23), charging=12 * HOUR)) == 100


@pytest.mark.parametrize(("watt_hours", "step", "cents"), [(115, 1, 3), (115, 25, 3), (115, 500, 13), (501, 500, 25)])  # fmt: skip
def test_energy_is_billed_in_blocks(watt_hours: int, step: int, cents: int) -> None:
    tariff = [component("energy", "25", step)]
    assert cost(tariff, session(MONDAY, charging=HOUR, kwh=watt_hours / 1000)) == cents


def test_limits_are_spread_over_the_vat_rates_they_stand_under() -> None:
    tariff = {
        "components": [
            {"kind": "energy", "unit_cents": "100", "vat_rate": "0.10"},
            {"kind": "flat", "unit_cents": "500", "vat_rate": "0.22"},
        ],
        "max_cents": 900,
    }
    lines = price_session(
        prices=read_prices(tariff), figures=session(MONDAY, charging=HOUR, kwh=10)
    )
    assert [(line.kind, line.cents) for line in lines] == [
        ("energy", 1000),
        ("flat", 500),
        ("maximum", -400),
        ("maximum", -200),
    ]
    assert [(part.rate, part.gross_cents) for part in vat_split(lines)] == [
        (lines[0].vat_rate, 600),
        (lines[1].vat_rate, 300),
    ]
