"""Devices that repeat every report until it is acknowledged, and the books they keep."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from tests.fleet.edge.broker import Device as MqttDevice
from tests.fleet.edge.unit import Unit, avl, frame

PAUSE_S = 0.05
# Longer than anything stays away, and the longest pause of a worker that lost its broker.
PATIENCE_S = 120.0
_STEP_MS = 100


class Door(Protocol):
    """A way to report: True when the report was acknowledged; `heard` is the last refusal."""

    heard: str

    def report(self, rows: list[Row]) -> bool: ...

    def hang_up(self) -> None: ...


# Milliseconds since 1970, longitude and latitude in 1e-7 degrees.
Row = tuple[int, int, int]


@dataclass
class HttpDoor:
    """POST /api/v1/telemetry, over a connection that is kept."""

    port: int
    secret: str
    heard: str = ""
    _line: http.client.HTTPConnection | None = None

    def report(self, rows: list[Row]) -> bool:
        points = [
            {"at": at, "lon": lon / 1e7, "lat": lat / 1e7, "speed_kmh": 18, "battery_pct": 80}
            for at, lon, lat in rows
        ]
        if self._line is None:
            self._line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {
            "Authorization": f"Bearer {self.secret}",
            "Content-Type": "application/json",
        }
        body = json.dumps({"points": points})
        self._line.request("POST", "/api/v1/telemetry", body, headers)
        answer = self._line.getresponse()
        text = answer.read()
        if answer.status == 202:
            told = json.loads(text)
            assert told["accepted"] == len(rows), told
            return True
        self.heard = f"{answer.status} {text!r}"
        # While servers are away: busy, or nobody who knows our credential.
        assert answer.status in {500, 502, 503}, (answer.status, text)
        return False

    def hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


@dataclass
class TeltonikaDoor:
    """Codec 8 on TCP."""

    port: int
    imei: str
    heard: str = ""
    _unit: Unit | None = None

    def report(self, rows: list[Row]) -> bool:
        if self._unit is None:
            unit = Unit(self.port, self.imei)
            if unit.call() != b"\x01":
                unit.close()
                return False
            unit.line.settimeout(10)
            self._unit = unit
        records = [avl(at_ms=at, lon=lon, lat=lat, speed=18) for at, lon, lat in rows]
        return self._unit.say(frame(records)) == len(rows)

    def hang_up(self) -> None:
        if self._unit is not None:
            with suppress(OSError):
                self._unit.close()
            self._unit = None


@dataclass(frozen=True)
class _Where:
    """All that a device must know of its broker."""

    port: int


@dataclass
class MqttDoor:
    """MQTT 5: a report is acknowledged when its reply has come, whatever the broker said before."""

    port: int
    serial: str
    secret: str
    heard: str = ""
    _device: MqttDevice | None = None
    _number: int = 0

    def report(self, rows: list[Row]) -> bool:
        if self._device is None:
            self._device = MqttDevice(_Where(self.port), self.serial, self.secret)
        self._number += 1
        ask = f"{self._number}"
        points = [{"at": at, "lon": lon / 1e7, "lat": lat / 1e7} for at, lon, lat in rows]
        self._device.publish({"points": points}, ask=ask)
        give_up = time.monotonic() + 5
        while time.monotonic() < give_up:
            for kind, body, properties in self._device.heard:
                if kind == "r" and properties.CorrelationData == ask.encode():
                    self._device.heard.clear()
                    self.heard = str(body)
                    return bool(body.get("accepted") == len(rows))
            time.sleep(0.01)
        return False

    def hang_up(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None


@dataclass
class StubbornDevice:
    """Rides along a street, reports in batches, and repeats a report until it is acknowledged.

    Now and then it reports old points once more, and the points of a report in any order.
    """

    vehicle_id: int
    door: Door
    began_ms: int
    stop: threading.Event
    seed: int
    batch: int = 20
    sent: dict[int, Row] = field(default_factory=dict)
    acknowledged: set[int] = field(default_factory=set)
    reports: int = 0
    repeats: int = 0
    failed: str = ""

    def run(self) -> None:
        chance = random.Random(self.seed)
        try:
            while not self.stop.is_set():
                rows = self._next_rows(chance)
                self._insist(rows)
                time.sleep(PAUSE_S * chance.random())
        except AssertionError as wrong:
            self.failed = repr(wrong)
        finally:
            self.door.hang_up()

    def _next_rows(self, chance: random.Random) -> list[Row]:
        first = len(self.sent)
        fresh = [self._row(number) for number in range(first, first + self.batch)]
        self.sent |= {row[0]: row for row in fresh}
        again = chance.sample(list(self.sent.values()), 3) if chance.random() < 0.2 else []
        rows = [*fresh, *again]
        chance.shuffle(rows)
        return rows

    def _row(self, number: int) -> Row:
        # 0.5 m every 0.1 s to the east and back, so that every point is its own.
        place = number % 2000
        metres = (place if place < 1000 else 2000 - place) * 0.5
        return (self.began_ms + number * _STEP_MS, 91_900_000 + round(metres * 128.2), 454_600_000)

    def _insist(self, rows: list[Row]) -> None:
        """Until it is acknowledged, even when asked to stop: a device does not forget."""
        give_up = time.monotonic() + PATIENCE_S
        while True:
            try:
                if self.door.report(rows):
                    self.acknowledged |= {row[0] for row in rows}
                    self.reports += 1
                    return
            except (OSError, http.client.HTTPException, ValueError):
                self.door.hang_up()
            assert time.monotonic() < give_up, f"never acknowledged: {self.door.heard}"
            self.repeats += 1
            time.sleep(PAUSE_S)
