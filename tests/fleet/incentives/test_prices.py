"""What a rider may be given: never more than the share, the largest reward, or a van."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.incentives.rules.places import HUB_RADIUS_M, at_place, in_cell, outline
from fleet.incentives.rules.prices import (
    STEP_CENTS,
    Terms,
    additional,
    move_cents,
    reward_cents,
    swap_cents,
)
from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.rules.parameters import Parameters

money = st.floats(-500.0, 5_000.0)
costs = st.floats(1.0, 2_000.0)
decisions = st.builds(
    Terms,
    share_pct=st.integers(1, 100),
    least_cents=st.integers(1, 200),
    most_cents=st.integers(200, 600),
)


@settings(max_examples=60)
@given(value=money, van=costs, terms=decisions)
def test_a_reward_keeps_within_every_limit(value, van, terms):
    cents = reward_cents(value_cents=value, van_cents=van, terms=terms)
    if not cents:
        return
    assert cents < van
    assert cents <= value * terms.share_pct / 100 + 1e-6
    assert terms.least_cents <= cents <= terms.most_cents
    assert cents % STEP_CENTS == 0


@settings(max_examples=60)
@given(value=money, more=st.floats(0.0, 500.0), van=costs, terms=decisions)
def test_what_is_worth_more_never_pays_less(value, more, van, terms):
    lower = reward_cents(value_cents=value, van_cents=van, terms=terms)
    assert reward_cents(value_cents=value + more, van_cents=van, terms=terms) >= lower


@settings(max_examples=60)
@given(value=costs, van=costs, terms=decisions)
def test_nothing_is_kept_back_without_a_reason(value, van, terms):
    """One step more would break a limit."""
    cents = reward_cents(value_cents=value, van_cents=van, terms=terms)
    more = (cents or (math.ceil(terms.least_cents / STEP_CENTS) - 1) * STEP_CENTS) + STEP_CENTS
    assert more > value * terms.share_pct / 100 - 1e-9 or more >= van or more > terms.most_cents


def test_who_would_have_done_it_anyway_gains_nobody_anything():
    assert additional(value_trips=2.0, usual_share=1.0) == 0.0
    assert additional(value_trips=2.0, usual_share=0.25) == 1.5


def test_a_van_shares_its_stops_and_its_way_by_what_it_carries():
    crew = Parameters(
        stop_minutes=3.0,
        handling_minutes=1.0,
        swap_minutes=2.0,
        crew_cents_per_hour=6_000,
        detour=1.0,
        van_speed_kmh=20.0,
    )
    assert move_cents(parameters=crew, km=2.0, together=1) == (6.0 + 6.0 + 2.0) * 100
    assert move_cents(parameters=crew, km=2.0, together=3) == (12.0 / 3 + 2.0) * 100
    assert swap_cents(parameters=crew, km=2.0, together=1) == (3.0 + 6.0 + 2.0) * 100


def test_a_place_is_its_cell_and_what_a_position_may_be_wrong_by():
    cell = cell_at(lon=9.2050, lat=45.4510)
    assert in_cell(cell=cell, lon=9.2050, lat=45.4510)
    corner_lon, corner_lat = max(outline(cell))
    metre = 1 / (111_320 * math.cos(math.radians(corner_lat)))
    assert in_cell(cell=cell, lon=corner_lon + 20 * metre, lat=corner_lat)
    assert not in_cell(cell=cell, lon=corner_lon + 60 * metre, lat=corner_lat)


def test_a_hub_is_meant_itself_and_not_all_around_it():
    cell = cell_at(lon=9.2050, lat=45.4510)
    high = 1 / 111_320
    hub = (9.2050, 45.4510)
    near = 45.4510 + (HUB_RADIUS_M - 5) * high
    assert at_place(cell=cell, lon=9.2050, lat=near, hub=hub)
    assert not at_place(cell=cell, lon=9.2050, lat=near + 10 * high, hub=hub)
