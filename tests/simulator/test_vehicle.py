"""A vehicle moves like a thing: steadily, only unlocked, only while it has energy."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.simulator.geometry import Place, distance_m, moved
from mobility.simulator.vehicle import MAKES, Vehicle

HOME = Place(9.2040, 45.4520)
WAY = [moved(HOME, 300, 0), moved(HOME, 300, 400), moved(HOME, 900, 400)]


def a_scooter(seed: int = 1, **state: object) -> Vehicle:
    vehicle = Vehicle("S1", "scooter", HOME, random.Random(seed), locked=False)
    for name, value in state.items():
        setattr(vehicle, name, value)
    return vehicle


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.floats(0.01, 90), min_size=1, max_size=20), seed=st.integers(0, 99))
def test_how_often_one_looks_changes_nothing(steps: list[float], seed: int) -> None:
    watched, unwatched = a_scooter(seed), a_scooter(seed)
    now = 0.0
    for vehicle in (watched, unwatched):
        vehicle.drive(WAY, at_s=0.0)
    for step in steps:
        now += step
        watched.advance(to_s=now)
    unwatched.advance(to_s=now)
    assert distance_m(watched.place, unwatched.place) < 0.01
    assert watched.odometer_m == pytest.approx(unwatched.odometer_m, abs=0.01)
    assert watched.moving == unwatched.moving


def test_it_arrives_after_the_length_of_the_way_at_cruising_speed() -> None:
    scooter = a_scooter()
    scooter.drive([moved(HOME, 550, 0)], at_s=0.0)
    scooter.advance(to_s=99.0)
    assert scooter.moving
    scooter.advance(to_s=100.5)
    assert scooter.arrived.is_set()
    assert not scooter.moving
    assert scooter.speed_mps == 0.0
    assert scooter.odometer_m == pytest.approx(550, abs=1)


def test_a_full_battery_lasts_for_the_range_of_its_kind_and_then_it_stands() -> None:
    scooter = a_scooter(battery_pct=100.0)
    scooter.drive([moved(HOME, 60_000, 0)], at_s=0.0)
    scooter.advance(to_s=60_000.0)
    assert scooter.empty
    assert scooter.arrived.is_set()
    assert scooter.odometer_m / 1000 == pytest.approx(MAKES["scooter"].range_km * 0.99, rel=0.02)


@pytest.mark.parametrize("hindrance", [{"locked": True}, {"battery_pct": 0.5}])
def test_locked_or_empty_it_stays(hindrance: dict[str, object]) -> None:
    scooter = a_scooter(**hindrance)
    assert not scooter.drive(WAY, at_s=0.0)
    scooter.advance(to_s=600.0)
    assert scooter.place == HOME


def test_locking_on_the_way_stops_it_there() -> None:
    scooter = a_scooter()
    scooter.drive(WAY, at_s=0.0)
    scooter.advance(to_s=10.0)
    scooter.lock()
    scooter.advance(to_s=500.0)
    assert distance_m(HOME, scooter.place) == pytest.approx(55, abs=1)


def test_the_receiver_errs_by_metres_and_says_so() -> None:
    scooter = a_scooter()
    scooter.drive([moved(HOME, 5_000, 0)], at_s=0.0)
    errors = []
    for second in range(1, 600):
        scooter.advance(to_s=float(second))
        reading, accuracy_m = scooter.reading()
        errors.append((distance_m(scooter.place, reading), accuracy_m))
    usual = sorted(error for error, accuracy_m in errors if accuracy_m == 5.0)
    assert 1.0 < usual[len(usual) // 2] < 8.0
