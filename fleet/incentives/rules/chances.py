"""Which rides would spare a van its stop: the plan's own values, asked for one ride at a time.

A ride ends somewhere anyway and takes some vehicle anyway, so an offer is worth the difference to
what rides usually do: the gain at this place less the gain at the places where rides end on
average. The values are those of the plan (`rebalancing.rules.value`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fleet.incentives.rules.prices import (
    Terms,
    additional,
    move_cents,
    reward_cents,
    swap_cents,
)
from fleet.incentives.states import Direction, Need
from fleet.rebalancing.rules.allocation import targets
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import Demand, Situation, VehicleAt
from fleet.rebalancing.rules.value import expected_losses
from fleet.rebalancing.solver.problem import Floats, Ints
from fleet.vehicles.states import Kind
from mobility.core.geo import haversine_m

MOST_STOCK = 60
# What a van moves; a car is only worth bringing to where it charges.
CARRIED = frozenset({Kind.BICYCLE, Kind.SCOOTER})
# Places of one offer, and vehicles offered at one place.
MOST_PLACES = 3
# Further places of an offer pay at least this share of the first one's price: all pay the same.
ALIKE = 0.8


@dataclass(frozen=True, kw_only=True)
class Chance:
    """An offer worth making; `trips` is what one ride that takes it gains on average."""

    kind: str
    direction: Direction
    need: Need
    place: int
    reward_cents: int
    value_cents: int
    van_cents: int
    trips: float
    places: int = 1
    vehicle: VehicleAt | None = None
    hub_id: int | None = None

    @property
    def profit_cents(self) -> int:
        """What the operator keeps of it."""
        return self.value_cents - self.reward_cents


@dataclass(frozen=True, kw_only=True)
class _City:
    """One kind of vehicle in the city: what stands where, and what one more or less is worth."""

    kind: str
    situation: Situation
    parameters: Parameters
    terms: Terms
    stock: Ints
    losses: Floats
    target: Ints
    arrivals: Floats  # share of all, by place
    departures: Floats

    @property
    def margin_cents(self) -> float:
        return float(self.parameters.margin_cents[self.kind])

    def gain(self, place: int, *, more: int = 0) -> float:
        """Trips gained by the next vehicle at a place where `more` are on their way."""
        have = self._at_most(int(self.stock[place]) + more)
        return float(self.losses[place, have] - self.losses[place, have + 1])

    def cost(self, place: int) -> float:
        """Trips lost by taking a vehicle away."""
        have = self._at_most(int(self.stock[place]))
        if have == 0:
            return float("inf")
        return float(self.losses[place, have - 1] - self.losses[place, have])

    def _at_most(self, stock: int) -> int:
        return min(stock, int(self.losses.shape[1]) - 2)


def chances(
    *,
    situation: Situation,
    parameters: Parameters,
    terms: Terms,
    coming: Mapping[str, Mapping[int, int]],
    charging_hubs: Mapping[int, int],
    parked: Collection[int],
    most: int,
) -> list[Chance]:
    """The `most` offers that leave the operator most, best first.

    `coming` says by kind and place how many vehicles somebody is bringing already, `charging_hubs`
    which hub charges at a place, `parked` which vehicles may be offered to take.
    """
    found: list[Chance] = []
    for kind in parameters.kinds:
        demand = situation.demand.get(kind)
        if demand is None:
            continue
        city = _city(
            kind,
            demand,
            situation=situation,
            parameters=parameters,
            terms=terms,
            coming=coming.get(kind, {}),
        )
        if kind in CARRIED:
            found += _ends(city)
            found += _starts(city, parked=parked)
        found += _charges(city, hubs=charging_hubs)
    found.sort(key=_best_first)
    return found[:most]


def _best_first(chance: Chance) -> tuple[int, str, str, str, int, int]:
    vehicle = chance.vehicle.vehicle_id if chance.vehicle else 0
    return (
        -chance.profit_cents,
        chance.kind,
        chance.direction,
        chance.need,
        chance.place,
        vehicle,
    )


def _city(
    kind: str,
    demand: Demand,
    *,
    situation: Situation,
    parameters: Parameters,
    terms: Terms,
    coming: Mapping[int, int],
) -> _City:
    stock = situation.stock(kind=kind).copy()
    for place, vehicles in coming.items():
        stock[place] += vehicles
    losses = expected_losses(
        departures=demand.departures,
        arrivals=demand.arrivals,
        capacity=demand.capacity,
        highest=max(MOST_STOCK, int(stock.max(initial=0)) + MOST_PLACES + 2),
    )
    return _City(
        kind=kind,
        situation=situation,
        parameters=parameters,
        terms=terms,
        stock=stock,
        losses=losses,
        target=targets(losses=losses, fleet=int(stock.sum())),
        arrivals=_shares(demand.arrivals),
        departures=_shares(demand.departures),
    )


def _shares(rates: Floats) -> Floats:
    by_place: Floats = rates.sum(axis=1)
    whole = float(by_place.sum())
    return by_place / whole if whole > 0 else np.zeros_like(by_place)


def _ends(city: _City) -> Iterator[Chance]:
    """Rides that end where a vehicle is missed: the place lacks some, rides bring few by themselves."""
    lacking = np.flatnonzero(city.stock < city.target)
    if not lacking.size:
        return
    usual = sum(
        float(share) * city.gain(place) for place, share in enumerate(city.arrivals) if share > 0
    )
    for place in map(int, lacking):
        lack = int(city.target[place] - city.stock[place])
        van = move_cents(parameters=city.parameters, km=_from_plenty(city, place), together=lack)
        priced = list(_priced_ends(city, place, lack=lack, usual=usual, van=van))
        if priced:
            reward, value, trips = priced[-1]
            yield Chance(
                kind=city.kind,
                direction=Direction.END,
                need=Need.STOCK,
                place=place,
                reward_cents=reward,
                value_cents=round(value),
                van_cents=int(van),
                trips=trips,
                places=len(priced),
            )


def _priced_ends(
    city: _City, place: int, *, lack: int, usual: float, van: float
) -> Iterator[tuple[int, float, float]]:
    """Price, value and trips of the first, second, … vehicle, as long as they are alike."""
    first = 0
    for more in range(min(MOST_PLACES, lack)):
        trips = additional(
            value_trips=city.gain(place, more=more) - usual,
            usual_share=float(city.arrivals[place]),
        )
        value = trips * city.margin_cents
        reward = reward_cents(value_cents=value, van_cents=van, terms=city.terms)
        if not reward or reward < ALIKE * first:
            return
        first = first or reward
        yield reward, value, trips


def _starts(city: _City, *, parked: Collection[int]) -> Iterator[Chance]:
    """Rides that take a vehicle from where there are too many."""
    plenty = np.flatnonzero(city.stock > city.target)
    if not plenty.size:
        return
    # A ride begins where a vehicle stands: it is taken from there instead.
    open_to = np.where(city.stock > 0, city.departures, 0.0)
    if open_to.sum() <= 0:
        return
    usual = sum(
        float(share) * city.cost(place)
        for place, share in enumerate(open_to / open_to.sum())
        if share > 0
    )
    for place in map(int, plenty):
        spare = int(city.stock[place] - city.target[place])
        trips = additional(
            value_trips=usual - city.cost(place), usual_share=float(city.departures[place])
        )
        value = trips * city.margin_cents
        van = move_cents(parameters=city.parameters, km=_to_lack(city, place), together=spare)
        reward = reward_cents(value_cents=value, van_cents=van, terms=city.terms)
        if not reward:
            continue
        for vehicle in _to_take(city, place, parked=parked)[: min(MOST_PLACES, spare)]:
            yield Chance(
                kind=city.kind,
                direction=Direction.START,
                need=Need.STOCK,
                place=place,
                reward_cents=reward,
                value_cents=round(value),
                van_cents=int(van),
                trips=trips,
                vehicle=vehicle,
            )


def _to_take(city: _City, place: int, *, parked: Collection[int]) -> list[VehicleAt]:
    """The best charged ones first: they go furthest."""
    there = [
        vehicle
        for vehicle in city.situation.vehicles
        if vehicle.kind == city.kind
        and vehicle.place == place
        and vehicle.usable
        and vehicle.movable
        and vehicle.vehicle_id in parked
    ]
    return sorted(there, key=lambda each: (-(each.battery_pct or 0), each.vehicle_id))


def _charges(city: _City, *, hubs: Mapping[int, int]) -> Iterator[Chance]:
    """Weak batteries that come to where they are charged, instead of a van that comes to them.

    A charged battery makes one more vehicle usable there, and spares the swap that is due anyway.
    """
    weak = sum(
        vehicle.kind == city.kind
        and vehicle.battery_pct is not None
        and vehicle.battery_pct < city.terms.charge_below_pct
        for vehicle in city.situation.vehicles
    )
    if not weak:
        return
    for place, hub_id in sorted(hubs.items()):
        trips = additional(
            value_trips=city.gain(place) + city.parameters.swap_credit_trips,
            usual_share=float(city.arrivals[place]),
        )
        value = trips * city.margin_cents
        van = swap_cents(parameters=city.parameters, km=_typical_km(city.situation), together=1)
        reward = reward_cents(value_cents=value, van_cents=van, terms=city.terms)
        if reward:
            yield Chance(
                kind=city.kind,
                direction=Direction.END,
                need=Need.CHARGE,
                place=place,
                reward_cents=reward,
                value_cents=round(value),
                van_cents=int(van),
                trips=trips,
                places=min(MOST_PLACES, weak),
                hub_id=hub_id,
            )


def _from_plenty(city: _City, place: int) -> float:
    """Kilometres from the nearest place with more than its share, else a typical way."""
    return _nearest_km(city.situation, place, np.flatnonzero(city.stock > city.target))


def _to_lack(city: _City, place: int) -> float:
    return _nearest_km(city.situation, place, np.flatnonzero(city.stock < city.target))


def _nearest_km(situation: Situation, place: int, others: Ints) -> float:
    if not others.size:
        return _typical_km(situation)
    ways = haversine_m(
        situation.lon[place], situation.lat[place], situation.lon[others], situation.lat[others]
    )
    return float(ways.min()) / 1000.0


def _typical_km(situation: Situation) -> float:
    """The way between neighbours when places are spread evenly: 0.52 times the root of area by number
    (Clark and Evans 1954)."""
    if situation.cells.size < 2:
        return 0.0
    west, east = float(situation.lon.min()), float(situation.lon.max())
    south, north = float(situation.lat.min()), float(situation.lat.max())
    wide = haversine_m(west, south, east, south) / 1000.0
    high = haversine_m(west, south, west, north) / 1000.0
    return 0.52 * float(np.sqrt(max(wide * high, 0.01) / situation.cells.size))
