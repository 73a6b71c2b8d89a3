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

STEPS_PER_HOUR = 30


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
    vehicles park next door). Backward recursion in steps of two minutes or less, all places and
    all stocks at once.
    """
    places, hours = departures.shape
    stock = np.arange(highest + 1)
    room = (stock[:, None] < capacity[None, :]).astype(np.float64)
    losses = np.zeros((highest + 1, places))
    for hour in range(hours - 1, -1, -1):
        leave, come = departures[:, hour], arrivals[:, hour]
        steps = max(STEPS_PER_HOUR, int(np.ceil(2.0 * float((leave + come).max(initial=0.0)))))
        _one_hour(
            losses,
            leave=leave / steps,
            come=come / steps * room,
            turned_away=come / steps * (1.0 - room) * lost_arrival,
            steps=steps,
        )
    return np.ascontiguousarray(losses.T)


def _one_hour(
    losses: Floats, *, leave: Floats, come: Floats, turned_away: Floats, steps: int
) -> None:
    """`losses` goes back one hour in place; rates are per step, at most 1/2 in all."""
    gain = np.empty_like(losses[1:])
    loss_now = leave.copy()
    change = np.empty_like(losses)
    for _ in range(steps):
        np.subtract(losses[1:], losses[:-1], out=gain)
        np.multiply(come[:-1], gain, out=change[:-1])
        change[-1] = 0.0
        gain *= leave
        change[1:] -= gain
        change[0] += loss_now
        change += turned_away
        losses += change


def marginal_gains(losses: Floats) -> Floats:
    """Trips saved by each further vehicle, (place, vehicle 1..highest), never rising."""
    gains = losses[:, :-1] - losses[:, 1:]
    return np.minimum.accumulate(np.maximum(gains, 0.0), axis=1)
