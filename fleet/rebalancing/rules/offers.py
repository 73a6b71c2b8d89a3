"""Stops that would be worth something: moves of vehicles, and swaps of batteries."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from fleet.rebalancing.rules.allocation import moves, targets
from fleet.rebalancing.rules.hours import windows
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import ChargingHub, Situation, VehicleAt, Workshop
from fleet.rebalancing.rules.value import expected_losses
from fleet.rebalancing.rules.vans import vans_of
from fleet.rebalancing.solver.problem import Floats, Ints, Windows

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
    vehicle: VehicleAt | None = None  # the very one that a pick-up or a drive is about
    workshop: bool = False  # what is broken: loaded for the workshop, or unloaded there
    unload: Workshop | None = None  # at this one
    drive: ChargingHub | None = None  # the vehicle is driven here and plugged in
    drive_minutes: float = 0.0  # there, and back to the van
    forced: bool = False  # to be done whatever it brings
    begun: bool = False  # a crew is at it: no hours count any more
    task_id: int | None = None  # of the task that stands for it already

    @property
    def trips(self) -> float:
        """What the stop is worth, in trips."""
        return self.gain + self.credit

    @property
    def swaps(self) -> bool:
        """Whether this stop swaps batteries, instead of moving vehicles."""
        return bool(self.flat)

    def spot(self, situation: Situation) -> tuple[float, float]:
        """Longitude and latitude at which the van stops."""
        if self.unload is not None:
            return self.unload.lon, self.unload.lat
        if self.drive is not None and self.vehicle is not None:
            return self.vehicle.lon, self.vehicle.lat
        return float(situation.lon[self.place]), float(situation.lat[self.place])

    def service_minutes(self, parameters: Parameters) -> float:
        """Minutes of work at the stop."""
        if self.drive is not None:
            return parameters.plug_minutes + self.drive_minutes
        handled = parameters.handling_minutes * abs(self.change)
        return handled + parameters.swap_minutes * len(self.flat)

    def windows(self, situation: Situation, *, parameters: Parameters) -> Windows:
        """In which minutes of the plan work here may begin; empty for always."""
        if self.begun:
            return ()
        closed = situation.closed.get(self.place, ())
        booked = [each.booked_at for each in self.flat if each.booked_at is not None]
        return windows(
            closed=closed if self.unload is None else self.unload.closed,
            due_at=min(booked, default=None),
            service=self.service_minutes(parameters),
            at=situation.at,
        )


def offers(*, situation: Situation, parameters: Parameters) -> list[Offer]:
    """All stops worth thinking about, of every kind of vehicle that goes on a van.

    1. Losses of every place and stock. 2. The fleet shared out by marginal gain, nowhere more than
    find room; the kind that earns most has the first choice. 3. Moves of at most half a van, swaps
    of at most half the packs, each with its own part of the gain curve.
    """
    found = []
    vans = vans_of(parameters, depot=(situation.depot_lon, situation.depot_lat))
    packs = max((van.packs for van in vans), default=parameters.van_packs)
    bays = None if situation.bays is None else situation.bays.copy()
    for kind in sorted(parameters.kinds, key=lambda each: (-parameters.margin(each), each)):
        demand = situation.demand.get(kind)
        if demand is None:
            continue
        stock = situation.stock(kind=kind)
        losses = kind_losses(situation, kind=kind)
        most = None if bays is None else stock + bays
        fleet = int(stock.sum()) + situation.afloat.get(kind, 0)
        target = targets(losses=losses, fleet=fleet, most=most)
        if bays is not None:
            bays -= np.maximum(0, target - stock)
        room = max((int(van.capacity.get(kind, 0)) for van in vans), default=0)
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
                largest=max(1, room // 2),
            )
        ]
        found += _swaps(
            kind=kind,
            flat=situation.flat(kind=kind, low_battery_pct=parameters.low_battery_pct),
            standing=np.maximum(stock, target),
            losses=losses,
            largest=max(1, packs // 2),
            credit=parameters.swap_credit_trips,
        )
    return found


def kind_losses(situation: Situation, *, kind: str) -> Floats:
    """Expected losses of a kind, (place, stock), within the horizon: what its vehicles are worth."""
    demand = situation.demand[kind]
    stock = situation.stock(kind=kind)
    return expected_losses(
        departures=demand.departures,
        arrivals=demand.arrivals,
        capacity=demand.capacity,
        highest=max(MOST_STOCK, int(stock.max(initial=0)) + 1),
    )


def _swaps(
    *,
    kind: str,
    flat: list[VehicleAt],
    standing: Ints,
    losses: Floats,
    largest: int,
    credit: float,
) -> list[Offer]:
    """Swap stops: each battery makes one more vehicle usable beside those that stand there."""
    found = []
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
                    credit=credit * len(part),
                )
            )
            have += len(part)
    return found
