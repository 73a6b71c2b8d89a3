"""Sharing out a site's current: never above the limit, minimum or nothing, earliest deadline first."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from charging.energy.rules import (
    MIN_DA,
    Want,
    allocate,
    current_of_watts,
    level,
    max_current_da,
    static_shares,
    step,
    watts,
)
from tests.charging.fixtures import NOON

DEADLINES = st.none() | st.integers(0, 600).map(lambda minutes: NOON + timedelta(minutes=minutes))


@st.composite
def some_wants(draw: st.DrawFn) -> list[Want]:
    count = draw(st.integers(0, 8))
    return [
        Want(
            key=key,
            max_da=draw(st.integers(0, 800)),
            ready_by=draw(DEADLINES),
            priority=draw(st.sampled_from([1, 5, 9])),
            started_at=NOON - timedelta(minutes=draw(st.integers(0, 60))),
        )
        for key in range(count)
    ]


LIMITS = st.integers(0, 2000)


@settings(max_examples=60)
@given(limit=LIMITS, wants=some_wants())
def test_the_limit_holds_and_each_gets_its_minimum_or_nothing(
    limit: int, wants: list[Want]
) -> None:
    given_ = allocate(limit_da=limit, wants=wants)
    assert sum(given_.values()) <= limit
    for want in wants:
        assert given_[want.key] == 0 or want.min_da <= given_[want.key] <= want.max_da


@settings(max_examples=60)
@given(limit=LIMITS, wants=some_wants())
def test_nothing_is_left_lying_while_somebody_served_can_take_it(
    limit: int, wants: list[Want]
) -> None:
    given_ = allocate(limit_da=limit, wants=wants)
    free = limit - sum(given_.values())
    room = any(0 < given_[want.key] < want.max_da for want in wants)
    # Equal shares are whole tenths: less than one for each may stay.
    assert free == 0 or not room or free < len(wants)


@settings(max_examples=60)
@given(limit=LIMITS, first=some_wants(), most=st.integers(MIN_DA, 800))
def test_of_two_alike_the_earlier_deadline_never_gets_less(
    limit: int, first: list[Want], most: int
) -> None:
    pair = [
        Want(key=key, max_da=most, ready_by=NOON + timedelta(hours=key), started_at=NOON)
        for key in (100, 101)
    ]
    given_ = allocate(limit_da=limit, wants=[*first, *pair])
    assert given_[100] >= given_[101]


@settings(max_examples=60)
@given(limit=LIMITS, more=st.integers(0, 500), wants=some_wants())
def test_a_higher_limit_serves_no_fewer_and_gives_no_less_in_all(
    limit: int, more: int, wants: list[Want]
) -> None:
    little, much = (allocate(limit_da=total, wants=wants) for total in (limit, limit + more))
    assert sum(much.values()) >= sum(little.values()) - len(wants)
    assert {key for key, value in little.items() if value} <= {
        key for key, value in much.items() if value
    }


@settings(max_examples=60)
@given(limit=LIMITS, most=st.dictionaries(st.integers(0, 20), st.integers(0, 800), max_size=10))
def test_static_shares_never_exceed_the_limit_and_are_fair(
    limit: int, most: dict[int, int]
) -> None:
    shares = static_shares(limit_da=limit, most=most)
    assert sum(shares.values()) <= limit
    assert all(0 <= shares[key] <= most[key] for key in most)
    # Nobody gets less than another who could not take more either, where all can charge.
    if (
        most
        and limit >= sum(min(MIN_DA, value) for value in most.values())
        and min(most.values()) >= MIN_DA
    ):
        assert (
            max(shares.values()) - min(shares.values())
            <= max(most.values()) - min(most.values()) + 1
        )
        assert min(shares.values()) >= MIN_DA


@settings(max_examples=60)
@given(
    limit=LIMITS,
    places=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=8),
)
def test_the_limit_holds_on_the_way_whoever_answers_first(
    limit: int, places: list[tuple[int, int]]
) -> None:
    """From holds within the limit to targets within it, no step lets both exceed it together."""
    order = list(range(len(places)))
    holds = level(total=limit, room={key: hold for key, (hold, _target) in enumerate(places)})
    targets = level(total=limit, room={key: target for key, (_hold, target) in enumerate(places)})
    for _round in range(3):
        sent = step(targets=targets, holds=holds, budget_da=limit, order=order)
        # Whoever was told to go down may not have heard yet; whoever may go up may have.
        assert sum(max(holds[key], sent[key]) for key in order) <= limit
        holds = sent
    for key in order:
        assert holds[key] <= targets[key]


def test_units() -> None:
    assert max_current_da(power_w=22_080, power_type="AC_3_PHASE") == 320
    assert max_current_da(power_w=3_680, power_type="AC_1_PHASE") == 160
    assert watts(current_da=160, power_type="AC_3_PHASE") == 11_040
    assert watts(current_da=160, power_type="AC_1_PHASE") == 3_680
    assert current_of_watts(power_w=22_080) == 320
    # What a DC charger is given is less than what it draws.
    drawn = max_current_da(power_w=50_000, power_type="DC")
    assert watts(current_da=drawn, power_type="DC") >= 49_900
