"""What a ride costs: pure arithmetic over whole seconds and integer cents, VAT included.

The order of the steps is the promise shown to the rider:

1. Seconds become started minutes, once per kind (riding, paused) and elapsed 24 hours.
2. Time costs the cheapest of: every minute by itself, or blocks ("12 € an hour") where they are
   cheaper. A block also covers pauses if that is cheaper than paying them by themselves.
3. Every elapsed 24 hours cost at most the day cap; the first day's cap includes the unlocking.
4. A whole trip costs at most the trip cap, whatever the time.
5. Kilometres over the allowance and reserved minutes over the free ones come on top.

A later end never makes a trip cheaper.
"""

import dataclasses
import datetime
import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Self

from mobility.core.money import PriceLine, round_cents

DAY = datetime.timedelta(hours=24)
MINUTE_S = 60
DAY_MINUTES = 1440

# A ride this short that went nowhere was a vehicle that did not work; nobody pays for it.
FALSE_START_M = 100


class SegmentKind(enum.StrEnum):
    """What a rider's time is spent on."""

    RUNNING = "running"
    PAUSED = "paused"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of one trip, `[start, end)`."""

    kind: SegmentKind
    start: datetime.datetime
    end: datetime.datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`minutes` together cost `cents` at most."""

    minutes: int
    cents: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fare:
    """The numbers of one tariff version, frozen into every quote given under it. Cents are gross."""

    version: str
    currency: str
    vat_rate: Decimal
    unlock_cents: int
    minute_cents: int
    pause_minute_cents: int
    hold_free_minutes: int
    hold_minute_cents: int
    hold_max_minutes: int
    km_cents: int = 0
    free_km: int = 0
    blocks: tuple[Block, ...] = ()
    day_cap_cents: int | None = None
    trip_cap_cents: int | None = None
    preauth_cents: int = 0
    grace_s: int = 0

    def as_json(self) -> dict[str, Any]:
        """The fare as plain JSON values."""
        return {
            **dataclasses.asdict(self),
            "vat_rate": str(self.vat_rate),
            "blocks": self._blocks(),
        }

    def _blocks(self) -> list[dict[str, int]]:
        return [{"minutes": block.minutes, "cents": block.cents} for block in self.blocks]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The fare that `as_json` wrote."""
        blocks = tuple(Block(minutes=row["minutes"], cents=row["cents"]) for row in data["blocks"])
        known = {field.name for field in dataclasses.fields(cls)} - {"blocks", "vat_rate"}
        values = {name: value for name, value in data.items() if name in known}
        return cls(**values, blocks=blocks, vat_rate=Decimal(data["vat_rate"]))

    @property
    def hour_cents(self) -> int:
        """What one hour of riding costs at most, without the unlocking."""
        return block_cents(minutes=60, minute_cents=self.minute_cents, blocks=self.blocks)


def block_cents(*, minutes: int, minute_cents: int, blocks: Sequence[Block]) -> int:
    """The cheapest price in cents of `minutes`, by the minute or by `blocks` (shortest first).

    Whole blocks of the longest kind, and for the rest the cheaper of one more block or the same
    question without that kind. Never falls as `minutes` grows.
    """
    if not blocks:
        return minutes * minute_cents
    *shorter, longest = blocks
    whole, rest = divmod(minutes, longest.minutes)
    remainder = block_cents(minutes=rest, minute_cents=minute_cents, blocks=shorter)
    with_block = whole * longest.cents + min(longest.cents, remainder)
    return min(with_block, block_cents(minutes=minutes, minute_cents=minute_cents, blocks=shorter))


def started_minutes(seconds: int) -> int:
    """Whole minutes of which each one that was started counts."""
    return -(-seconds // MINUTE_S)


def minutes_by_day(segments: Sequence[Segment]) -> list[Counter[SegmentKind]]:
    """Started minutes per kind for every elapsed 24 hours since the first segment began.

    Elapsed time, not the calendar: the two days of a clock change are billed like all others.
    """
    if not segments:
        return []
    origin = segments[0].start
    seconds: dict[int, Counter[SegmentKind]] = {0: Counter()}
    for segment in segments:
        for day, length in _slices(segment, origin=origin):
            seconds.setdefault(day, Counter())[segment.kind] += length
    return [
        Counter({kind: started_minutes(length) for kind, length in seconds[day].items()})
        for day in sorted(seconds)
    ]


def _slices(segment: Segment, *, origin: datetime.datetime) -> list[tuple[int, int]]:
    """(day, whole seconds) pieces of a segment, cut at every 24 hours after `origin`."""
    start_s = int((segment.start - origin).total_seconds())
    end_s = int((segment.end - origin).total_seconds())
    day_s = DAY_MINUTES * MINUTE_S
    pieces = []
    while start_s < end_s:
        day = start_s // day_s
        stop = min(end_s, (day + 1) * day_s)
        pieces.append((day, stop - start_s))
        start_s = stop
    return pieces


def price_trip(
    *, fare: Fare, segments: Sequence[Segment], hold_s: int = 0, distance_m: int = 0
) -> tuple[PriceLine, ...]:
    """The lines of a trip's price in gross cents; no lines means that nothing is due.

    `segments` are in order and do not overlap, `hold_s` is the time reserved before the start and
    `distance_m` the metres ridden.
    """
    days = minutes_by_day(segments)
    ridden_s = sum(int((part.end - part.start).total_seconds()) for part in segments)
    false_start = 0 < fare.grace_s >= ridden_s and distance_m <= FALSE_START_M
    if not days or false_start:
        return ()
    lines = [*_time_lines(fare, days), *_cap_line(fare, days)]
    lines += [*_hold_line(fare, hold_s), *_distance_line(fare, distance_m)]
    return tuple(lines)


def estimate(*, fare: Fare, minutes: int) -> tuple[PriceLine, ...]:
    """The lines of an unbroken ride of `minutes` started minutes."""
    days = _even_days(minutes)
    return (*_time_lines(fare, days), *_cap_line(fare, days))


def _even_days(minutes: int) -> list[Counter[SegmentKind]]:
    whole, rest = divmod(minutes, DAY_MINUTES)
    lengths = [DAY_MINUTES] * whole + ([rest] if rest or not whole else [])
    return [Counter({SegmentKind.RUNNING: length}) for length in lengths]


def _time_lines(fare: Fare, days: Sequence[Counter[SegmentKind]]) -> list[PriceLine]:
    total: Counter[SegmentKind] = Counter()
    for day in days:
        total.update(day)
    running, paused = total[SegmentKind.RUNNING], total[SegmentKind.PAUSED]
    lines = []
    if fare.unlock_cents:
        lines.append(_line(fare, "unlock", Decimal(1), "trip", fare.unlock_cents))
    lines.append(_line(fare, "ride", Decimal(running), "min", running * fare.minute_cents))
    if paused:
        lines.append(_line(fare, "pause", Decimal(paused), "min", paused * fare.pause_minute_cents))
    return lines


def _cap_line(fare: Fare, days: Sequence[Counter[SegmentKind]]) -> list[PriceLine]:
    """What blocks and caps take off again, as one line; the caps come last."""
    asked = sum(line.cents for line in _time_lines(fare, days))
    due = 0
    for number, day in enumerate(days):
        cents = _day_cents(fare, day) + (fare.unlock_cents if number == 0 else 0)
        due += cents if fare.day_cap_cents is None else min(cents, fare.day_cap_cents)
    if fare.trip_cap_cents is not None:
        due = min(due, fare.trip_cap_cents)
    return [_line(fare, "cap", Decimal(1), "trip", due - asked)] if due != asked else []


def _day_cents(fare: Fare, day: Counter[SegmentKind]) -> int:
    running, paused = day[SegmentKind.RUNNING], day[SegmentKind.PAUSED]
    pauses = paused * fare.pause_minute_cents

    def blocks(minutes: int) -> int:
        return block_cents(minutes=minutes, minute_cents=fare.minute_cents, blocks=fare.blocks)

    return min(blocks(running) + pauses, blocks(running + paused))


def _hold_line(fare: Fare, hold_s: int) -> list[PriceLine]:
    paid = started_minutes(hold_s) - fare.hold_free_minutes
    if paid <= 0 or not fare.hold_minute_cents:
        return []
    return [_line(fare, "hold", Decimal(paid), "min", paid * fare.hold_minute_cents)]


def _distance_line(fare: Fare, distance_m: int) -> list[PriceLine]:
    over = Decimal(distance_m) / 1000 - fare.free_km
    # Hundred metres are what positions can honestly tell.
    over = over.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    if over <= 0 or not fare.km_cents:
        return []
    return [_line(fare, "distance", over, "km", round_cents(over * fare.km_cents))]


def _line(fare: Fare, kind: str, quantity: Decimal, unit: str, cents: int) -> PriceLine:
    return PriceLine(kind=kind, quantity=quantity, unit=unit, cents=cents, vat_rate=fare.vat_rate)
