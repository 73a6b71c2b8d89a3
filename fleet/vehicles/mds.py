"""From our three axes to the vehicle state and events of the Mobility Data Specification 2.0.2.

The state a city reads is derived: from life, rental, link and blocks. Every change between two
states is told in the events of the vehicle's mode. Some changes need two events because the mode
knows no direct way: a trip that ends on an empty battery is `trip_end` then `battery_low`; readers
fold them in order.

Source: MDS 2.0.2, `modes/micromobility.md` and `modes/car-share.md` (tables "Vehicle States" and
"State Transitions"). The tables below are those tables, cut to the events we can honestly tell.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from fleet.vehicles.states import BlockReason, Kind, LifeState, LinkState, RentalState

if TYPE_CHECKING:
    from collections.abc import Mapping


class Mode(StrEnum):
    """The MDS mode whose tables a vehicle follows."""

    MICROMOBILITY = "micromobility"
    CAR_SHARE = "car-share"


class MdsState(StrEnum):
    """The vehicle states of MDS 2."""

    REMOVED = "removed"
    AVAILABLE = "available"
    NON_OPERATIONAL = "non_operational"
    RESERVED = "reserved"
    ON_TRIP = "on_trip"
    STOPPED = "stopped"
    NON_CONTACTABLE = "non_contactable"
    MISSING = "missing"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Everything about a vehicle that its public state depends on."""

    kind: str
    life: str
    rental: str
    link: str
    blocks: frozenset[str] = frozenset()
    outside: bool = False


# A reason may be any life state, block reason or one of these words; what is not told apart
# falls back to the usual event of the change.
EXPIRED = "expired"

MODES: dict[str, Mode] = {
    Kind.BICYCLE: Mode.MICROMOBILITY,
    Kind.SCOOTER: Mode.MICROMOBILITY,
    Kind.CAR: Mode.CAR_SHARE,
}

_REMOVED_LIVES = frozenset(
    {
        LifeState.DRAFT,
        LifeState.WORKSHOP,
        LifeState.STORAGE,
        LifeState.IMPOUNDED,
        LifeState.RETIRED,
    },
)

_RENTALS: dict[Mode, dict[str, MdsState]] = {
    Mode.MICROMOBILITY: {
        RentalState.HELD: MdsState.RESERVED,
        RentalState.STARTING: MdsState.RESERVED,
        RentalState.ON_TRIP: MdsState.ON_TRIP,
        # This mode has no pause: the trip goes on.
        RentalState.PAUSED: MdsState.ON_TRIP,
        RentalState.ENDING: MdsState.ON_TRIP,
    },
    Mode.CAR_SHARE: {
        RentalState.HELD: MdsState.RESERVED,
        RentalState.STARTING: MdsState.RESERVED,
        RentalState.ON_TRIP: MdsState.ON_TRIP,
        RentalState.PAUSED: MdsState.STOPPED,
        RentalState.ENDING: MdsState.STOPPED,
    },
}

Edges = dict[tuple[MdsState, MdsState], dict[str | None, str]]

_BLOCK_EVENTS: dict[str | None, str] = {
    BlockReason.LOW_BATTERY: "battery_low",
    BlockReason.OFF_HOURS: "off_hours",
    BlockReason.MAINTENANCE: "maintenance",
    BlockReason.DAMAGE: "maintenance",
    BlockReason.SUSPENDED: "system_suspend",
    BlockReason.DOCUMENT_EXPIRED: "system_suspend",
    BlockReason.ZONE: "system_suspend",
    None: "maintenance",
}
_UNBLOCK_EVENTS: dict[str | None, str] = {
    BlockReason.LOW_BATTERY: "battery_charged",
    BlockReason.OFF_HOURS: "on_hours",
    BlockReason.SUSPENDED: "system_resume",
    BlockReason.DOCUMENT_EXPIRED: "system_resume",
    BlockReason.ZONE: "system_resume",
    None: "maintenance",
}
_PICK_UPS: dict[str | None, str] = {
    LifeState.WORKSHOP: "maintenance_pick_up",
    LifeState.STORAGE: "rebalance_pick_up",
    LifeState.IMPOUNDED: "agency_pick_up",
    LifeState.RETIRED: "decommissioned",
    None: "maintenance_pick_up",
}
_REMOVED_FROM_SILENCE: dict[str | None, str] = {
    LifeState.IMPOUNDED: "agency_pick_up",
    LifeState.RETIRED: "decommissioned",
    None: "comms_restored",
}
_DROP_OFFS: dict[str | None, str] = {
    LifeState.IMPOUNDED: "agency_drop_off",
    None: "provider_drop_off",
}
_CAR_CANCELS: dict[str | None, str] = {
    EXPIRED: "provider_cancellation",
    None: "customer_cancellation",
}
_CAR_REMOVALS: dict[str | None, str] = {
    LifeState.WORKSHOP: "maintenance_pick_up",
    # The mode has no event for an authority that takes a car; the nearest honest word is this.
    LifeState.IMPOUNDED: "maintenance",
    LifeState.RETIRED: "decommissioned",
    None: "maintenance_pick_up",
}
_S = MdsState

