"""Stops that would be worth something: moves of vehicles, and swaps of batteries."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from fleet.rebalancing.rules.allocation import moves, targets
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import Situation, VehicleAt
from fleet.rebalancing.rules.value import expected_losses
from fleet.rebalancing.solver.problem import Floats, Ints

MOST_STOCK = 60


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One possible stop of a van.

    `gain` is in expected trips within the horizon, and may be below zero for a pick-up; `credit` is
    in trips too, for what falls due anyway.
    """

    kind: str
    place: int
    change: int  # > 0 onto the van
    gain: float
    stock: int
    target: int
    flat: tuple[VehicleAt, ...] = ()  # vehicles whose battery is swapped
    credit: float = 0.0
    vehicle: VehicleAt | None = None  # the very one that a pick-up is about
    workshop: bool = False  # it goes to the depot and no place
    forced: bool = False  # to be done whatever it brings
    task_id: int | None = None  # of the task that stands for it already

    @property
    def trips(self) -> float:
        """What the stop is worth, in trips."""
        return self.gain + self.credit

    @property
    def swaps(self) -> bool:
        """Whether this stop swaps batteries, instead of moving vehicles."""
        return bool(self.flat)


def offers(*, situation: Situation, parameters: Parameters) -> list[Offer]:
    """All stops worth thinking about, of every kind of vehicle.

    1. Losses of every place and stock. 2. The fleet shared out by marginal gain. 3. Moves of at
    most half a van, swaps of at most half the packs, each with its own part of the gain curve.
    """
    found = []
    for kind in parameters.kinds:
        demand = situation.demand.get(kind)
        if demand is None:
            continue
        stock = situation.stock(kind=kind)
        losses = expected_losses(
            departures=demand.departures,
            arrivals=demand.arrivals,
            capacity=demand.capacity,
            highest=max(MOST_STOCK, int(stock.max(initial=0)) + 1),
        )
        target = targets(losses=losses, fleet=int(stock.sum()))
        found += [
            Offer(
                kind=kind,
                place=move.place,
                change=move.change,
                gain=move.gain,
                stock=move.stock,
                target=move.target,
            )
            for move in moves(
                losses=losses,
                stock=stock,
                target=target,
                movable=situation.movable(kind=kind),
                largest=max(1, parameters.van_capacity // 2),
            )
        ]
        flat = situation.flat(kind=kind, low_battery_pct=parameters.low_battery_pct)
        found += _booked(situation=situation, kind=kind, parameters=parameters)
        found += _to_workshop(situation=situation, kind=kind, parameters=parameters)
        standing = np.maximum(stock, target)
        found += _swaps(
            kind=kind, flat=flat, standing=standing, losses=losses, parameters=parameters
        )
    return found


def _booked(*, situation: Situation, kind: str, parameters: Parameters) -> list[Offer]:
    """Batteries for vehicles that somebody booked: a promise, whatever it brings."""
    weak = situation.booked_and_weak(kind=kind, enough_pct=parameters.booking_battery_pct)
    return [
        Offer(
            kind=kind,
            place=vehicle.place,
            change=0,
            gain=1.0,
            stock=0,
            target=0,
            flat=(vehicle,),
            forced=True,
        )
        for vehicle in weak
    ]


def _to_workshop(*, situation: Situation, kind: str, parameters: Parameters) -> list[Offer]:
    """Broken vehicles that a van may bring in on its way."""
    if parameters.workshop_trips <= 0:
        return []
    return [
        Offer(
            kind=kind,
            place=vehicle.place,
            change=1,
            gain=0.0,
            stock=0,
            target=0,
            credit=parameters.workshop_trips,
            vehicle=vehicle,
            workshop=True,
        )
        for vehicle in situation.broken(kind=kind)
    ]


def _swaps(
    *,
    kind: str,
    flat: list[VehicleAt],
    standing: Ints,
    losses: Floats,
    parameters: Parameters,
) -> list[Offer]:
    """Swap stops: each battery makes one more vehicle usable beside those that stand there."""
    found = []
    largest = max(1, parameters.van_packs // 2)
    by_place = groupby(sorted(flat, key=lambda each: each.place), key=lambda each: each.place)
    for place, group in by_place:
        waiting = list(group)
        have = int(standing[place])
        for first in range(0, len(waiting), largest):
            part = tuple(waiting[first : first + largest])
            low, high = (min(n, losses.shape[1] - 1) for n in (have, have + len(part)))
            gain = float(losses[place, low] - losses[place, high])
            found.append(
                Offer(
                    kind=kind,
                    place=place,
                    change=0,
                    gain=gain,
                    stock=have,
                    target=have + len(part),
                    flat=part,
                    credit=parameters.swap_credit_trips * len(part),
                )
            )
            have += len(part)
    return found
