"""Pure rules of energy: what one meter can have shown, and how much of it may be billed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# Assumed where a connector is not in our records: the strongest chargers built today.
FALLBACK_POWER_W: Final = 500_000
# Registers tick in steps of up to 100 Wh and clocks are coarse; a step this small is no evidence.
_STEP_TOLERANCE_WH: Final = 500
_POWER_TOLERANCE: Final = 1.2
# Below this a register's rise is noise of the electronics, not charging.
RISE_WH: Final = 10
# Coarse registers tick every 100 Wh: who got less than one tick got nothing, and pays nothing.
NOTHING_WH: Final = 100
_MAX_CHAIN: Final = 400
_FIRST_INTERVAL: Final = timedelta(hours=1)
_STUCK: Final = timedelta(minutes=10)
_STUCK_POWER_W: Final = 500


@dataclass(frozen=True, slots=True)
class RegisterPoint:
    """A register value and the instant it was read."""

    at: datetime
    register_wh: int


@dataclass(frozen=True, slots=True)
class BillableEnergy:
    """Energy that may be billed, in Wh, and whether staff should look at it first.

    `course` is how it flowed by what can be believed: Wh since the session's start.
    """

    energy_wh: int
    suspect: bool
    course: tuple[RegisterPoint, ...] = ()


def is_plausible_step(
    *,
    before: RegisterPoint,
    after: RegisterPoint,
    max_power_w: int,
) -> bool:
    """Whether one meter behind a connector of `max_power_w` can have shown both, in this order.

    It never runs backwards, and rises at most by 1.2 × the connector's power over the time
    between, plus 500 Wh for coarse registers.
    """
    rise = after.register_wh - before.register_wh
    seconds = max((after.at - before.at).total_seconds(), 0.0)
    return 0 <= rise <= max_power_w * _POWER_TOLERANCE * seconds / 3600 + _STEP_TOLERANCE_WH


def billable_energy(
    *,
    start: RegisterPoint | None,
    stop: RegisterPoint | None,
    between: Sequence[RegisterPoint],
    max_power_w: int,
    intervals: Sequence[RegisterPoint] = (),
) -> BillableEnergy:
    """The energy of a session that its meter values support, never negative, never an odometer.

    1. Stop minus start, where that is plausible and agrees with the values next to both ends
       (an offline station's zero baseline does not).
    2. Otherwise the rise over the longest run of values that one meter can have shown; a zero
       baseline, a replaced meter or a wild value falls out. The result is suspect.
    3. A meter that shows no register at all, only what flowed in each interval: their sum, without
       intervals in which more flowed than the connector can give.
    """
    ordered = sorted(between, key=lambda point: point.at)
    points = [*([start] if start else []), *ordered, *([stop] if stop else [])]
    if not points and intervals:
        return _summed(sorted(intervals, key=lambda point: point.at), max_power_w=max_power_w)
    chain = _longest_chain(_thinned(points), max_power_w=max_power_w)
    if start and stop and _ends_agree(points, max_power_w=max_power_w):
        rise = stop.register_wh - start.register_wh
        return BillableEnergy(rise, suspect=False, course=_since(chain, start.register_wh))
    whole = len(chain) == len(_thinned(points)) and len(chain) > 1
    rise = chain[-1].register_wh - chain[0].register_wh if chain else 0
    # Without any value there is nothing to suspect: the session simply moved no energy we know of.
    return BillableEnergy(
        rise,
        suspect=bool(points) and not whole,
        course=_since(chain, chain[0].register_wh if chain else 0),
    )


def _since(chain: Sequence[RegisterPoint], base_wh: int) -> tuple[RegisterPoint, ...]:
    return tuple(RegisterPoint(point.at, point.register_wh - base_wh) for point in chain)


def _summed(intervals: Sequence[RegisterPoint], *, max_power_w: int) -> BillableEnergy:
    """Intervals added up; nobody says when the first began, so that it passes up to an hour."""
    total, believed, course = 0, True, []
    before = intervals[0].at - _FIRST_INTERVAL
    for point in intervals:
        seconds = max((point.at - before).total_seconds(), 0.0)
        if point.register_wh > max_power_w * _POWER_TOLERANCE * seconds / 3600 + _STEP_TOLERANCE_WH:
            believed = False
            continue
        total += point.register_wh
        before = point.at
        course.append(RegisterPoint(point.at, total))
    return BillableEnergy(total, suspect=not believed, course=tuple(course))


def is_stuck(
    points: Sequence[RegisterPoint], *, powers: Mapping[datetime, int], since: timedelta = _STUCK
) -> bool:
    """Whether the register stood still for ten minutes while the same meter told of power.

    Power counts from 500 W on; less is the vehicle's electronics. What flowed unseen is never
    billed: the register decides, and staff look at the meter.
    """
    run_start: RegisterPoint | None = None
    for point in sorted(points, key=lambda point: point.at):
        flowing = powers.get(point.at, 0) >= _STUCK_POWER_W
        still = run_start is not None and point.register_wh - run_start.register_wh < RISE_WH
        if not flowing:
            run_start = None
        elif run_start is None or not still:
            run_start = point
        elif point.at - run_start.at >= since:
            return True
    return False


def delivered_nothing(energy_wh: int) -> bool:
    """Whether so little energy flowed that neither start nor time nor idling is to be paid."""
    return energy_wh < NOTHING_WH


def charged_until(points: Sequence[RegisterPoint]) -> datetime | None:
    """When the register last rose noticeably (10 Wh); None if it never did."""
    last: datetime | None = None
    ordered = sorted(points, key=lambda point: point.at)
    if not ordered:
        return None
    level = ordered[0].register_wh
    for point in ordered[1:]:
        if point.register_wh >= level + RISE_WH:
            last, level = point.at, point.register_wh
    return last


def idle_seconds(
    *,
    started_at: datetime,
    ended_at: datetime,
    charging_ended_at: datetime | None,
) -> int:
    """How long a vehicle stayed connected after it last took energy; 0 if that is unknown."""
    if charging_ended_at is None or charging_ended_at < started_at:
        return 0
    return int(max(ended_at - charging_ended_at, timedelta(0)).total_seconds())


def _ends_agree(points: Sequence[RegisterPoint], *, max_power_w: int) -> bool:
    """The whole span is plausible, and so are its first and its last step."""
    steps = ((points[0], points[-1]), (points[0], points[1]), (points[-2], points[-1]))
    return all(
        is_plausible_step(before=before, after=after, max_power_w=max_power_w)
        for before, after in steps
    )


def _thinned(points: Sequence[RegisterPoint]) -> Sequence[RegisterPoint]:
    """At most 400 points, evenly chosen, both ends kept: the chain search is quadratic."""
    if len(points) <= _MAX_CHAIN:
        return points
    step = (len(points) - 1) / (_MAX_CHAIN - 1)
    return [points[round(index * step)] for index in range(_MAX_CHAIN)]


def _longest_chain(
    points: Sequence[RegisterPoint],
    *,
    max_power_w: int,
) -> list[RegisterPoint]:
    """The longest subsequence in which every step is plausible; the later one of equals."""
    length = [1] * len(points)
    previous: list[int | None] = [None] * len(points)
    for j, after in enumerate(points):
        for i in range(j):
            longer = length[i] + 1 > length[j]
            if longer and is_plausible_step(
                before=points[i],
                after=after,
                max_power_w=max_power_w,
            ):
                length[j], previous[j] = length[i] + 1, i
    if not points:
        return []
    at: int | None = max(range(len(points)), key=lambda index: (length[index], index))
    chain = []
    while at is not None:
        chain.append(points[at])
        at = previous[at]
    return chain[::-1]
