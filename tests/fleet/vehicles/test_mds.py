"""The public state and its events, held against the tables of the standard itself."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.vehicles.mds import COMPLIANCE, EDGES, EXPIRED, Condition, mds_events, mds_state
from fleet.vehicles.mds_tables import EVENTS, TABLES, MdsState, Mode, fold
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


# MDS 2.0.2, modes/micromobility.md and modes/car-share.md, "Vehicle State Events", read by the state
# an event starts from; the product's own tables are written by event.
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
    (S.ON_TRIP, "changed_geographies", (S.ON_TRIP,)),
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
    (
        S.STOPPED,
        "charging_start charging_end fueling_start fueling_end remote_start remote_end",
        (S.STOPPED,),
    ),
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


def test_both_tables_are_the_whole_tables_of_the_standard() -> None:
    for mode, table in STANDARD.items():
        assert TABLES[mode] == table, mode


@pytest.mark.parametrize(
    ("mode", "triples_", "pairs", "events"),
    # 84 of the first and 41 of the second change the state, the others keep it.
    [(Mode.MICROMOBILITY, 85, 59, 27), (Mode.CAR_SHARE, 47, 38, 24)],
)
def test_the_tables_have_the_standards_counts(
    mode: Mode, triples_: int, pairs: int, events: int
) -> None:
    table = TABLES[mode]
    assert len(table) == triples_
    assert len({(source, event) for source, event, _target in table}) == pairs
    assert len(EVENTS[mode]) == events


def test_events_of_one_change_fold_in_order() -> None:
    assert fold(Mode.MICROMOBILITY, S.ON_TRIP, ("trip_end", "battery_low")) == {S.NON_OPERATIONAL}
    assert fold(Mode.MICROMOBILITY, S.ON_TRIP, ("battery_low", "trip_end")) == set()
    assert fold(Mode.CAR_SHARE, S.RESERVED, ("reservation_stop", "trip_start")) == {S.ON_TRIP}


CONDITIONS = [
    Condition(
        kind=kind, life=life, rental=rental, link=link, blocks=frozenset(blocks), outside=outside
    )
    for kind in (Kind.SCOOTER, Kind.CAR)
    for life in LifeState
    for rental in RentalState
    for link in LinkState
    for blocks in [(), *((reason,) for reason in BlockReason), ("low_battery", "damage")]
    for outside in (False, True)
]
BY_KIND = {
    kind: [one for one in CONDITIONS if one.kind == kind] for kind in (Kind.SCOOTER, Kind.CAR)
}


def told_legally(before: Condition, after: Condition, reason: str = "") -> None:
    events = mds_events(before, after, reason=reason)
    start, goal = mds_state(before), mds_state(after)
    if start == goal:
        assert events == ()
    else:
        assert goal in fold(MODE_OF[Kind(before.kind)], start, events), (start, events, goal)


@pytest.mark.parametrize("kind", [Kind.SCOOTER, Kind.CAR])
def test_every_change_is_told_in_events_the_standard_allows(kind: Kind) -> None:
    """Every pair of conditions, blocks counted as one or none."""
    own = {
        (one.life, one.rental, one.link, bool(one.blocks), one.outside): one
        for one in BY_KIND[kind]
        if one.link != LinkState.LATE
        # Away from the street two rentals stand for all.
        and (one.life == LifeState.IN_SERVICE or one.rental in {"free", "on_trip"})
    }
    for before, after in itertools.product(own.values(), repeat=2):
        told_legally(before, after)


@settings(max_examples=60)
@given(data=st.data(), kind=st.sampled_from([Kind.SCOOTER, Kind.CAR]))
def test_any_walk_of_conditions_is_told_in_legal_events_only(
    data: st.DataObject, kind: Kind
) -> None:
    walk = data.draw(st.lists(st.sampled_from(BY_KIND[kind]), min_size=2, max_size=12))
    reasons = st.sampled_from(["", EXPIRED, COMPLIANCE, *BlockReason])
    for before, after in itertools.pairwise(walk):
        told_legally(before, after, data.draw(reasons))


@pytest.mark.parametrize("kind", [Kind.SCOOTER, Kind.CAR])
def test_no_ride_is_told_where_nobody_rode(kind: Kind) -> None:
    rides = {"trip_start", "trip_end", "trip_stop", "trip_resume"}
    parked = [
        one
        for one in BY_KIND[kind]
        if one.rental in {"free", "held", "staff"} and len(one.blocks) < 2
    ]
    for before, after in itertools.product(parked[::7], parked[::5]):
        assert not rides & {*mds_events(before, after)}, (before, after)


def test_every_edge_of_ours_is_one_of_the_standard() -> None:
    ours = {
        (mode, source, event, target)
        for mode, edges in EDGES.items()
        for (source, target), events in edges.items()
        for event in events.values()
    }
    theirs = {(mode, *triple) for mode, triples_ in STANDARD.items() for triple in triples_}
    assert ours - theirs == set()


LEFT, ENTERED = ("trip_leave_jurisdiction",), ("trip_enter_jurisdiction",)


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
        # We hear it, and it is not where it should be: nothing but `unspecified` is true.
        ("scooter", {}, {"life": "missing"}, ("unspecified", "not_located")),
        ("scooter", {"link": "lost"}, {"life": "missing", "link": "lost"}, ("not_located",)),
        ("scooter", {"life": "stolen"}, {}, ("located",)),
        ("scooter", {"life": "missing"}, {"life": "impounded"}, ("agency_pick_up",)),
        ("scooter", {"rental": "on_trip"}, {"rental": "on_trip", "outside": True}, LEFT),
        ("scooter", {"rental": "on_trip", "outside": True}, {"rental": "on_trip"}, ENTERED),
        ("scooter", {"rental": "ending", "outside": True}, {"outside": True}, ()),
        ("scooter", {}, {"outside": True}, ("unspecified", "unspecified")),
        ("scooter", {"outside": True}, {}, ("unspecified", "unspecified")),
        ("scooter", {"outside": True}, {"life": "storage"}, ("rebalance_pick_up",)),
        ("scooter", {"outside": True}, {"outside": True, "link": "lost"}, ("comms_lost",)),
        ("scooter", {"link": "lost", "outside": True}, {"outside": True}, ("comms_restored",)),
        ("car", {}, {"outside": True}, LEFT),
        ("car", {"outside": True}, {}, ENTERED),
        (
            "car",
            {"rental": "paused"},
            {"rental": "paused", "outside": True},
            ("trip_resume", *LEFT),
        ),
        (
            "car",
            {"rental": "paused", "outside": True},
            {"rental": "paused"},
            (*ENTERED, "trip_stop"),
        ),
        ("car", {}, {"life": "stolen"}, ("comms_lost",)),
        ("scooter", {}, {"blocks": frozenset({"inspection"})}, ("maintenance",)),
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


def test_a_pick_up_for_standing_wrong_is_told_as_that() -> None:
    told = mds_events(condition(), condition(life="storage"), reason=COMPLIANCE)
    assert told == ("compliance_pick_up",)
