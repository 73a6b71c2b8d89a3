"""When a price component applies: by the clock of the site, the date, energy, power and duration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_BOUNDS: Final = ("kwh", "power", "current", "duration")


class BadRestriction(ValueError):
    """A restriction that cannot be read, or that nothing can ever meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A session at one instant: `at` on the wall clock of the site."""

    at: datetime
    energy_wh: int
    elapsed_s: float
    power_w: float
    current_ma: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Restrictions:
    """OCPI 2.2.1 §11.4.6 under its own names: kWh, kW, A (all phases), seconds, local time.

    Lower bounds are inclusive and upper ones exclusive, so that adjoining components never both
    apply and never leave a gap. An end before the start crosses midnight.
    """

    start_time: time | None = None
    end_time: time | None = None
    start_date: date | None = None
    end_date: date | None = None
    min_kwh: Decimal | None = None
    max_kwh: Decimal | None = None
    min_power: Decimal | None = None
    max_power: Decimal | None = None
    min_current: Decimal | None = None
    max_current: Decimal | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    day_of_week: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read and check; raises BadRestriction, also for restrictions we do not know."""
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown:
            raise BadRestriction(f"unknown restriction: {', '.join(sorted(unknown))}")
        try:
            read = {
                name: _READERS[name](value) for name, value in data.items() if value is not None
            }
        except (TypeError, ValueError, InvalidOperation) as problem:
            raise BadRestriction(f"{dict(data)!r}: {problem}") from problem
        restrictions = cls(**read)
        restrictions._check()
        return restrictions

    def as_json(self) -> dict[str, Any]:
        """Only what is restricted, as plain JSON."""
        return {
            field.name: _plain(getattr(self, field.name))
            for field in fields(self)
            if getattr(self, field.name) not in (None, ())
        }

    @property
    def by_load(self) -> bool:
        """Whether power or current decide."""
        bounds = (self.min_power, self.max_power, self.min_current, self.max_current)
        return any(bound is not None for bound in bounds)

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) not in (None, ()) for field in fields(self))

    def meet(self, moment: Moment) -> bool:
        """Whether the component applies at this moment."""
        return (
            self._meet_clock(moment.at)
            and self._meet_date(moment.at)
            and _within(self.min_kwh, Decimal(moment.energy_wh) / 1000, self.max_kwh)
            and _within(self.min_power, Decimal(moment.power_w) / 1000, self.max_power)
            and _within(self.min_current, Decimal(moment.current_ma) / 1000, self.max_current)
            and _within(self.min_duration, Decimal(moment.elapsed_s), self.max_duration)
        )

    def instants(self, *, start: datetime, end: datetime, zone: ZoneInfo) -> set[datetime]:
        """UTC instants between `start` and `end` at which this may begin or cease to apply."""
        found = {
            start + timedelta(seconds=bound)
            for bound in (self.min_duration, self.max_duration)
            if bound is not None
        }
        if self.start_time or self.end_time or self.day_of_week or self._dated:
            marks = {time(0), *filter(None, (self.start_time, self.end_time))}
            found |= _wall_clock(marks, start=start, end=end, zone=zone)
        return {at for at in found if start < at < end}

    def energies(self) -> set[int]:
        """Registers (Wh since the start) at which this may begin or cease to apply."""
        return {int(bound * 1000) for bound in (self.min_kwh, self.max_kwh) if bound is not None}

    @property
    def _dated(self) -> bool:
        return self.start_date is not None or self.end_date is not None

    def _meet_clock(self, at: datetime) -> bool:
        now = at.time()
        start, end = self.start_time or time(0), self.end_time or time(0)
        if self.start_time is None and self.end_time is None:
            return True
        if start < end:
            return start <= now < end
        # 22:00 to 07:00; an end at 00:00 is the end of the day, and equal ones are the whole day.
        return now >= start or now < end

    def _meet_date(self, at: datetime) -> bool:
        today = at.date()
        if self.day_of_week and DAYS[today.weekday()] not in self.day_of_week:
            return False
        if self.start_date is not None and today < self.start_date:
            return False
        return self.end_date is None or today < self.end_date

    def _check(self) -> None:
        for name in _BOUNDS:
            low, high = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if any(bound is not None and not 0 <= bound < 10**9 for bound in (low, high)):
                raise BadRestriction(f"{name}: must not be negative")
            if low is not None and high is not None and low >= high:
                raise BadRestriction(f"{name}: the minimum must be below the maximum")
        if self.start_date and self.end_date and self.start_date >= self.end_date:
            raise BadRestriction("end_date must be after start_date")


ALWAYS: Final = Restrictions()
"""The one that restricts nothing: most components have it, and need not be asked."""


def _within(low: Decimal | int | None, value: Decimal, high: Decimal | int | None) -> bool:
    return (low is None or value >= low) and (high is None or value < high)


def _wall_clock(
    marks: set[time], *, start: datetime, end: datetime, zone: ZoneInfo
) -> set[datetime]:
    """When the site's clocks show one of the marks, both times where an hour comes twice.

    Where clocks are put forward over a mark it is the instant of the change, which is a cut of its
    own, as it is where they are put back.
    """
    found: set[datetime] = set()
    day = start.astimezone(zone).date() - timedelta(days=1)
    while day <= end.astimezone(zone).date() + timedelta(days=1):
        for mark in marks:
            for fold in (0, 1):
                wall = datetime.combine(day, mark, zone).replace(fold=fold)
                found.add(wall.astimezone(start.tzinfo))
        found |= _clock_change(day, zone=zone, like=start)
        day += timedelta(days=1)
    return found


def _clock_change(day: date, *, zone: ZoneInfo, like: datetime) -> set[datetime]:
    """The instant of this day at which clocks are changed, if they are, to the minute."""
    low = datetime.combine(day, time(0), zone).astimezone(like.tzinfo)
    high = datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(like.tzinfo)
    before, after = low.astimezone(zone).utcoffset(), high.astimezone(zone).utcoffset()
    if before == after:
        return set()
    while high - low > timedelta(minutes=1):
        middle = low + timedelta(minutes=int((high - low).total_seconds() // 120))
        low, high = (
            (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
        )
    return {high}


def _time(value: str) -> time:
    read = time.fromisoformat(value)
    if len(value) != 5 or read.tzinfo is not None:
        raise ValueError("a time of day is written 13:30")
    return read


def _days(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not set(value) <= set(DAYS):
        raise ValueError("days are written MONDAY … SUNDAY")
    return tuple(day for day in DAYS if day in value)


def _amount(value: Any) -> Decimal:
    amount = Decimal(str(value))
    if not amount.is_finite():
        raise ValueError("not a number")
    return amount


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "start_time": _time,
    "end_time": _time,
    "start_date": date.fromisoformat,
    "end_date": date.fromisoformat,
    "day_of_week": _days,
    "min_duration": int,
    "max_duration": int,
    **{f"{end}_{name}": _amount for name in ("kwh", "power", "current") for end in ("min", "max")},
}


def _plain(value: Any) -> Any:
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return (
        list(value)
        if isinstance(value, tuple)
        else str(value)
        if isinstance(value, Decimal)
        else value
    )
