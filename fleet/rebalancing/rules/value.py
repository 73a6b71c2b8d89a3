"""What a vehicle more or less at a place is worth: the user dissatisfaction function.

Stock at a place is a birth-death chain with rates that change by the hour: departures take a
vehicle, arrivals bring one. Losses are departures that meet an empty place and, where parking is
limited and matters, arrivals that meet a full one (Raviv and Kolka 2013; Schuijbroek, Hampshire
and van Hoeve 2017). Places are taken as independent: a user who walks to the next place is not
seen, so gains are rather high than low; the score of the next day tells by how much.
"""

from __future__ import annotations

import numpy as np

from fleet.rebalancing.solver.problem import Floats, Ints

STEPS_PER_HOUR = 20


def expected_losses(
    *,
    departures: Floats,
    arrivals: Floats,
    capacity: Ints,
    highest: int,
    lost_arrival: float = 0.0,
) -> Floats:
    """Expected losses, (place, stock 0..highest), from now to the end of the given hours.

    `departures` and `arrivals` are rates per hour, (place, hour); `capacity` is the stock above
    which arrivals no longer stay; each of those counts `lost_arrival` (0 where free-floating
    vehicles park next door). Backward recursion in steps of three minutes or less, second order,
    all places and all stocks at once.
    """
    stock = np.arange(highest + 1)
    room = (stock[:, None] < capacity[None, :]).astype(np.float64)
    losses = np.zeros((highest + 1, departures.shape[0]))
    for hour in range(departures.shape[1] - 1, -1, -1):
        leave, come = departures[:, hour], arrivals[:, hour]
        steps = max(STEPS_PER_HOUR, int(np.ceil(2.0 * float((leave + come).max(initial=0.0)))))
        lost = come / steps * (1.0 - room) * lost_arrival
        lost[0] += leave / steps
        _one_hour(losses, leave=leave / steps, come=come / steps * room, lost=lost, steps=steps)
    return np.ascontiguousarray(losses.T)


def _one_hour(losses: Floats, *, leave: Floats, come: Floats, lost: Floats, steps: int) -> None:
    """Take `losses` one hour back in place; rates are per step, at most 1/2 in all.

    The hour is linear with constant rates, so x + f(x) + f'(f(x)) / 2 is the second-order step.
    """
    first, second, gain = (np.empty_like(losses) for _ in range(3))
    for _ in range(steps):
        _drift(losses, leave=leave, come=come, out=first, gain=gain)
        first += lost
        _drift(first, leave=leave, come=come, out=second, gain=gain)
        second *= 0.5
        losses += first
        losses += second


def _drift(values: Floats, *, leave: Floats, come: Floats, out: Floats, gain: Floats) -> None:
    """How an expectation over the stock changes by departures and arrivals."""
    np.subtract(values[1:], values[:-1], out=gain[1:])
    np.multiply(come[:-1], gain[1:], out=out[:-1])
    out[-1] = 0.0
    gain[1:] *= leave
    out[1:] -= gain[1:]


def marginal_gains(losses: Floats) -> Floats:
    """Trips saved by each further vehicle, (place, vehicle 1..highest), never rising."""
    gains = losses[:, :-1] - losses[:, 1:]
    return np.minimum.accumulate(np.maximum(gains, 0.0), axis=1)
