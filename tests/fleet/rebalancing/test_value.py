"""What a vehicle is worth at a place: checked against a chain computed another way, and chance."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.rebalancing.rules.allocation import moves, targets
from fleet.rebalancing.rules.value import expected_losses, marginal_gains

rates = st.floats(0.0, 8.0)


def losses_of(leave, come, *, capacity=6, highest=6, lost_arrival=0.0):
    return expected_losses(
        departures=np.array([leave]),
        arrivals=np.array([come]),
        capacity=np.array([capacity]),
        highest=highest,
        lost_arrival=lost_arrival,
    )[0]


def chain_losses(leave, come, *, capacity, lost_arrival):
    """The same expectation forwards: the distribution of the stock, in very small steps."""
    steps = 2_000
    result = []
    for start in range(capacity + 1):
        chance = np.zeros(capacity + 1)
        chance[start] = 1.0
        lost = 0.0
        for out, back in zip(leave, come, strict=True):
            step = np.zeros((capacity + 1, capacity + 1))
            for stock in range(capacity + 1):
                down, up = out / steps * (stock > 0), back / steps * (stock < capacity)
                step[stock, stock] += 1.0 - down - up
                if stock > 0:
                    step[stock, stock - 1] += down
                if stock < capacity:
                    step[stock, stock + 1] += up
            for _ in range(steps):
                lost += chance[0] * out / steps + chance[-1] * back / steps * lost_arrival
                chance = chance @ step
        result.append(lost)
    return np.array(result)


@pytest.mark.parametrize("lost_arrival", [0.0, 1.0])
def test_losses_agree_with_the_chain_run_forwards(lost_arrival):
    leave, come = [3.0, 0.5, 1.0], [0.5, 2.0, 0.0]
    ours = losses_of(leave, come, lost_arrival=lost_arrival)
    other = chain_losses(leave, come, capacity=6, lost_arrival=lost_arrival)
    assert ours == pytest.approx(other, rel=0.02, abs=0.01)


def test_losses_agree_with_chance():
    """20,000 mornings at a place with two scooters: 4 riders come in the hour, 1 returns."""
    chance = np.random.default_rng(7)
    lost = 0
    for _ in range(20_000):
        riders, returns = chance.poisson(4.0), chance.poisson(1.0)
        stock = 2
        for rider in chance.permutation([True] * riders + [False] * returns):
            if not rider:
                stock += 1
            elif stock > 0:
                stock -= 1
            else:
                lost += 1
    ours = losses_of([4.0], [1.0], capacity=50, highest=10)[2]
    assert ours == pytest.approx(lost / 20_000, rel=0.03)


@settings(max_examples=60, deadline=None)
@given(
    leave=st.lists(rates, min_size=1, max_size=6),
    come=st.lists(rates, min_size=6, max_size=6),
)
def test_more_vehicles_never_lose_more_and_each_gains_less(leave, come):
    losses = losses_of(leave, come[: len(leave)], capacity=20, highest=8)
    gains = losses[:-1] - losses[1:]
    assert (losses >= -1e-9).all()
    assert (gains >= -1e-9).all()
    assert (np.diff(gains) <= 1e-6).all()
    assert losses[0] <= sum(leave) + 1e-6


def test_fast_hours_stay_stable():
    """A station exchange of 200 trips an hour must not make the recursion explode."""
    losses = losses_of([200.0], [150.0], capacity=60, highest=60)
    assert np.isfinite(losses).all()
    assert losses[0] == pytest.approx(50.0, rel=0.15)


@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    places=st.integers(1, 4),
    fleet=st.integers(0, 8),
)
def test_sharing_out_by_marginal_gain_is_the_best_of_all(data, places, fleet):
    leave = [data.draw(st.lists(rates, min_size=2, max_size=2)) for _ in range(places)]
    losses = expected_losses(
        departures=np.array(leave),
        arrivals=np.zeros((places, 2)),
        capacity=np.full(places, 20),
        highest=8,
    )
    shared = targets(losses=losses, fleet=fleet)
    ways = (way for way in itertools.product(range(9), repeat=places) if sum(way) <= fleet)
    best = min(losses[range(places), way].sum() for way in ways)
    assert shared.sum() <= fleet
    assert losses[range(places), shared].sum() == pytest.approx(best, abs=1e-6)


def test_moves_carry_their_own_part_of_the_gain():
    losses = expected_losses(
        departures=np.array([[6.0], [0.0]]),
        arrivals=np.zeros((2, 1)),
        capacity=np.array([30, 30]),
        highest=12,
    )
    found = moves(
        losses=losses,
        stock=np.array([0, 9]),
        target=np.array([9, 0]),
        movable=np.array([0, 7]),
        largest=4,
    )
    brought = [move for move in found if move.place == 0]
    taken = [move for move in found if move.place == 1]
    assert [move.change for move in brought] == [-4, -4, -1]
    assert brought[0].gain > brought[1].gain > brought[2].gain > 0
    assert sum(move.gain for move in brought) == pytest.approx(losses[0, 0] - losses[0, 9])
    # Two of the nine are rented or reserved: a crew may take seven.
    assert [move.change for move in taken] == [4, 3]
    assert sum(move.gain for move in taken) == pytest.approx(0.0)


def test_marginal_gains_never_rise():
    gains = marginal_gains(np.array([[5.0, 4.0, 2.0, 2.0]]))
    assert gains.tolist() == [[1.0, 1.0, 0.0]]