EDGES: dict[Mode, Edges] = {
    Mode.MICROMOBILITY: {
        (_S.AVAILABLE, _S.RESERVED): {None: "reservation_start"},
        (_S.AVAILABLE, _S.ON_TRIP): {None: "trip_start"},
        (_S.AVAILABLE, _S.NON_OPERATIONAL): _BLOCK_EVENTS,
        (_S.AVAILABLE, _S.REMOVED): _PICK_UPS,
        (_S.NON_OPERATIONAL, _S.AVAILABLE): _UNBLOCK_EVENTS,
        (_S.NON_OPERATIONAL, _S.REMOVED): _PICK_UPS,
        (_S.RESERVED, _S.AVAILABLE): {None: "reservation_cancel"},
        (_S.RESERVED, _S.ON_TRIP): {None: "trip_start"},
        (_S.ON_TRIP, _S.AVAILABLE): {None: "trip_end"},
        (_S.REMOVED, _S.AVAILABLE): _DROP_OFFS,
        **{
            (silent, heard): {None: event}
            for silent, event in ((_S.NON_CONTACTABLE, "comms_restored"), (_S.MISSING, "located"))
            for heard in (_S.AVAILABLE, _S.NON_OPERATIONAL, _S.ON_TRIP, _S.RESERVED)
        },
        (_S.NON_CONTACTABLE, _S.REMOVED): _REMOVED_FROM_SILENCE,
        (_S.MISSING, _S.REMOVED): {**_REMOVED_FROM_SILENCE, None: "located"},
        (_S.NON_CONTACTABLE, _S.MISSING): {None: "not_located"},
        **{
            (heard, _S.NON_CONTACTABLE): {None: "comms_lost"}
            for heard in (_S.AVAILABLE, _S.NON_OPERATIONAL, _S.RESERVED, _S.ON_TRIP, _S.REMOVED)
        },
    },
    Mode.CAR_SHARE: {
        (_S.AVAILABLE, _S.RESERVED): {None: "reservation_start"},
        (_S.AVAILABLE, _S.NON_OPERATIONAL): {None: "service_end"},
        (_S.NON_OPERATIONAL, _S.AVAILABLE): {None: "service_start"},
        (_S.NON_OPERATIONAL, _S.REMOVED): _CAR_REMOVALS,
        (_S.REMOVED, _S.NON_OPERATIONAL): {
            LifeState.DRAFT: "recommissioned",
            LifeState.RETIRED: "recommissioned",
            None: "maintenance_end",
        },
        (_S.RESERVED, _S.AVAILABLE): _CAR_CANCELS,
        (_S.RESERVED, _S.STOPPED): {None: "reservation_stop"},
        (_S.STOPPED, _S.ON_TRIP): {
            RentalState.PAUSED: "trip_resume",
            RentalState.ENDING: "trip_resume",
            None: "trip_start",
        },
        (_S.STOPPED, _S.AVAILABLE): {None: "trip_end"},
        (_S.ON_TRIP, _S.STOPPED): {None: "trip_stop"},
        **{
            (heard, _S.NON_CONTACTABLE): {None: "comms_lost"}
            for heard in _S
            if heard not in {_S.NON_CONTACTABLE, _S.MISSING, _S.ELSEWHERE}
        },
        **{
            (_S.NON_CONTACTABLE, heard): {None: "comms_restored"}
            for heard in _S
            if heard not in {_S.NON_CONTACTABLE, _S.MISSING, _S.ELSEWHERE}
        },
    },
}


def mds_state(condition: Condition) -> MdsState:
    """The public state of a vehicle: life first, then contact, then the rider, then the blocks.

    A vehicle heard late is still told as it was; only one lost counts as out of contact.
    """
    mode = MODES[condition.kind]
    if condition.life in _REMOVED_LIVES:
        return MdsState.REMOVED
    if condition.life == LifeState.MISSING:
        return MdsState.MISSING if mode is Mode.MICROMOBILITY else MdsState.NON_CONTACTABLE
    if condition.link == LinkState.LOST:
        return MdsState.NON_CONTACTABLE
    rented = _RENTALS[mode].get(condition.rental)
    if rented is not None:
        return rented
    staffed = condition.rental == RentalState.STAFF
    return MdsState.NON_OPERATIONAL if condition.blocks or staffed else MdsState.AVAILABLE


def mds_events(before: Condition, after: Condition, *, reason: str = "") -> tuple[str, ...]:
    """The events that lead from `before` to `after`, in order; none if the public state stays.

    `reason` tells apart what the conditions alone do not (a hold that ran out, not cancelled).
    """
    mode = MODES[after.kind]
    states = _route(mode, mds_state(before), mds_state(after))
    causes = _causes(before, after, reason)
    return tuple(_event(EDGES[mode][edge], causes) for edge in pairwise(states))


def _causes(before: Condition, after: Condition, reason: str) -> tuple[str, ...]:
    """Words that pick the event of a change, the most telling first."""
    changed_blocks = sorted(before.blocks ^ after.blocks)
    remaining = sorted(after.blocks)
    # Coming back, the place it was away at names the event; going away, the place it goes to.
    life = (before.life, after.life) if after.life == LifeState.IN_SERVICE else (after.life,)
    return (reason, *changed_blocks, *life, *remaining, before.rental)


def _event(names: Mapping[str | None, str], causes: tuple[str, ...]) -> str:
    return next((names[cause] for cause in causes if cause in names), names[None])


@cache
def _route(mode: Mode, start: MdsState, goal: MdsState) -> tuple[MdsState, ...]:
    """The shortest way through the mode's changes; silence is passed only where it is an end."""
    passable = {start, goal} | (set(MdsState) - {MdsState.NON_CONTACTABLE, MdsState.MISSING})
    if MdsState.MISSING in {start, goal}:
        passable.add(MdsState.NON_CONTACTABLE)
    ways: deque[tuple[MdsState, ...]] = deque([(start,)])
    seen = {start}
    while ways:
        way = ways.popleft()
        if way[-1] == goal:
            return way
        for source, target in EDGES[mode]:
            if source == way[-1] and target in passable and target not in seen:
                seen.add(target)
                ways.append((*way, target))
    raise LookupError(f"{mode}: no way from {start} to {goal}")
