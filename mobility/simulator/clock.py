"""Two clocks: the wall clock that server and hardware share, and the faster one of the streets.

``speed`` is simulated seconds per real second. It scales what the *city* does: how far a
vehicle gets, how long people walk, stay and charge, how often they go out. It does not scale
what machines agree on: time stamps of telemetry, the delivery and the time-out of a command,
the expiry of a reservation stay in real time. At speed 10 a scooter therefore covers in one
real second what it would cover in ten, and a bill by the minute is ten times too small.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class SimClock:
    """The time of one run of the simulator; ``speed`` must be positive.

    ``city_begins`` (aware) is what the city's clock shows at first, so that the same people go out
    at whatever hour the run is started; by default the real time.
    """

    speed: float = 1.0
    city_begins: datetime | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Rome"))
    _began_at: float = field(default_factory=time.time)
    _began_monotonic: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.speed <= 0:
            raise ValueError("speed must be positive")

    def now(self) -> datetime:
        """The real instant, aware, in UTC: the one to put into messages."""
        return datetime.fromtimestamp(time.time(), UTC)

    def elapsed_s(self) -> float:
        """Simulated seconds since the run began; never runs backwards."""
        return (time.monotonic() - self._began_monotonic) * self.speed

    def city_time(self) -> datetime:
        """The simulated instant, in the city's own zone: decides who goes out when."""
        began = self.city_begins or datetime.fromtimestamp(self._began_at, UTC)
        return (began + timedelta(seconds=self.elapsed_s())).astimezone(self.zone)

    async def sleep(self, simulated_s: float) -> None:
        """Wait ``simulated_s`` seconds of the city."""
        await asyncio.sleep(max(simulated_s, 0.0) / self.speed)
