"""After the search: nothing rides around for nothing, and no limit breaks for it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.rebalancing.rules.draft import draft_plan, worth_a_stop
from fleet.rebalancing.rules.offers import Offer
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.quantities import evened_out
from fleet.rebalancing.rules.routing import routing_problem
from fleet.rebalancing.rules.situation import Demand, Situation, VehicleAt
from fleet.rebalancing.rules.vans import VanNow
from fleet.rebalancing.solver.problem import judge
from fleet.rebalancing.solver.search import Effort

PLACES = 8
WISHES = Parameters(vans=2, van_capacity=8, shift_minutes=120, margin_cents={"scooter": 300})


def town(seed, *, bays=None):
    """Eight places on a street, scooters where chance left them, demand where it wants."""
    chance = np.random.default_rng(seed)
    standing = chance.integers(0, PLACES, 24)
    lon = 9.10 + 0.01 * np.arange(PLACES)
    return Situation(
        cells=np.arange(PLACES),
        lon=lon,
        lat=np.full(PLACES, 45.46),
        vehicles=tuple(
            VehicleAt(
                vehicle_id=number, kind="scooter", place=int(place), lon=float(lon[place]),
                lat=45.46, battery_pct=80, usable=True, movable=True,
            )
            for number, place in enumerate(standing)
        ),
        demand={
            "scooter": Demand(
                departures=np.tile(chance.gamma(0.5, 0.6, (PLACES, 1)), (1, 12)),
                arrivals=np.full((PLACES, 12), 0.05),
                capacity=np.full(PLACES, 30),
            )
        },
        depot_lon=9.13,
        depot_lat=45.47,
        bays=bays,
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 5_000), aboard=st.integers(0, 5), room=st.integers(0, 6))
def test_all_that_is_loaded_is_put_down_and_finds_room(seed, aboard, room):
    """Vans that carry some already; every place has room for a few more."""
    situation = town(seed, bays=np.full(PLACES, room))
    vans = tuple(
        VanNow(lon=9.13, lat=45.47, aboard={"scooter": count}, begun=False) for count in (aboard, 0)
    )
    draft = draft_plan(
        situation=situation, parameters=WISHES, effort=Effort(rounds=400, seed=seed), vans=vans
    )
    brought = np.zeros(PLACES)
    for van, start in enumerate((aboard, 0)):
        load, taken = start, 0
        for task in (each for each in draft.tasks if each.van == van):
            if task.kind == "move_pickup":
                load, taken = load + 1, taken + 1
            elif task.kind == "move_dropoff":
                load -= task.quantity
                brought[task.cell] += task.quantity
            assert 0 <= load <= WISHES.van_capacity
        # What is left over was there before, and nothing was taken that nobody wants.
        assert load <= start
    assert (brought <= room).all()


def test_who_takes_more_than_is_wanted_leaves_it_standing():
    situation = town(1)
    found = [
        Offer(kind="scooter", place=0, change=4, gain=-0.4, stock=9, target=5),
        Offer(kind="scooter", place=3, change=-1, gain=2.0, stock=0, target=4),
        Offer(kind="scooter", place=3, change=-3, gain=3.0, stock=0, target=4),
    ]

    def rebuild(stops):
        return routing_problem(situation=situation, parameters=WISHES, found=stops)

    problem = rebuild(found)
    stops, again, routes = evened_out(
        found=found, problem=problem, routes=[[1, 2], []], parameters=WISHES, rebuild=rebuild
    )
    # Three more find takers where the van is anyway.
    assert [stops[stop - 1].change for stop in routes[0]] == [4, -1, -3]
    assert judge(again, routes=routes).net_cost < judge(problem, routes=[[1, 2], []]).net_cost
    nobody = found[:2]
    stops, again, routes = evened_out(
        found=nobody,
        problem=rebuild(nobody),
        routes=[[1, 2], []],
        parameters=WISHES,
        rebuild=rebuild,
    )
    assert [stops[stop - 1].change for stop in routes[0]] == [1, -1]
    assert stops[0].gain == pytest.approx(-0.1)


def test_a_pick_up_for_nothing_is_left_out():
    situation = town(1)
    found = [Offer(kind="scooter", place=0, change=4, gain=0.0, stock=9, target=5)]

    def rebuild(stops):
        return routing_problem(situation=situation, parameters=WISHES, found=stops)

    _stops, _again, routes = evened_out(
        found=found, problem=rebuild(found), routes=[[1], []], parameters=WISHES, rebuild=rebuild
    )
    assert routes == [[], []]
    assert worth_a_stop(situation=situation, parameters=WISHES)
