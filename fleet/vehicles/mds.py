"""From our three axes to the vehicle state and events of the Mobility Data Specification 2.0.2.

The state a city reads is derived: from life, rental, link and blocks. Every change between two
states is told in the events of the vehicle's mode. Some changes need two events because the mode
knows no direct way: a trip that ends on an empty battery is `trip_end` then `battery_low`; readers
fold them in order.

The whole state machines of the standard are in `mds_tables.py`; the edges below are cut to the
events that we can honestly tell. Where the standard offers only `unspecified`, we say that: a
scooter that nobody rides and that turns up beyond the border went there `unspecified`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from fleet.vehicles.mds_tables import UNSPECIFIED, MdsState, Mode
from fleet.vehicles.states import BlockReason, Kind, LifeState, LinkState, RentalState

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Everything about a vehicle that its public state depends on."""

    kind: str
    life: str
    rental: str
    link: str
    blocks: frozenset[str] = frozenset()
    outside: bool = False


# Told as a reason of going away: the vehicle stood where it must not.
COMPLIANCE = "compliance"
# A reason may be any life state, block reason or one of these words; what is not told apart
# falls back to the usual event of the change.
EXPIRED = "expired"
# Told as a reason of a hold's end: the operator took the vehicle away.
DISPLACED = "displaced"

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

_LOST_LIVES = frozenset({LifeState.MISSING, LifeState.STOLEN})

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
    COMPLIANCE: "compliance_pick_up",
    LifeState.WORKSHOP: "maintenance_pick_up",
    LifeState.STORAGE: "rebalance_pick_up",
    LifeState.IMPOUNDED: "agency_pick_up",
    LifeState.RETIRED: "decommissioned",
    None: UNSPECIFIED,
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
    DISPLACED: "provider_cancellation",
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
_STREET = (_S.ON_TRIP, _S.AVAILABLE, _S.NON_OPERATIONAL, _S.RESERVED, _S.ELSEWHERE)
_BORDER = (_S.ON_TRIP, _S.AVAILABLE, _S.NON_OPERATIONAL, _S.RESERVED)
_SILENCE = frozenset({_S.NON_CONTACTABLE, _S.MISSING})
_RIDING = frozenset({RentalState.ON_TRIP, RentalState.PAUSED, RentalState.ENDING})
_RIDES = frozenset({_S.ON_TRIP, _S.STOPPED})

# Of two ways of one length the first in this order is taken: rides before silence.
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
        (_S.ON_TRIP, _S.ELSEWHERE): {None: "trip_leave_jurisdiction"},
        (_S.ELSEWHERE, _S.ON_TRIP): {None: "trip_enter_jurisdiction"},
        (_S.ELSEWHERE, _S.REMOVED): _PICK_UPS,
        (_S.REMOVED, _S.AVAILABLE): _DROP_OFFS,
        **{
            (silent, heard): {None: event}
            for silent, event in ((_S.NON_CONTACTABLE, "comms_restored"), (_S.MISSING, "located"))
            for heard in _STREET
        },
        (_S.NON_CONTACTABLE, _S.REMOVED): _REMOVED_FROM_SILENCE,
        (_S.MISSING, _S.REMOVED): {**_REMOVED_FROM_SILENCE, None: "located"},
        (_S.NON_CONTACTABLE, _S.MISSING): {None: "not_located"},
        **{(heard, _S.NON_CONTACTABLE): {None: "comms_lost"} for heard in (*_STREET, _S.REMOVED)},
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
        **{(here, _S.ELSEWHERE): {None: "trip_leave_jurisdiction"} for here in _BORDER},
        **{(_S.ELSEWHERE, here): {None: "trip_enter_jurisdiction"} for here in _BORDER},
        **{
            (heard, _S.NON_CONTACTABLE): {None: "comms_lost"}
            for heard in _S
            if heard not in _SILENCE
        },
        **{
            (_S.NON_CONTACTABLE, heard): {None: "comms_restored"}
            for heard in _S
            if heard not in _SILENCE
        },
    },
}


def mds_state(condition: Condition) -> MdsState:
    """The public state of a vehicle: life first, then contact, the border, the rider, the blocks.

    A vehicle heard late is still told as it was; only one lost counts as out of contact.
    """
    mode = MODES[condition.kind]
    if condition.life in _REMOVED_LIVES:
        return MdsState.REMOVED
    if condition.life in _LOST_LIVES:
        return MdsState.MISSING if mode is Mode.MICROMOBILITY else MdsState.NON_CONTACTABLE
    if condition.link == LinkState.LOST:
        return MdsState.NON_CONTACTABLE
    if condition.outside:
        return MdsState.ELSEWHERE
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
    riding = before.rental in _RIDING or after.rental in _RIDING
    states = _route(mode, mds_state(before), mds_state(after), riding=riding)
    causes = _causes(before, after, reason)
    silent = LinkState.LOST in (before.link, after.link)
    inner = states[1:-1]
    return tuple(
        _through_silence(edge)
        if not silent and MdsState.NON_CONTACTABLE in {*edge} & {*inner}
        else _event(EDGES[mode][edge], causes)
        for edge in pairwise(states)
    )


def _through_silence(edge: tuple[MdsState, MdsState]) -> str:
    """The event of passing `non_contactable` on a vehicle that we hear all the time."""
    return "not_located" if edge[1] is MdsState.MISSING else UNSPECIFIED


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
def _route(mode: Mode, start: MdsState, goal: MdsState, *, riding: bool) -> tuple[MdsState, ...]:
    """The shortest honest way through the mode's changes.

    It passes no ride where nobody rode, and no silence but where the mode has no other way.
    """
    ends = {start, goal}
    closed = {MdsState.REMOVED, MdsState.ELSEWHERE, *_SILENCE} | (set() if riding else _RIDES)
    passable = ends | (set(MdsState) - closed)
    if ends & {MdsState.MISSING, MdsState.ELSEWHERE} and mode is Mode.MICROMOBILITY:
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
