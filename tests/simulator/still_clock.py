"""A clock that only moves when a test says so."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mobility.simulator.clock import SimClock

NOON = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StillClock(SimClock):
    """Real time stands at noon until ``pass_s`` is called."""

    passed: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=sum(self.passed))

    def elapsed_s(self) -> float:
        return sum(self.passed) * self.speed

    def city_time(self) -> datetime:
        return (NOON + timedelta(seconds=self.elapsed_s())).astimezone(self.zone)

    def pass_s(self, real_s: float) -> None:
        """Let real time pass."""
        self.passed.append(real_s)
