"""Stops and vans as the solver wants them: minutes, prizes in cents, loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fleet.rebalancing.rules.offers import Offer
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import Situation
from fleet.rebalancing.solver.problem import DEPOT, Floats, Ints, Problem
from fleet.rebalancing.solver.search import FORCED
from mobility.core.geo import haversine_m


@dataclass(frozen=True, kw_only=True)
class VanNow:
    """A van that is under way: where it is, what it carries, what is spent of its shift."""

    lon: float
    lat: float
    aboard: Mapping[str, int] = field(default_factory=dict)  # by kind
    to_workshop: int = 0
    minutes: float = 0.0
    packs: int = 0


def routing_problem(
    *,
    situation: Situation,
    parameters: Parameters,
    found: list[Offer],
    vans: Sequence[VanNow] = (),
) -> Problem:
    """Stops as the solver wants them: prizes in cents, times in minutes, vans start empty.

    Vans under way add a node each behind the stops, where they are; nobody wins by going there.
    """
    places = np.array([offer.place for offer in found], dtype=np.int64)
    lon = np.append(situation.depot_lon, situation.lon[places])
    lat = np.append(situation.depot_lat, situation.lat[places])
    kinds = {kind: index for index, kind in enumerate(parameters.kinds)}
    prize = [
        offer.trips * parameters.margin_cents[offer.kind] + FORCED * offer.forced for offer in found
    ]
    workshop = len(kinds)
    commodity = [workshop if offer.workshop else kinds[offer.kind] for offer in found]
    commodities = workshop + any(offer.workshop for offer in found)
    if vans:
        return _under_way(
            routing_problem(situation=situation, parameters=parameters, found=found),
            situation=situation,
            parameters=parameters,
            places=places,
            vans=vans,
        )
    return Problem(
        minutes=van_minutes(lon=lon, lat=lat, parameters=parameters)
        + _parking(places, stop_minutes=parameters.stop_minutes),
        service=np.array([0.0, *(_service_minutes(offer, parameters) for offer in found)]),
        change=np.array([0, *(offer.change for offer in found)], dtype=np.int64),
        prize=np.array([0.0, *prize]),
        commodity=np.array([len(kinds) - 1, *commodity], dtype=np.int64),
        packs=np.array([0, *(len(offer.flat) for offer in found)], dtype=np.int64),
        capacity=parameters.van_capacity,
        vans=parameters.vans,
        shift_minutes=float(parameters.shift_minutes),
        cost_per_minute=parameters.cost_cents_per_minute,
        pack_capacity=parameters.van_packs,
        start_load=np.zeros((commodities, parameters.vans), dtype=np.int64),
    )


def _under_way(
    empty: Problem,
    *,
    situation: Situation,
    parameters: Parameters,
    places: Ints,
    vans: Sequence[VanNow],
) -> Problem:
    """The problem of vans that start now, where they are, with what they carry."""
    count = len(vans)
    lon = np.concatenate([[situation.depot_lon], situation.lon[places], [v.lon for v in vans]])
    lat = np.concatenate([[situation.depot_lat], situation.lat[places], [v.lat for v in vans]])
    here = np.append(places, -2 - np.arange(count))
    load = [[van.aboard.get(kind, 0) for van in vans] for kind in parameters.kinds]
    # Broken vehicles aboard ride to the end: they take room, and nobody takes them off.
    load.append([van.to_workshop for van in vans])

    def padded(values: Any, fill: float) -> Any:
        return np.append(values, np.full(count, fill, dtype=values.dtype))

    return replace(
        empty,
        minutes=van_minutes(lon=lon, lat=lat, parameters=parameters)
        + _parking(here, stop_minutes=parameters.stop_minutes),
        service=padded(empty.service, 0),
        change=padded(empty.change, 0),
        prize=padded(empty.prize, -FORCED),
        commodity=padded(empty.commodity, 0),
        packs=padded(empty.packs, 0),
        start_node=empty.stops + np.arange(count),
        start_load=np.array(load, dtype=np.int64),
        spent_minutes=np.array([van.minutes for van in vans]),
        spent_packs=np.array([van.packs for van in vans], dtype=np.int64),
    )


def van_minutes(*, lon: Floats, lat: Floats, parameters: Parameters) -> Floats:
    """Driving minutes between all pairs: straight distance, a detour factor, a city speed."""
    metres = haversine_m(lon[:, None], lat[:, None], lon[None, :], lat[None, :])
    minutes: Floats = metres * parameters.detour / (parameters.van_speed_kmh * 1000.0 / 60.0)
    return minutes


def _service_minutes(offer: Offer, parameters: Parameters) -> float:
    handled = parameters.handling_minutes * abs(offer.change)
    return handled + parameters.swap_minutes * len(offer.flat)


def _parking(places: Ints, *, stop_minutes: float) -> Floats:
    """Minutes to park at another place than the last one; several stops at one place share them."""
    at = np.append(-1, places)
    elsewhere = at[:, None] != at[None, :]
    elsewhere[:, DEPOT] = False
    minutes: Floats = elsewhere * stop_minutes
    return minutes
