"""Stops and vans as the solver wants them: minutes, prizes in cents, loads, hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fleet.rebalancing.rules.offers import Offer
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import Situation
from fleet.rebalancing.rules.travel import TravelTimes, travel_minutes
from fleet.rebalancing.rules.vans import VanNow, VanSpec, vans_of
from fleet.rebalancing.solver.problem import DEPOT, FAR, Floats, Ints, Problem
from fleet.rebalancing.solver.search import FORCED

__all__ = ["VanNow", "routing_problem", "unreachable"]


def routing_problem(
    *,
    situation: Situation,
    parameters: Parameters,
    found: list[Offer],
    vans: Sequence[VanNow] = (),
    travel: TravelTimes | None = None,
) -> Problem:
    """Stops as the solver wants them: prizes in cents, times in minutes.

    Behind the stops there are two nodes for each van, where it starts (or is now) and where it
    ends, unless all of them start at the depot and come back to it.
    """
    specs = vans_of(parameters, depot=(situation.depot_lon, situation.depot_lat))
    commodities = _commodities(parameters, found=found, vans=vans)
    hours = tuple(offer.windows(situation, parameters=parameters) for offer in found)
    each_its_own = bool(vans or parameters.fleet or any(hours))
    now = list(vans) or [_at_start(spec) for spec in specs]
    ends = [each for van, spec in zip(now, specs, strict=True) for each in _ends(van, spec)]
    minutes = _minutes(
        situation,
        parameters=parameters,
        found=found,
        ends=ends if each_its_own else [],
        travel=travel,
    )
    stops = 1 + len(found)
    plain = Problem(
        minutes=minutes[:stops, :stops],
        service=np.array([0.0, *(offer.service_minutes(parameters) for offer in found)]),
        change=np.array([0, *(offer.change for offer in found)], dtype=np.int64),
        prize=np.array([0.0, *(_prize(offer, parameters) for offer in found)]),
        commodity=np.array(
            [0, *(_commodity(offer, commodities) for offer in found)], dtype=np.int64
        ),
        packs=np.array([0, *(len(offer.flat) for offer in found)], dtype=np.int64),
        capacity=parameters.van_capacity,
        vans=len(specs),
        shift_minutes=float(parameters.shift_minutes),
        cost_per_minute=parameters.cost_cents_per_minute,
        pack_capacity=parameters.van_packs,
        start_load=np.zeros((len(commodities), len(specs)), dtype=np.int64),
    )
    if not each_its_own:
        return plain
    problem = _of_each_van(plain, minutes=minutes, specs=specs, now=now, commodities=commodities)
    return _on_the_clock(problem, situation=situation, specs=specs, now=now, hours=hours)


def unreachable(problem: Problem) -> list[int]:
    """Stops to which no van has a way, or none home from."""
    starts, ends = problem.starts(), problem.ends_at()
    there = problem.minutes[starts, :].min(axis=0)
    home = problem.minutes[:, ends].min(axis=1)
    lost = np.flatnonzero((there >= FAR) | (home >= FAR))
    return [int(stop) for stop in lost if 0 < stop < problem.stops - problem.places]


def _commodities(
    parameters: Parameters, *, found: list[Offer], vans: Sequence[VanNow]
) -> list[tuple[str, bool]]:
    """Kinds that share the vans; what is broken counts by itself, where there is any."""
    broken = {offer.kind for offer in found if offer.workshop}
    broken |= {kind for van in vans for kind, count in van.broken.items() if count}
    whole = [(kind, False) for kind in parameters.kinds]
    return [*whole, *((kind, True) for kind in parameters.kinds if kind in broken)]


def _commodity(offer: Offer, commodities: list[tuple[str, bool]]) -> int:
    key = (offer.kind, offer.workshop)
    # Nothing of a kind that is driven comes onto the van.
    return commodities.index(key) if key in commodities else 0


def _prize(offer: Offer, parameters: Parameters) -> float:
    return offer.trips * parameters.margin(offer.kind) + FORCED * offer.forced


def _ends(van: VanNow, spec: VanSpec) -> tuple[tuple[float, float], tuple[float, float]]:
    return (van.lon, van.lat), spec.end


def _at_start(spec: VanSpec) -> VanNow:
    return VanNow(lon=spec.start[0], lat=spec.start[1], begun=False)


def _minutes(
    situation: Situation,
    *,
    parameters: Parameters,
    found: list[Offer],
    ends: list[tuple[float, float]],
    travel: TravelTimes | None,
) -> Floats:
    """Driving and parking minutes: depot, stops, then where the vans start and end.

    Who goes on to another stop at the same place does not park again.
    """
    depot = (situation.depot_lon, situation.depot_lat)
    spots = [depot, *(offer.spot(situation) for offer in found), *ends]
    own: dict[tuple[float, float], int] = {}
    at = np.array([own.setdefault(spot, len(own)) for spot in spots], dtype=np.int64)
    lon, lat = np.array(list(own)).T
    between = travel_minutes(lon=lon, lat=lat, parameters=parameters, table=travel)
    parking = (at[:, None] != at[None, :]) * parameters.stop_minutes
    parking[:, [DEPOT, *range(1 + len(found), len(spots))]] = 0.0
    # A stop beside the depot is parked at all the same.
    parking[[DEPOT, *range(1 + len(found), len(spots))], 1 : 1 + len(found)] = (
        parameters.stop_minutes
    )
    minutes: Floats = between[np.ix_(at, at)] + parking
    return minutes


def _of_each_van(
    plain: Problem,
    *,
    minutes: Floats,
    specs: Sequence[VanSpec],
    now: Sequence[VanNow],
    commodities: list[tuple[str, bool]],
) -> Problem:
    """The problem of vans that differ: rooms, loads, batteries, and where they start and end."""
    count, extra = len(specs), 2 * len(specs)
    kinds = [kind for kind, _broken in commodities]
    units = [spec.units(kinds) for spec in specs]
    load = [
        [(van.broken if broken else van.aboard).get(kind, 0) for van in now]
        for kind, broken in commodities
    ]

    def padded(values: Ints, fill: int = 0) -> Ints:
        return np.append(values, np.full(extra, fill, dtype=np.int64))

    behind = plain.stops + 2 * np.arange(count)
    return replace(
        plain,
        minutes=minutes,
        service=np.append(plain.service, np.zeros(extra)),
        change=padded(plain.change),
        prize=np.append(plain.prize, np.zeros(extra)),
        commodity=padded(plain.commodity),
        packs=padded(plain.packs),
        places=extra,
        start_node=behind,
        end_node=behind + 1,
        start_load=np.array(load, dtype=np.int64).reshape(len(commodities), count),
        spent_minutes=np.array([van.minutes for van in now]),
        spent_packs=np.array([van.packs for van in now], dtype=np.int64),
        at_rest=np.array([int(not van.begun) for van in now], dtype=np.int64),
        capacities=np.array([whole for whole, _room in units], dtype=np.int64),
        room=np.array([room for _whole, room in units], dtype=np.int64).T.copy(),
        pack_capacities=np.array([spec.packs for spec in specs], dtype=np.int64),
    )


def _on_the_clock(
    problem: Problem,
    *,
    situation: Situation,
    specs: Sequence[VanSpec],
    now: Sequence[VanNow],
    hours: tuple[tuple[tuple[float, float], ...], ...],
) -> Problem:
    """With shifts; and, where any stop has hours, with a clock.

    A van that is out may come home however late it is: that cannot be helped, and must not make
    every plan impossible.
    """
    clocks = np.array(
        [
            spec.clock(at=situation.at, spent=van.minutes)
            for spec, van in zip(specs, now, strict=True)
        ]
    ).reshape(-1, 2)
    spent = problem.minutes_spent()
    home = problem.minutes[problem.starts(), problem.ends_at()]
    home = np.where((problem.resting() == 1) | (home >= FAR), 0.0, home)
    begins = clocks[:, 0]
    ends = np.maximum(clocks[:, 1], begins + home)
    at_nodes = ((),) * problem.places
    return replace(
        problem,
        shifts=ends - begins + spent,
        begins=begins,
        ends=ends,
        windows=((), *hours, *at_nodes) if any(hours) else None,
    )
