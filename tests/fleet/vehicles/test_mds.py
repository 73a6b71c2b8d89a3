"""The public state and its events, held against the tables of the standard itself."""

import functools
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.vehicles.mds import EDGES, EXPIRED, Condition, MdsState, Mode, mds_events, mds_state
from fleet.vehicles.states import BlockReason, Kind, LifeState, LinkState, RentalState

S = MdsState
PICK_UPS = "agency_pick_up compliance_pick_up decommissioned maintenance_pick_up rebalance_pick_up"
SIX = (S.AVAILABLE, S.ELSEWHERE, S.NON_OPERATIONAL, S.ON_TRIP, S.REMOVED, S.RESERVED)


def triples(*lines: tuple[S, str, tuple[S, ...]]) -> set[tuple[S, str, S]]:
    return {
        (source, event, target)
        for source, events, targets in lines
        for event in events.split()
        for target in targets
    }


# MDS 2.0.2, modes/micromobility.md and modes/car-share.md, "State Transitions", as published.
MICROMOBILITY = triples(
    (S.AVAILABLE, PICK_UPS, (S.REMOVED,)),
    (S.AVAILABLE, "battery_low maintenance off_hours system_suspend", (S.NON_OPERATIONAL,)),
    (S.AVAILABLE, "reservation_start", (S.RESERVED,)),
    (S.AVAILABLE, "trip_start", (S.ON_TRIP,)),
    (S.AVAILABLE, "comms_lost", (S.NON_CONTACTABLE,)),
    (S.AVAILABLE, "unspecified", (S.NON_CONTACTABLE, S.NON_OPERATIONAL, S.REMOVED)),
    (S.NON_OPERATIONAL, "battery_charged maintenance on_hours system_resume", (S.AVAILABLE,)),
    (S.NON_OPERATIONAL, PICK_UPS, (S.REMOVED,)),
    (S.NON_OPERATIONAL, "comms_lost", (S.NON_CONTACTABLE,)),
    (S.NON_OPERATIONAL, "unspecified", (S.AVAILABLE, S.NON_CONTACTABLE, S.REMOVED)),
    (S.RESERVED, "reservation_cancel", (S.AVAILABLE,)),
    (S.RESERVED, "trip_start", (S.ON_TRIP,)),
    (S.RESERVED, "comms_lost unspecified", (S.NON_CONTACTABLE,)),
    (S.ON_TRIP, "trip_end trip_cancel", (S.AVAILABLE,)),
    (S.ON_TRIP, "trip_leave_jurisdiction", (S.ELSEWHERE,)),
    (S.ON_TRIP, "comms_lost unspecified", (S.NON_CONTACTABLE,)),
    (S.ELSEWHERE, "trip_enter_jurisdiction", (S.ON_TRIP,)),
    (S.ELSEWHERE, PICK_UPS, (S.REMOVED,)),
    (S.ELSEWHERE, "unspecified", (S.REMOVED, S.NON_CONTACTABLE)),
    (S.ELSEWHERE, "comms_lost", (S.NON_CONTACTABLE,)),
    (S.REMOVED, "agency_drop_off provider_drop_off", (S.AVAILABLE,)),
    (S.REMOVED, "comms_lost unspecified", (S.NON_CONTACTABLE,)),
    (S.NON_CONTACTABLE, "comms_restored unspecified", SIX),
    (S.NON_CONTACTABLE, "not_located unspecified", (S.MISSING,)),
    (S.NON_CONTACTABLE, "agency_pick_up decommissioned", (S.REMOVED,)),
    (S.NON_CONTACTABLE, "agency_drop_off provider_drop_off", (S.AVAILABLE,)),
    (S.MISSING, "located unspecified", SIX),
    (S.MISSING, "agency_pick_up decommissioned", (S.REMOVED,)),
    (S.MISSING, "agency_drop_off provider_drop_off", (S.AVAILABLE,)),
)
CANCELS = "customer_cancellation driver_cancellation provider_cancellation"
SEVEN = tuple(state for state in S if state not in {S.NON_CONTACTABLE, S.MISSING})
CAR_SHARE = triples(
    (S.AVAILABLE, "reservation_start", (S.RESERVED,)),
    (S.AVAILABLE, "service_end", (S.NON_OPERATIONAL,)),
    (S.AVAILABLE, "trip_leave_jurisdiction", (S.ELSEWHERE,)),
    (S.RESERVED, CANCELS, (S.AVAILABLE,)),
    (S.RESERVED, "reservation_stop", (S.STOPPED,)),
    (S.RESERVED, "trip_leave_jurisdiction", (S.ELSEWHERE,)),
    (S.STOPPED, "trip_start trip_resume", (S.ON_TRIP,)),
    (S.STOPPED, f"trip_end {CANCELS}", (S.AVAILABLE,)),
    (S.ON_TRIP, "trip_stop", (S.STOPPED,)),
    (S.ON_TRIP, "trip_leave_jurisdiction", (S.ELSEWHERE,)),
    (S.NON_OPERATIONAL, "service_start", (S.AVAILABLE,)),
    (S.NON_OPERATIONAL, "trip_leave_jurisdiction", (S.ELSEWHERE,)),
    (S.NON_OPERATIONAL, "maintenance maintenance_pick_up decommissioned", (S.REMOVED,)),
    (S.REMOVED, "maintenance_end recommissioned", (S.NON_OPERATIONAL,)),
    (
        S.ELSEWHERE,
        "trip_enter_jurisdiction",
        (S.AVAILABLE, S.NON_OPERATIONAL, S.ON_TRIP, S.RESERVED),
    ),
    *((state, "comms_lost", (S.NON_CONTACTABLE,)) for state in SEVEN),
    (S.NON_CONTACTABLE, "comms_restored", SEVEN),
)
STANDARD = {Mode.MICROMOBILITY: MICROMOBILITY, Mode.CAR_SHARE: CAR_SHARE}
MODE_OF = {Kind.SCOOTER: Mode.MICROMOBILITY, Kind.CAR: Mode.CAR_SHARE}


