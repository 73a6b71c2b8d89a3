"""Where the real fleet should stand, and which moves lead there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.rebalancing.rules.value import marginal_gains
from fleet.rebalancing.solver.problem import Floats, Ints


@dataclass(frozen=True, kw_only=True)
class Move:
    """`change` vehicles taken (> 0) or brought (< 0) at a place, for `gain` expected trips."""

    place: int
    change: int
    gain: float
    stock: int  # of the place before any move
    target: int


def targets(*, losses: Floats, fleet: int, most: Ints | None = None) -> Ints:
    """Stock of each place when `fleet` vehicles go one by one where the next one gains most.

    Unconstrained optima ask for more vehicles than a city has, so the fleet that exists is shared
    out; losses are convex in the stock, which makes the greedy choice the best one. Vehicles
    beyond what gains anything are left out (the sum may be below `fleet`). No place gets more than
    `most`.
    """
    gains = marginal_gains(losses)
    if most is not None:
        gains[np.arange(gains.shape[1])[None, :] >= most[:, None]] = 0.0
    order = np.argsort(-gains, axis=None, kind="stable")[: max(0, fleet)]
    chosen = order[gains.flat[order] > 1e-9]
    return np.bincount(chosen // gains.shape[1], minlength=losses.shape[0])


def moves(*, losses: Floats, stock: Ints, target: Ints, movable: Ints, largest: int) -> list[Move]:
    """Cut the difference between stock and target into moves of at most `largest` vehicles.

    Each move carries its own part of the place's gain curve, so the first vehicles brought are
    worth most; a pick-up never takes more than `movable`, and costs trips (gain <= 0) where the
    place would have used them.
    """
    result = []
    for place in np.flatnonzero(stock != target):
        have, want = int(stock[place]), int(target[place])
        if want < have:
            want = have - min(have - want, int(movable[place]))
        while have != want:
            step = int(np.clip(want - have, -largest, largest))
            gain = float(_at(losses[place], have) - _at(losses[place], have + step))
            result.append(
                Move(
                    place=int(place), change=-step, gain=gain, stock=int(stock[place]), target=want
                )
            )
            have += step
    return result


def _at(curve: Floats, stock: int) -> float:
    """Losses at a stock; beyond the table another vehicle changes nothing."""
    return float(curve[min(stock, curve.size - 1)])
