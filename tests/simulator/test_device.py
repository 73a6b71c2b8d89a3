"""A telemetry unit buffers, repeats and obeys as real ones do."""

import random
from datetime import timedelta
from typing import Any

import pytest

from mobility.simulator.device import FLAWLESS, Device, Temper
from mobility.simulator.geometry import Place, moved
from mobility.simulator.vehicle import Vehicle
from tests.simulator.still_clock import NOON, StillClock

HOME = Place(9.2040, 45.4520)


def a_device(temper: Temper = FLAWLESS, speed: float = 1.0) -> Device:
    rng = random.Random(7)
    return Device(Vehicle("S1", "scooter", HOME, rng), StillClock(speed=speed), rng, temper)


def let_pass(device: Device, real_s: float) -> None:
    assert isinstance(device.clock, StillClock)
    device.clock.pass_s(real_s)


def command(sequence: int, kind: str, expires_in_s: float = 20) -> dict[str, Any]:
    expires_at = (NOON + timedelta(seconds=expires_in_s)).isoformat()
    return {"id": f"c{sequence}", "sequence": sequence, "kind": kind, "expires_at": expires_at}


def results(device: Device) -> list[tuple[str, str]]:
    return [(ack["command"], ack["result"]) for ack in device.acks]


def test_an_unlock_is_accepted_at_once_and_confirmed_when_the_bolt_has_moved() -> None:
    device = a_device()
    device.receive([command(1, "unlock")])
    assert results(device) == [("c1", "accepted")]
    assert device.vehicle.locked
    let_pass(device, 2.1)
    device.execute_due()
    assert results(device) == [("c1", "accepted"), ("c1", "confirmed")]
    assert not device.vehicle.locked


def test_a_command_delivered_twice_is_obeyed_once() -> None:
    device = a_device()
    device.receive([command(1, "unlock")])
    device.receive([command(1, "unlock")])
    assert results(device) == [("c1", "accepted")]


def test_an_expired_command_is_not_obeyed() -> None:
    device = a_device()
    let_pass(device, 21)
    device.receive([command(1, "unlock")])
    let_pass(device, 3)
    device.execute_due()
    assert device.vehicle.locked
    assert device.acks == []


def test_an_overtaken_unlock_never_opens_after_a_newer_lock() -> None:
    device = a_device()
    device.receive([command(2, "lock")])
    device.receive([command(1, "unlock")])
    let_pass(device, 3)
    device.execute_due()
    assert device.vehicle.locked
    assert ("c1", "rejected") in results(device)


@pytest.mark.parametrize(
    ("temper", "answers"),
    [(Temper(rejects=1.0, ignores=0.0), [("c1", "rejected")]), (Temper(ignores=1.0), [])],
)
def test_moods_of_a_device(temper: Temper, answers: list[tuple[str, str]]) -> None:
    device = a_device(temper)
    device.receive([command(1, "unlock")])
    let_pass(device, 3)
    device.execute_due()
    assert results(device) == answers
    assert device.vehicle.locked


def test_a_drive_is_sampled_every_second_and_a_stand_once_a_report() -> None:
    device = a_device()
    device.sample()
    let_pass(device, 5)
    device.sample()
    assert len(device.points) == 2
    device.vehicle.unlock()
    device.vehicle.drive([moved(HOME, 500, 0)], at_s=device.clock.elapsed_s())
    let_pass(device, 3)
    device.sample()
    moving = list(device.points)[2:]
    assert [point["odometer_m"] for point in moving] == [6, 11, 16]
    assert {point["speed_kmh"] for point in moving} == {19.8}


def test_speed_moves_the_city_faster_but_leaves_the_stamps_real() -> None:
    device = a_device(speed=10.0)
    device.vehicle.unlock()
    device.sample()
    device.vehicle.drive([moved(HOME, 5_000, 0)], at_s=device.clock.elapsed_s())
    let_pass(device, 3)
    device.sample()
    first, *_, last = device.points
    assert (first["at"], last["at"]) == ("2026-05-04T10:00:00.000Z", "2026-05-04T10:00:03.000Z")
    assert last["odometer_m"] == 165


def test_out_of_contact_it_keeps_every_point_until_it_is_delivered() -> None:
    device = a_device(Temper(tunnels_per_hour=1e9, repeats=0.0, shuffles=0.0))
    device.sample()
    assert not device.contact(1.0)
    for _ in range(3):
        let_pass(device, 5)
        device.sample()
    assert len(device.batch()) == 4
    device.delivered(4, 0)
    assert device.batch() == []


def test_some_devices_send_the_same_points_again_and_in_any_order() -> None:
    device = a_device(Temper(repeats=1.0, shuffles=1.0))
    for _ in range(8):
        device.sample()
        let_pass(device, 5)
    sent = device.batch()
    assert sent != list(device.points)
    assert sorted(sent, key=lambda point: point["at"]) == list(device.points)
    device.delivered(len(sent), 0)
    assert len(device.points) == 8