def test_the_table_is_the_whole_table() -> None:
    """The counts that the standard's own pages give."""
    assert len(MICROMOBILITY) == 84
    # Without the six self-loops (charging, fuelling, remote start), which change no state.
    assert len(CAR_SHARE) == 47 - 6


TARGETS: dict[tuple[Mode, S, str], set[S]] = {}
for mode, table in STANDARD.items():
    for source, event, target in table:
        TARGETS.setdefault((mode, source, event), set()).add(target)


@functools.cache
def fold(mode: Mode, start: S, events: tuple[str, ...]) -> frozenset[S]:
    """Where the events can lead, read as the standard says: one after the other."""
    states = {start}
    for event in events:
        states = set().union(*(TARGETS.get((mode, state, event), set()) for state in states))
    return frozenset(states)


CONDITIONS = [
    Condition(kind=kind, life=life, rental=rental, link=link, blocks=frozenset(blocks))
    for kind in (Kind.SCOOTER, Kind.CAR)
    for life in LifeState
    for rental in RentalState
    for link in LinkState
    for blocks in [(), *((reason,) for reason in BlockReason), ("low_battery", "damage")]
]
REPRESENTATIVES = {
    (
        condition.kind,
        condition.life,
        condition.rental,
        condition.link,
        len(condition.blocks),
    ): condition
    for condition in CONDITIONS
}


@pytest.mark.parametrize("kind", [Kind.SCOOTER, Kind.CAR])
def test_every_change_is_told_in_events_the_standard_allows(kind: Kind) -> None:
    own = [
        condition
        for condition in REPRESENTATIVES.values()
        if condition.kind == kind and condition.link != LinkState.LATE
    ]
    for before, after in itertools.product(own, own):
        start, goal = mds_state(before), mds_state(after)
        events = mds_events(before, after)
        if start == goal:
            assert events == ()
        else:
            assert goal in fold(MODE_OF[kind], start, events), (start, events, goal)


@given(before=st.sampled_from(CONDITIONS), after=st.sampled_from(CONDITIONS), late=st.booleans())
def test_any_reason_is_allowed_too(before: Condition, after: Condition, late: bool) -> None:
    if before.kind != after.kind:
        return
    events = mds_events(before, after, reason=EXPIRED if late else "")
    start, goal = mds_state(before), mds_state(after)
    assert start == goal or goal in fold(MODE_OF[Kind(before.kind)], start, events)


def test_every_edge_of_ours_is_one_of_the_standard() -> None:
    ours = {
        (mode, source, event, target)
        for mode, edges in EDGES.items()
        for (source, target), events in edges.items()
        for event in events.values()
    }
    theirs = {(mode, *triple) for mode, triples_ in STANDARD.items() for triple in triples_}
    assert ours - theirs == set()


def condition(kind: str = "scooter", **axes: object) -> Condition:
    usual = {"life": "in_service", "rental": "free", "link": "online", "blocks": frozenset()}
    return Condition(kind=kind, **{**usual, **axes})


@pytest.mark.parametrize(
    ("kind", "before", "after", "events"),
    [
        ("scooter", {}, {"rental": "held"}, ("reservation_start",)),
        ("scooter", {"rental": "starting"}, {"rental": "on_trip"}, ("trip_start",)),
        ("scooter", {"rental": "on_trip"}, {"rental": "paused"}, ()),
        ("scooter", {"rental": "ending"}, {}, ("trip_end",)),
        (
            "scooter",
            {"rental": "ending", "blocks": frozenset({"low_battery"})},
            {"blocks": frozenset({"low_battery"})},
            ("trip_end", "battery_low"),
        ),
        ("bicycle", {}, {"blocks": frozenset({"damage"})}, ("maintenance",)),
        ("bicycle", {"blocks": frozenset({"off_hours"})}, {}, ("on_hours",)),
        ("scooter", {}, {"life": "impounded"}, ("agency_pick_up",)),
        ("scooter", {"life": "impounded"}, {}, ("agency_drop_off",)),
        ("scooter", {"life": "workshop"}, {}, ("provider_drop_off",)),
        ("scooter", {}, {"life": "missing"}, ("comms_lost", "not_located")),
        ("scooter", {"rental": "staff"}, {"life": "storage"}, ("rebalance_pick_up",)),
        ("car", {"rental": "starting"}, {"rental": "on_trip"}, ("reservation_stop", "trip_start")),
        ("car", {"rental": "on_trip"}, {"rental": "paused"}, ("trip_stop",)),
        ("car", {"rental": "paused"}, {"rental": "on_trip"}, ("trip_resume",)),
        ("car", {"rental": "ending"}, {}, ("trip_end",)),
        ("car", {"rental": "held"}, {}, ("customer_cancellation",)),
        ("car", {}, {"life": "workshop"}, ("service_end", "maintenance_pick_up")),
        ("car", {"life": "workshop"}, {}, ("maintenance_end", "service_start")),
        ("car", {}, {"life": "missing"}, ("comms_lost",)),
    ],
)
def test_the_usual_days(
    kind: str, before: dict[str, object], after: dict[str, object], events: tuple[str, ...]
) -> None:
    assert mds_events(condition(kind, **before), condition(kind, **after)) == events


def test_a_hold_that_ran_out_is_not_the_customers_doing() -> None:
    held, free = condition("car", rental="held"), condition("car")
    assert mds_events(held, free, reason=EXPIRED) == ("provider_cancellation",)
