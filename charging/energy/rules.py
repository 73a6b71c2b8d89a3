"""Pure rules of sharing out a site's current. Currents are tenths of an ampere per phase (`da`).

Every vehicle is counted on all phases: which phase a cable feeds is not known, and the limit must
hold on each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Final

VOLTS: Final = 230
PHASES: Final = 3
# More than any vehicle takes: what a ship's battery holds.
MOST_WH: Final = 2_000_000
# IEC 61851: below 6 A a vehicle does not charge at all.
MIN_DA: Final = 60
# What a DC charger draws from the grid for what it gives the vehicle.
_DC_LOSS: Final = 1.06
_UNIT_WORDS: Final = {"A": {"A", "Current"}, "W": {"W", "Power"}}
# What a column holds; a station may name any number.
_MOST_DA: Final = 2**31 - 1
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A vehicle that charges, and the most it can take. Without `ready_by` it is in no hurry."""

    key: int
    max_da: int
    started_at: datetime
    min_da: int = MIN_DA
    ready_by: datetime | None = None
    priority: int = 5

    @property
    def turn(self) -> tuple[int, datetime, datetime, int]:
        """Its place in the queue: priority, deadline, then who came first."""
        return (self.priority, self.ready_by or _NEVER, self.started_at, self.key)


def allocate(*, limit_da: int, wants: Sequence[Want]) -> dict[int, int]:
    """Share `limit_da` out among `wants`, earliest deadline first.

    1. In their order each gets its minimum, until one does not fit: it and all after it get zero,
       for nobody later may overtake.
    2. What is left goes to those with a deadline, in their order, up to what they can take.
    3. What is still left is shared equally among those without one.

    The sum never exceeds the limit; each gets zero or between its minimum and its maximum.
    """
    given = {want.key: 0 for want in wants}
    left = max(limit_da, 0)
    served = []
    for want in sorted(wants, key=lambda want: want.turn):
        if want.max_da < want.min_da:
            continue
        if left < want.min_da:
            break
        given[want.key] = want.min_da
        left -= want.min_da
        served.append(want)
    for want in served:
        if want.ready_by is not None:
            more = min(want.max_da - want.min_da, left)
            given[want.key] += more
            left -= more
    room = {want.key: want.max_da - want.min_da for want in served if want.ready_by is None}
    for key, more in level(total=left, room=room).items():
        given[key] += more
    return given


def level(*, total: int, room: Mapping[int, int]) -> dict[int, int]:
    """Share `total` equally, nobody beyond their `room`; what one cannot take the others get."""
    given: dict[int, int] = {}
    left = total
    for count, (key, most) in enumerate(sorted(room.items(), key=lambda item: (item[1], item[0]))):
        given[key] = min(most, left // (len(room) - count))
        left -= given[key]
    return given


def static_shares(*, limit_da: int, most: Mapping[int, int]) -> dict[int, int]:
    """What each connector may draw without a word from us, so that all together keep the limit.

    Equal shares up to what each can give. Where these would be too small to charge with, as many
    as fit get the least that is enough, lowest ids first, and the others nothing.
    """
    shares = level(total=max(limit_da, 0), room=most)
    if all(share >= min(MIN_DA, most[key]) for key, share in shares.items()):
        return shares
    fitting = max(limit_da, 0) // MIN_DA
    order = sorted(most)
    return {
        key: min(MIN_DA, most[key]) if place < fitting else 0 for place, key in enumerate(order)
    }


def step(
    *,
    targets: Mapping[int, int],
    holds: Mapping[int, int],
    budget_da: int,
    order: Sequence[int],
    shares: Mapping[int, int] | None = None,
) -> dict[int, int]:
    """What to send now on the way from `holds` to `targets`.

    Less is sent at once. More only goes out of what is free while nobody has confirmed less:
    `budget_da` minus all holds. So the limit holds in between, whoever answers first or never.
    While more may be drawn than the budget (a station that never confirmed anything counts with all
    it can), nobody keeps more than its share in `shares`.
    """
    free = budget_da - sum(holds[key] for key in order)
    sent = {}
    for key in order:
        if targets[key] <= holds[key]:
            fair = (shares or {}).get(key, targets[key])
            sent[key] = targets[key] if free >= 0 else min(targets[key], fair)
            continue
        more = min(targets[key] - holds[key], max(free, 0))
        # From nothing to less than a vehicle can use is no step.
        if holds[key] + more < min(MIN_DA, targets[key]):
            more = 0
        sent[key] = holds[key] + more
        free -= more
    return sent


def max_current_da(*, power_w: int, power_type: str) -> int:
    """The most a connector can draw on each phase, in tenths of an ampere."""
    if power_type == "AC_1_PHASE":
        return power_w * 10 // VOLTS
    loss = _DC_LOSS if power_type == "DC" else 1.0
    return ceil(power_w * loss * 10 / (VOLTS * PHASES))


def watts(*, current_da: int, power_type: str) -> int:
    """The power at the connector that draws `current_da` on each phase it uses."""
    phases = 1 if power_type == "AC_1_PHASE" else PHASES
    loss = _DC_LOSS if power_type == "DC" else 1.0
    return int(current_da * VOLTS * phases / 10 / loss)


def current_of_watts(*, power_w: float) -> int:
    """Tenths of an ampere per phase of a three-phase power in watts, rounded down."""
    return current_of_amperes(amperes=power_w / (VOLTS * PHASES))


def current_of_amperes(*, amperes: float) -> int:
    """Tenths of an ampere, rounded down; less than none is none, and more than any is the most."""
    return int(min(max(amperes * 10, 0.0), _MOST_DA))


def takes_unit(unit: str, *, said: str) -> bool:
    """Whether a station takes limits in `unit` ("A" or "W"), by what it said of itself.

    1.6 says "Current" and "Power", 2.x "A" and "W", several with commas; nothing said takes both.
    """
    words = {word.strip() for word in said.split(",")} - {""}
    return not words or bool(words & _UNIT_WORDS.get(unit, set()))
