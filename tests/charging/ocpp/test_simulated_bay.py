"""The physics of simulated charging: meters only rise, and never faster than their plug."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.simulator.chargers.bay import Bay, Car, Visit, random_car

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@settings(max_examples=50, deadline=None)
@given(
    st.floats(1_000, 60_000),
    st.floats(1_000, 150_000),
    st.floats(3_000, 50_000),
    st.lists(st.floats(0, 7_200), min_size=1, max_size=20),
)
def test_the_meter_rises_no_faster_than_the_plug(
    wants_wh: float,
    car_power_w: float,
    plug_power_w: float,
    pauses_s: list[float],
) -> None:
    car = Car(wants_wh, car_power_w, stays_s=1)
    bay = Bay(1, plug_power_w, register_wh=500.0, visit=Visit(car, "TAG"))
    at, last_wh = NOON, bay.register_wh
    bay.read(at, flowing=False)
    for pause_s in pauses_s:
        at += timedelta(seconds=pause_s)
        reading = bay.read(at, flowing=True)
        risen_wh = bay.register_wh - last_wh
        assert 0 <= risen_wh <= min(car_power_w, plug_power_w) * pause_s / 3600 + 0.01
        assert 0 <= reading.soc_pct <= 100
        last_wh = bay.register_wh
    assert car.got_wh <= car.wants_wh + 1e-6


def test_a_full_car_takes_nothing_and_nothing_flows_without_a_car() -> None:
    car = Car(wants_wh=1_000, max_power_w=10_000, stays_s=1)
    bay = Bay(1, 22_000, register_wh=0.0, visit=Visit(car, "TAG"))
    bay.read(NOON, flowing=False)
    assert bay.read(NOON + timedelta(hours=1), flowing=True).register_wh == 1_000
    assert car.full
    assert bay.read(NOON + timedelta(hours=2), flowing=True).power_w == 0
    bay.visit = None
    assert bay.read(NOON + timedelta(hours=3), flowing=True).register_wh == 1_000


def test_the_first_reason_to_stop_counts() -> None:
    visit = Visit(random_car(random.Random(1)), "TAG")
    visit.stop("Remote")
    visit.stop("PowerLoss")
    assert visit.reason == "Remote"
    assert [visit.next_sequence() for _ in range(3)] == [0, 1, 2]
