"""What is done about a trip that nobody looks after, by the operator's policy."""

import dataclasses
import datetime
import enum
import math
from collections.abc import Collection

from bookings.trips.states import EndReason, Notice

# Below so many vehicles a few silent ones are no outage.
FLEET_OF_AN_OUTAGE = 10
# It is over when the share of silent ones has fallen to half of what opened it.
CALM = 0.5
# What is kept of a rider's attempts to end: every few seconds, and not without end.
ATTEMPTS_APART = datetime.timedelta(seconds=5)
MOST_ATTEMPTS = 500
PAUSE_NOTICE = datetime.timedelta(minutes=10)


class Deed(enum.StrEnum):
    """What the keeper of trips does next."""

    PAUSE = "pause"
    TELL = "tell"
    END = "end"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """One thing to do: pause, tell (`notice`), or end (`reason`, with the meter at `meter_at`)."""

    deed: Deed
    notice: Notice | None = None
    reason: EndReason | None = None
    meter_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a trip under way stands.

    `idle_since` is since when its vehicle stands still and locked, `pause_since` since when the
    rider pauses it (not when it was paused by itself), `heard_at` when the vehicle last spoke,
    `good_at` the time of its last point, `noticed` what the rider was told already.
    """

    paused: bool
    idle_since: datetime.datetime | None
    pause_since: datetime.datetime | None
    heard_at: datetime.datetime | None
    good_at: datetime.datetime | None
    battery_pct: int | None
    noticed: Collection[str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The figures of a policy that the care needs; `None` switches a rule off."""

    auto_pause: datetime.timedelta | None
    first_prompt: datetime.timedelta | None
    last_prompt: datetime.timedelta | None
    auto_end: datetime.timedelta | None
    max_pause: datetime.timedelta | None
    lock_ends_after: datetime.timedelta | None
    low_battery_pct: int
    dead_battery_pct: int
    dead_after: datetime.timedelta


def next_deed(standing: Standing, limits: Limits, *, at: datetime.datetime) -> Care | None:
    """The most pressing thing to do about a trip at `at`; `None` if it is well.

    1. Battery dead (all but empty, and silent): the trip ends where the vehicle last spoke.
    2. A pause of the rider's that is too long ends the trip; they are told ten minutes before.
    3. Locked by hand where that ends trips: it ended when the lock was shut.
    4. Standing locked: ended, last reminder, first reminder, paused – whichever is due last.
    5. A low battery is told once.
    """
    if _is_dead(standing, limits, at=at):
        return Care(deed=Deed.END, reason=EndReason.BATTERY_DEAD, meter_at=standing.good_at)
    if standing.pause_since is not None:
        return _long_pause(standing, limits, at=at) or _low_battery(standing, limits)
    return _idle(standing, limits, at=at) or _low_battery(standing, limits)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """How many `vehicles` in service there are, how many are silent, and what share is an outage."""

    silent: int
    vehicles: int
    share_pct: int | None


def is_outage(fleet: Silence) -> bool:
    """Whether so many vehicles in service are silent that riders cannot be to blame."""
    if fleet.share_pct is None or fleet.vehicles < FLEET_OF_AN_OUTAGE:
        return False
    return fleet.silent * 100 >= fleet.share_pct * fleet.vehicles


def is_over_outage(fleet: Silence) -> bool:
    """Whether an outage that was noticed by itself is over; later than it began, not at its edge."""
    if fleet.share_pct is None:
        return True
    return fleet.silent * 100 < fleet.share_pct * CALM * fleet.vehicles


def outage_since(
    fleet: Silence, last_words: Collection[datetime.datetime], *, at: datetime.datetime
) -> datetime.datetime:
    """When an outage that is seen at `at` began: with the word after which too few were heard.

    `last_words` are the last ones of the silent vehicles, as far as they ever said anything. The
    links are judged a while after a vehicle falls silent, and riders try to end in that while.
    """
    mute = fleet.silent - len(last_words)
    needed = math.ceil((fleet.share_pct or 0) * fleet.vehicles / 100) - mute
    if needed <= 0 or needed > len(last_words):
        return at
    return min(sorted(last_words)[needed - 1], at)


def note_attempt(
    tried_at: Collection[datetime.datetime], *, at: datetime.datetime
) -> list[datetime.datetime]:
    """The attempts with this one; a second one within five seconds says nothing new."""
    known = sorted(tried_at)
    if known and at - known[-1] < ATTEMPTS_APART:
        return known
    return [*known, at][-MOST_ATTEMPTS:]


def first_attempt(
    tried_at: Collection[datetime.datetime],
    *,
    since: datetime.datetime,
    until: datetime.datetime | None = None,
) -> datetime.datetime | None:
    """The first of a rider's attempts to end within an outage; `None` if there was none."""
    inside = [
        moment for moment in tried_at if since <= moment and (until is None or moment < until)
    ]
    return min(inside, default=None)


def _is_dead(standing: Standing, limits: Limits, *, at: datetime.datetime) -> bool:
    return (
        standing.battery_pct is not None
        and standing.battery_pct <= limits.dead_battery_pct
        and standing.heard_at is not None
        and at - standing.heard_at >= limits.dead_after
    )


def _long_pause(standing: Standing, limits: Limits, *, at: datetime.datetime) -> Care | None:
    # Only asked with a pause; this narrows the type.
    assert standing.pause_since is not None
    if limits.max_pause is None:
        return None
    over = standing.pause_since + limits.max_pause
    if at >= over:
        return Care(deed=Deed.END, reason=EndReason.PAUSE_OVER, meter_at=at)
    if at >= over - PAUSE_NOTICE and Notice.PAUSE_ENDS not in standing.noticed:
        return Care(deed=Deed.TELL, notice=Notice.PAUSE_ENDS)
    return None


def _idle(standing: Standing, limits: Limits, *, at: datetime.datetime) -> Care | None:
    since = standing.idle_since
    if since is None:
        return None

    def due(limit: datetime.timedelta | None) -> bool:
        return limit is not None and at - since >= limit

    if due(limits.lock_ends_after):
        return Care(deed=Deed.END, reason=EndReason.LOCK_SHUT, meter_at=since)
    if due(limits.auto_end):
        return Care(deed=Deed.END, reason=EndReason.IDLE, meter_at=at)
    # Who is told late is told the later word only.
    asked = [
        notice
        for notice, limit in (
            (Notice.IDLE_LAST, limits.last_prompt),
            (Notice.IDLE_FIRST, limits.first_prompt),
        )
        if due(limit)
    ]
    if asked and asked[0] not in standing.noticed:
        return Care(deed=Deed.TELL, notice=asked[0])
    if due(limits.auto_pause) and not standing.paused:
        return Care(deed=Deed.PAUSE)
    return None


def _low_battery(standing: Standing, limits: Limits) -> Care | None:
    low = standing.battery_pct is not None and standing.battery_pct <= limits.low_battery_pct
    if low and Notice.LOW_BATTERY not in standing.noticed:
        return Care(deed=Deed.TELL, notice=Notice.LOW_BATTERY)
    return None
