"""What a device does when the door is shut, busy or gone: it keeps its points and comes back."""

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mobility.simulator.clock import SimClock
from mobility.simulator.device import FLAWLESS, Device
from mobility.simulator.geometry import Place
from mobility.simulator.radio import Radio
from mobility.simulator.tally import Tally
from mobility.simulator.vehicle import Vehicle
from mobility.simulator.wire import DoorShut, Reply, Wire

Door = Callable[[dict[str, Any]], Reply]


@dataclass
class ToldWire(Wire):
    """Answers what the test says."""

    url: str = ""
    door: Door = lambda _: Reply(500, {}, b"")

    async def post(self, path: str, *, body: bytes, bearer: str) -> Reply:
        assert (path, bearer) == ("/api/v1/telemetry", "dev_secret")
        return self.door(json.loads(body))


def report(door: Door, *, times: int = 1) -> Radio:
    """Let one radio report ``times`` times against ``door``, without its pauses."""
    rng = random.Random(3)
    device = Device(Vehicle("S1", "scooter", Place(9.2, 45.45), rng), SimClock(), rng, FLAWLESS)

    async def run() -> Radio:
        radio = Radio(device, ToldWire(door=door), "dev_secret", Tally(), rng)
        for _ in range(times):
            device.sample()
            await radio._report()
        return radio

    return asyncio.run(run())


def gone(_: dict[str, Any]) -> Reply:
    raise DoorShut("ConnectionRefusedError")


def busy(_: dict[str, Any]) -> Reply:
    return Reply(503, {"retry-after": "17"}, b"")


@pytest.mark.parametrize("door", [gone, busy])
def test_nothing_is_lost_while_the_door_is_shut(door: Door) -> None:
    radio = report(door, times=4)
    assert len(radio.device.points) == 4
    assert sum(radio.tally.faults.values()) == 4


def test_it_waits_as_long_as_a_busy_door_asks() -> None:
    assert report(busy)._report_again_s >= 17


def test_when_the_door_opens_again_the_buffer_goes_out_with_what_the_server_asked_for() -> None:
    seen: list[int] = []

    def door(body: dict[str, Any]) -> Reply:
        seen.append(len(body["points"]))
        if len(seen) < 3:
            return gone(body)
        unlock = {"id": "c1", "sequence": 1, "kind": "unlock"}
        answer = {"accepted": seen[-1], "rejected": [], "report_again_s": 9, "commands": [unlock]}
        return Reply(202, {}, json.dumps(answer).encode())

    radio = report(door, times=3)
    assert seen == [1, 2, 3]
    assert not radio.device.points
    assert [ack["result"] for ack in radio.device.acks] == ["accepted"]
    assert radio._report_again_s == 9


def test_points_a_door_calls_worthless_are_not_sent_for_ever() -> None:
    radio = report(lambda _: Reply(400, {}, b""))
    assert not radio.device.points
    assert radio.tally.refusals == {"telemetry.400": 1}
