"""The network side of a device: report in time, keep what could not be sent, take commands."""

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import Any

from mobility.simulator.device import MOVING_REPORT_S, Device
from mobility.simulator.tally import Tally
from mobility.simulator.wire import DoorShut, Reply, Wire

TELEMETRY = "/api/v1/telemetry"
PARKED_REPORT_S = 5.0
LONGEST_BACKOFF_S = 30.0
REFUSED_SECRET_S = 60.0


@dataclass(slots=True)
class Radio:
    """Sends one device's buffer to the telemetry door for ever; cancel the task to end it."""

    device: Device
    wire: Wire
    secret: str
    tally: Tally
    rng: random.Random
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _report_again_s: float = PARKED_REPORT_S
    _failures: int = 0
    _asked_s: float = 0.0

    async def run(self) -> None:
        """Start at a random moment, so that the fleet does not report in step."""
        await asyncio.sleep(self.rng.uniform(0.0, PARKED_REPORT_S))
        self._asked_s = self.device.clock.elapsed_s()
        while True:
            self.device.execute_due()
            self.device.sample()
            if self._reachable():
                await self._report()
            await self._rest()

    def _reachable(self) -> bool:
        now_s = self.device.clock.elapsed_s()
        hours, self._asked_s = (now_s - self._asked_s) / 3600, now_s
        return self.device.contact(hours)

    async def _report(self) -> None:
        points, acks = self.device.batch(), list(self.device.acks)
        body = json.dumps({"points": points, "acks": acks}, separators=(",", ":"))
        try:
            reply = await self.wire.post(TELEMETRY, body=body.encode(), bearer=self.secret)
        except DoorShut as error:
            self._back_off(0.0)
            self.tally.fault(f"telemetry.{error}")
            return
        self._judge(reply, len(points), len(acks))

    def _judge(self, reply: Reply, points: int, acks: int) -> None:
        """Accepted: forget them. Overloaded or down: keep them. Refused: they are worthless."""
        if 200 <= reply.status < 300:
            self._accept(json.loads(reply.body), points, acks)
        elif reply.status >= 500 or reply.status == 429:
            self._back_off(_seconds(reply.headers.get("retry-after")))
            self.tally.fault(f"telemetry.{reply.status}")
        elif reply.status in (401, 403):
            self._back_off(REFUSED_SECRET_S)
            self.tally.refused(f"telemetry.{reply.status}")
        else:
            self.device.delivered(points, acks)
            self.tally.refused(f"telemetry.{reply.status}")

    def _accept(self, answer: dict[str, Any], points: int, acks: int) -> None:
        self._failures = 0
        self._report_again_s = float(answer.get("report_again_s") or PARKED_REPORT_S)
        self.device.delivered(points, acks)
        self.device.receive(answer.get("commands") or [])
        self.tally.add("telemetry.points", points)
        self.tally.add("telemetry.reports")
        for rejected in answer.get("rejected") or []:
            self.tally.refused(f"point.{rejected.get('code', 'unknown')}")

    def _back_off(self, asked_s: float) -> None:
        self._failures += 1
        longest = min(LONGEST_BACKOFF_S, 2.0 ** min(self._failures, 6))
        self._report_again_s = max(asked_s, self.rng.uniform(0.5, 1.0) * longest)

    async def _rest(self) -> None:
        """Wait for the next report, an accepted command falling due, or somebody's hand."""
        pause = self._report_again_s
        if self.device.vehicle.moving and not self._failures:
            pause = min(pause, MOVING_REPORT_S)
        due = self.device.next_due_s()
        if due is not None:
            pause = min(pause, due)
        if self.device.acks and not self._failures:
            pause = 0.0
        try:
            async with asyncio.timeout(pause):
                await self.wake.wait()
        except TimeoutError:
            return
        self.wake.clear()


def _seconds(header: str | None) -> float:
    return float(header) if header and header.isdecimal() else 0.0
