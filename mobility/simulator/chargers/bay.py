"""The physics of a charging bay: a meter that only counts up, and a car that gets full.

Energy flows in real time, because its meter values carry real time stamps and the central
system would rightly suspect a 7 kW plug that delivers 70; only how long cars stay is the
city's own time.
"""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import datetime

TAPER_FROM = 0.8
MIN_SHARE = 0.1


@dataclass(slots=True)
class Car:
    """What stands at the plug: the energy it still takes and the power it can."""

    wants_wh: float
    max_power_w: float
    stays_s: float
    got_wh: float = 0.0

    @property
    def full(self) -> bool:
        return self.got_wh >= self.wants_wh

    @property
    def soc_pct(self) -> int:
        """State of charge, assuming the driver wants to leave with a full battery."""
        return min(100, round(30 + 70 * self.got_wh / self.wants_wh))

    def power_w(self) -> float:
        """Full power up to 80 % of what it wants, then falling to a tenth."""
        share = self.got_wh / self.wants_wh
        if share >= 1:
            return 0.0
        if share <= TAPER_FROM:
            return self.max_power_w
        return self.max_power_w * max(MIN_SHARE, (1 - share) / (1 - TAPER_FROM))


@dataclass(slots=True)
class Reading:
    """The meter at one instant; sent again unchanged if nobody answered."""

    at: datetime
    register_wh: int
    power_w: int
    soc_pct: int


@dataclass(slots=True)
class Visit:
    """One car at one bay, from plug to unplug; ``reference`` is the transaction's id."""

    car: Car
    token: str
    remote_start_id: int | None = None
    reference: str = ""
    sequence: int = 0
    end: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str = "Local"

    def stop(self, reason: str) -> None:
        """Ask the visit to end; the first reason given counts."""
        if not self.end.is_set():
            self.reason = reason
            self.end.set()

    def next_sequence(self) -> int:
        """0, 1, 2 …: every event of a 2.x transaction is numbered."""
        self.sequence += 1
        return self.sequence - 1


@dataclass(slots=True)
class Order:
    """A remote start that waits for its car."""

    token: str
    remote_start_id: int | None = None


@dataclass(slots=True)
class Bay:
    """One connector with its energy meter."""

    number: int
    max_power_w: float
    register_wh: float
    visit: Visit | None = None
    operative: bool = True
    limit_w: float | None = None
    orders: asyncio.Queue[Order] = field(default_factory=lambda: asyncio.Queue(1))
    _metered_at: datetime | None = None

    @property
    def free(self) -> bool:
        return self.operative and self.visit is None and self.orders.empty()

    def read(self, at: datetime, *, flowing: bool) -> Reading:
        """Let the energy since the last reading flow, then read the meter."""
        car = self.visit.car if self.visit else None
        power_w = car.power_w() if car and flowing else 0.0
        power_w = min(power_w, self.max_power_w, *([] if self.limit_w is None else [self.limit_w]))
        if car and self._metered_at is not None:
            hours = max((at - self._metered_at).total_seconds(), 0.0) / 3600
            gained_wh = min(power_w * hours, max(car.wants_wh - car.got_wh, 0.0))
            car.got_wh += gained_wh
            self.register_wh += gained_wh
        self._metered_at = at
        return Reading(at, round(self.register_wh), round(power_w), car.soc_pct if car else 0)


def random_car(rng: random.Random) -> Car:
    """A car of the city: 11 to 50 kW, wants 5 to 45 kWh, stays 20 minutes to 2½ hours."""
    return Car(
        wants_wh=rng.uniform(5_000, 45_000),
        max_power_w=rng.choice((7_400.0, 11_000.0, 22_000.0, 50_000.0)),
        stays_s=rng.uniform(1_200, 9_000),
    )
