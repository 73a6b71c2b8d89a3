"""The telemetry unit of a vehicle: what it measures, keeps, repeats and obeys. No network here."""

import random
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mobility.simulator.clock import SimClock
from mobility.simulator.vehicle import Vehicle

MOVING_REPORT_S = 3.0
SAMPLE_S = 1.0
MOST_KEPT = 5_000
MOST_SENT = 500
REMEMBERED_COMMANDS = 200


@dataclass(frozen=True, slots=True)
class Temper:
    """How often things go wrong: chances per command, per report or per simulated hour."""

    rejects: float = 0.004
    ignores: float = 0.002
    repeats: float = 0.004
    shuffles: float = 0.02
    zero_fix: float = 0.000_3
    clock_jump: float = 0.000_1
    tunnels_per_hour: float = 0.02
    tunnel_s: tuple[float, float] = (60.0, 600.0)


FLAWLESS = Temper(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(slots=True)
class Device:
    """Samples the vehicle once a second while it moves, buffers, and obeys commands in order."""

    vehicle: Vehicle
    clock: SimClock
    rng: random.Random
    temper: Temper = field(default_factory=Temper)
    points: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    acks: list[dict[str, Any]] = field(default_factory=list)
    last_sequence: int = 0
    _sampled_at: datetime | None = None
    _due: list[tuple[datetime, str, str]] = field(default_factory=list)
    _seen: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED_COMMANDS))
    _dark_until_s: float = 0.0

    def sample(self) -> None:
        """Measure up to now: every second of a drive, one point when standing."""
        now = self.clock.now()
        step = timedelta(seconds=SAMPLE_S)
        at = self._sampled_at + step if self._sampled_at else now
        while self.vehicle.moving and at < now:
            self._measure(at, now)
            at += step
        self._measure(now, now)
        self._sampled_at = now

    def contact(self, hours: float) -> bool:
        """Is there a network? ``hours`` of the city since the last question decide the odds."""
        city_s = self.clock.elapsed_s()
        if city_s < self._dark_until_s:
            return False
        if self.rng.random() < self.temper.tunnels_per_hour * hours:
            self._dark_until_s = city_s + self.rng.uniform(*self.temper.tunnel_s)
            return False
        return True

    def batch(self) -> list[dict[str, Any]]:
        """The oldest buffered points, sometimes in the wrong order."""
        points = [self.points[i] for i in range(min(len(self.points), MOST_SENT))]
        if len(points) > 2 and self.rng.random() < self.temper.shuffles:
            points = self.rng.sample(points, len(points))
        return points

    def delivered(self, points: int, acks: int) -> None:
        """The server has them: forget, unless this is the odd device that sends them again."""
        del self.acks[:acks]
        if self.rng.random() < self.temper.repeats:
            return
        for _ in range(min(points, len(self.points))):
            self.points.popleft()

    def receive(self, commands: list[dict[str, Any]]) -> None:
        """Take in commands: once each, in order, never an expired or overtaken one."""
        now = self.clock.now()
        for command in sorted(commands, key=lambda c: int(c["sequence"])):
            if command["id"] in self._seen or _expired(command, now):
                continue
            self._seen.append(command["id"])
            self._consider(command, now)

    def execute_due(self) -> None:
        """Do what was accepted and is due, and acknowledge it."""
        now = self.clock.now()
        due = [entry for entry in self._due if entry[0] <= now]
        self._due = [entry for entry in self._due if entry[0] > now]
        for _, command_id, kind in due:
            self._execute(kind)
            self._acknowledge(command_id, "confirmed", now)

    def next_due_s(self) -> float | None:
        """Real seconds until the next accepted command is to be executed."""
        if not self._due:
            return None
        return max(0.0, (min(self._due)[0] - self.clock.now()).total_seconds())

    def _consider(self, command: dict[str, Any], now: datetime) -> None:
        if int(command["sequence"]) <= self.last_sequence:
            self._acknowledge(command["id"], "rejected", now)
            return
        self.last_sequence = int(command["sequence"])
        chance = self.rng.random()
        if chance < self.temper.ignores:
            return
        if chance < self.temper.ignores + self.temper.rejects:
            self._acknowledge(command["id"], "rejected", now)
            return
        self._acknowledge(command["id"], "accepted", now)
        delay = timedelta(seconds=self.rng.uniform(0.5, 2.0))
        self._due.append((now + delay, command["id"], command["kind"]))

    def _execute(self, kind: str) -> None:
        self.vehicle.advance(to_s=self.clock.elapsed_s())
        if kind == "lock":
            self.vehicle.lock()
        elif kind == "unlock":
            self.vehicle.unlock()

    def _acknowledge(self, command_id: str, result: str, at: datetime) -> None:
        self.acks.append({"command": command_id, "result": result, "at": _wire(at)})

    def _measure(self, at: datetime, now: datetime) -> None:
        vehicle = self.vehicle
        behind_s = (now - at).total_seconds() * self.clock.speed
        vehicle.advance(to_s=self.clock.elapsed_s() - behind_s)
        place, accuracy_m = vehicle.reading()
        self.points.append(
            {
                "at": _wire(self._stamp(at)),
                "lat": round(place.lat, 7),
                "lon": round(place.lon, 7),
                "speed_kmh": round(vehicle.speed_mps * 3.6, 1),
                "heading_deg": round(vehicle.heading) % 360,
                "battery_pct": round(vehicle.battery_pct),
                "odometer_m": round(vehicle.odometer_m),
                "locked": vehicle.locked,
                "accuracy_m": accuracy_m,
            }
        )
        if self.rng.random() < self.temper.zero_fix:
            self.points[-1] |= {"lat": 0.0, "lon": 0.0}

    def _stamp(self, at: datetime) -> datetime:
        if self.rng.random() < self.temper.clock_jump:
            return at + timedelta(days=1)
        return at


def _wire(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _expired(command: dict[str, Any], now: datetime) -> bool:
    until: str | None = command.get("expires_at")
    return until is not None and datetime.fromisoformat(until) < now
