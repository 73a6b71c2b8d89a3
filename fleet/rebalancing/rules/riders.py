"""What riders do of a plan's work: a van is not sent for what a reward brings about already."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fleet.rebalancing.rules.situation import Situation, VehicleAt

Note = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RiderWork:
    """Vehicles that riders are expected to bring, by kind and cell, and the chance with which one
    of them rides off with a vehicle, by its id."""

    bringing: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    taking: Mapping[int, float] = field(default_factory=dict)


def left_to_riders(*, situation: Situation, work: RiderWork) -> tuple[Situation, list[Note]]:
    """The situation with the riders' share of the work as if it were done, and remarks on it.

    Expectations are rounded to whole vehicles, place by place: where fewer than half a vehicle is
    expected, a van goes as before. Of the vehicles of a place that riders are asked to take, the
    likeliest are the ones that no van fetches.
    """
    cells = {int(cell): place for place, cell in enumerate(situation.cells)}
    change: defaultdict[str, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    for kind, by_cell in work.bringing.items():
        for cell, expected in by_cell.items():
            if cell in cells:
                change[kind][cells[cell]] += _whole(expected)
    gone = {each.vehicle_id: each for each in _taken(situation.vehicles, work=work)}
    for vehicle in gone.values():
        change[vehicle.kind][vehicle.place] -= 1
    touched = {place for by_place in change.values() for place, n in by_place.items() if n}
    notes = [
        {"code": "left_to_riders", "cell": int(situation.cells[place])} for place in sorted(touched)
    ]
    promised = dict(situation.promised)
    for kind, by_place in change.items():
        whole = promised.get(kind, np.zeros(situation.cells.size, dtype=np.int64)).copy()
        for place, more in by_place.items():
            whole[place] += more
        promised[kind] = whole
    vehicles = tuple(
        replace(each, movable=False) if each.vehicle_id in gone else each
        for each in situation.vehicles
    )
    return replace(situation, promised=promised, vehicles=vehicles), notes


def _taken(vehicles: Iterable[VehicleAt], *, work: RiderWork) -> list[VehicleAt]:
    """Of each place the vehicles, likeliest first, that riders will have taken by expectation."""
    asked: defaultdict[tuple[str, int], list[VehicleAt]] = defaultdict(list)
    for vehicle in vehicles:
        if vehicle.vehicle_id in work.taking and vehicle.usable and vehicle.movable:
            asked[vehicle.kind, vehicle.place].append(vehicle)
    taken = []
    for waiting in asked.values():
        expected = sum(work.taking[vehicle.vehicle_id] for vehicle in waiting)
        waiting.sort(key=lambda each: (-work.taking[each.vehicle_id], each.vehicle_id))
        taken += waiting[: _whole(expected)]
    return taken


def _whole(expected: float) -> int:
    return math.floor(expected + 0.5)
