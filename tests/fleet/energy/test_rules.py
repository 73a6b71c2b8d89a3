"""How much a plugged vehicle wants, and by when."""

import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.energy.rules import (
    EVERYDAY_PCT,
    EVERYDAY_PRIORITY,
    PROMISED_PRIORITY,
    Need,
    charged_pct,
    energy_wh,
    wish_of,
)

NOON = datetime.datetime(2026, 5, 5, 10, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def wish(pct, *needs):
    return wish_of(battery_wh=50_000, battery_pct=pct, needs=needs, at=NOON)


def test_the_first_promise_that_the_battery_does_not_keep_comes_first():
    soon = Need(battery_pct=30, ready_by=NOON + HOUR)
    later = Need(battery_pct=60, ready_by=NOON + 5 * HOUR)
    asked = wish(20, later, soon)
    assert (asked.ready_by, asked.priority) == (soon.ready_by, PROMISED_PRIORITY)
    assert asked.energy_wh == energy_wh(battery_wh=50_000, pct=20)
    assert wish(45, later, soon).ready_by == later.ready_by


def test_without_a_promise_it_wants_its_everyday_charge_last_of_all():
    asked = wish(50)
    assert (asked.priority, asked.energy_wh) == (EVERYDAY_PRIORITY, 16_667)
    assert wish(EVERYDAY_PCT) is None


def test_a_promise_whose_hour_is_over_is_none():
    assert wish(90, Need(battery_pct=95, ready_by=NOON)) is None


@settings(max_examples=60)
@given(pct=st.integers(0, 100), need=st.integers(1, 100), hours=st.integers(1, 48))
def test_what_is_wanted_fills_no_more_than_a_battery(pct, need, hours):
    asked = wish(pct, Need(battery_pct=need, ready_by=NOON + hours * HOUR))
    if asked is not None:
        assert 0 < asked.energy_wh <= energy_wh(battery_wh=50_000, pct=100 - pct)


def test_charging_stops_at_full():
    assert charged_pct(battery_pct=20, battery_wh=50_000, power_w=10_000, minutes=60) == 38
    assert charged_pct(battery_pct=95, battery_wh=50_000, power_w=10_000, minutes=600) == 100
