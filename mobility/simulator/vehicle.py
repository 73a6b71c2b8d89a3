"""One vehicle as a physical thing: it stands, drives along a route, drains, locks and unlocks."""

import asyncio
import math
import random
from collections import deque
from dataclasses import dataclass, field

from mobility.simulator.geometry import Place, between, distance_m, heading_deg, moved


@dataclass(frozen=True, slots=True)
class Make:
    """What a kind of vehicle can do: cruising speed in m/s, range of a full battery in km."""

    cruise_mps: float
    range_km: float
    odd_stop: float


MAKES = {
    "bicycle": Make(cruise_mps=4.5, range_km=60.0, odd_stop=0.25),
    "scooter": Make(cruise_mps=5.5, range_km=40.0, odd_stop=0.30),
    "car": Make(cruise_mps=7.5, range_km=260.0, odd_stop=0.55),
}
IDLE_DRAIN_PCT_PER_DAY = 0.5
EMPTY_PCT = 1.0
GPS_NOISE_M = 3.0
GPS_MEMORY = 0.85
CANYON_NOISE_M = 28.0
CANYON_CHANCE = 0.004
CANYON_ACCURACY_M = 35.0
OPEN_SKY_ACCURACY_M = 5.0


@dataclass(slots=True)
class Vehicle:
    """State of one vehicle; every time is in simulated seconds of the run."""

    code: str
    kind: str
    place: Place
    rng: random.Random
    battery_pct: float = 90.0
    odometer_m: float = 0.0
    heading: float = 0.0
    locked: bool = True
    speed_mps: float = 0.0
    ridden: bool = False
    advanced_s: float = 0.0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _route: deque[Place] = field(default_factory=deque)
    _waits_until_s: float = 0.0
    _noise: tuple[float, float] = (0.0, 0.0)

    @property
    def make(self) -> Make:
        """The abilities of this kind."""
        return MAKES[self.kind]

    @property
    def moving(self) -> bool:
        """Is it on its way (a halt at a light included)?"""
        return bool(self._route)

    @property
    def empty(self) -> bool:
        """Has it no energy left to move?"""
        return self.battery_pct <= EMPTY_PCT + 1e-6

    def drive(self, route: list[Place], *, at_s: float) -> bool:
        """Set off along ``route``; False when it is locked or empty and stays where it is."""
        self.advance(to_s=at_s)
        self.arrived.clear()
        if self.locked or self.empty:
            self.arrived.set()
            return False
        self._route = deque(route)
        return True

    def halt(self) -> None:
        """Stop where it is and forget the rest of the way."""
        self._route.clear()
        self.speed_mps = 0.0
        self.arrived.set()

    def lock(self) -> None:
        """Stop and lock."""
        self.halt()
        self.locked = True

    def unlock(self) -> None:
        """Let it roll."""
        self.locked = False

    def carry(self, *, to: Place) -> None:
        """Hands put it down somewhere else."""
        self.halt()
        self.place = to

    def swap_battery(self) -> None:
        """A hand from outside puts in a full battery."""
        self.battery_pct = 100.0

    def advance(self, *, to_s: float) -> None:
        """Let the physical world pass up to ``to_s``: drive, wait at lights, drain."""
        left = to_s - self.advanced_s
        if left <= 0:
            return
        self.battery_pct = max(0.0, self.battery_pct - left * IDLE_DRAIN_PCT_PER_DAY / 86_400)
        clock_s, self.advanced_s = self.advanced_s, to_s
        while self._route and clock_s < to_s:
            clock_s = self._leg(clock_s, to_s)

    def reading(self) -> tuple[Place, float]:
        """What the receiver says: a place with noise that remembers itself, and its accuracy."""
        swing = GPS_NOISE_M if self.moving else 0.4
        keep = math.sqrt(1 - GPS_MEMORY**2) * swing
        east, north = (GPS_MEMORY * n + self.rng.gauss(0.0, keep) for n in self._noise)
        self._noise = (east, north)
        if self.moving and self.rng.random() < CANYON_CHANCE:
            east, north = (self.rng.gauss(0.0, CANYON_NOISE_M) for _ in range(2))
            return moved(self.place, east, north), CANYON_ACCURACY_M
        return moved(self.place, east, north), OPEN_SKY_ACCURACY_M

    def _leg(self, clock_s: float, to_s: float) -> float:
        """Wait or roll until the next way point or ``to_s``; returns the clock after it."""
        if clock_s < self._waits_until_s:
            self.speed_mps = 0.0
            return min(self._waits_until_s, to_s)
        goal = self._route[0]
        self.speed_mps = self.make.cruise_mps
        length = distance_m(self.place, goal)
        reach = self.speed_mps * (to_s - clock_s)
        if reach < length:
            self._roll(goal, length, reach)
            return to_s
        self._roll(goal, length, length)
        clock_s += length / self.make.cruise_mps
        if self._route:
            self._route.popleft()
            self._reach_waypoint(clock_s)
        return clock_s

    def _roll(self, goal: Place, length: float, reach: float) -> None:
        """Roll ``reach`` of the ``length`` metres to ``goal``, or as far as the battery goes."""
        per_metre = 100 / (self.make.range_km * 1000)
        reach = min(reach, max(0.0, self.battery_pct - EMPTY_PCT) / per_metre)
        if length > 0:
            self.heading = heading_deg(self.place, goal)
            self.place = goal if reach >= length else between(self.place, goal, reach / length)
        self.odometer_m += reach
        self.battery_pct -= reach * per_metre
        if self.empty:
            self.halt()

    def _reach_waypoint(self, clock_s: float) -> None:
        if not self._route:
            self.halt()
        elif self.rng.random() < self.make.odd_stop:
            self._waits_until_s = clock_s + self.rng.uniform(4.0, 25.0)
