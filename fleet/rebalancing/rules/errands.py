"""Stops beside the sharing out of the fleet: promises to bookers, workshops, cars to chargers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fleet.rebalancing.rules.offers import Offer, kind_losses
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import ChargingHub, Situation, VehicleAt
from fleet.rebalancing.rules.travel import straight_minutes
from fleet.rebalancing.rules.vans import VanSpec
from mobility.core.geo import haversine_m


def errands(*, situation: Situation, parameters: Parameters) -> list[Offer]:
    """Batteries for what is booked, broken vehicles to bring in, cars to plug in."""
    found = []
    for kind in parameters.kinds:
        if kind in situation.demand:
            found += _booked(situation=situation, kind=kind, parameters=parameters)
            found += _to_workshop(situation=situation, kind=kind, parameters=parameters)
    for kind in sorted(parameters.driven_cents):
        if kind in situation.demand:
            found += drives(situation=situation, kind=kind, parameters=parameters)
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


def unloads(
    *,
    situation: Situation,
    found: Sequence[Offer],
    vans: Sequence[VanSpec],
    aboard: Mapping[str, int],
) -> list[Offer]:
    """Chances to leave broken vehicles at a workshop in the middle of a tour, which frees room.

    The search knows fixed quantities only, so there is one stop of 1, 2, 4, … vehicles, for every
    van that could want one; a stop unloads all that is aboard for the workshop in the end.
    """
    result = []
    for kind in sorted({offer.kind for offer in found if offer.workshop} | set(aboard)):
        broken = sum(max(0, each.change) for each in found if each.workshop and each.kind == kind)
        broken += aboard.get(kind, 0)
        most = min(broken, max((int(van.capacity.get(kind, 0)) for van in vans), default=0))
        sizes = [1 << power for power in range(most.bit_length())]
        for workshop in situation.workshops:
            result += [
                Offer(
                    kind=kind,
                    place=-1,
                    change=-size,
                    gain=0.0,
                    stock=0,
                    target=0,
                    workshop=True,
                    unload=workshop,
                )
                for size in sizes
                for _van in range(min(len(vans), broken // size))
            ]
    return result


def drives(*, situation: Situation, kind: str, parameters: Parameters) -> list[Offer]:
    """Vehicles too empty to rent that one of the crew drives to a charger.

    One person parks the van, drives the car to the hub that costs least time, plugs it in and comes
    back on a folding scooter; the van waits, and goes on from where it stands. The car is then one
    more at the hub's place. Each free connector gets one car: the pair of most net worth first.
    """
    empty = situation.flat(kind=kind, low_battery_pct=parameters.low_battery_pct)
    if not empty or not situation.charging:
        return []
    losses, stock = kind_losses(situation, kind=kind), situation.stock(kind=kind)
    free = {number: hub.free for number, hub in enumerate(situation.charging)}
    places = [_place_of(hub, situation) for hub in situation.charging]
    pairs = []
    for vehicle in empty:
        for number, hub in enumerate(situation.charging):
            minutes = _there_and_back(vehicle, hub, parameters)
            have = min(int(stock[places[number]]), losses.shape[1] - 2)
            gain = float(losses[places[number], have] - losses[places[number], have + 1])
            trips = gain + parameters.swap_credit_trips
            cost = (minutes + parameters.plug_minutes) * parameters.cost_cents_per_minute
            net = trips * parameters.margin(kind) - cost
            pairs.append((-net, vehicle.vehicle_id, number, vehicle, minutes, gain, have))
    found, taken = [], set()
    for loss, vehicle_id, number, vehicle, minutes, gain, have in sorted(
        pairs, key=lambda p: p[:3]
    ):
        if loss >= 0 or vehicle_id in taken or free[number] < 1:
            continue
        taken.add(vehicle_id)
        free[number] -= 1
        found.append(
            Offer(
                kind=kind,
                place=vehicle.place,
                change=0,
                gain=gain,
                stock=have,
                target=have + 1,
                credit=parameters.swap_credit_trips,
                vehicle=vehicle,
                drive=situation.charging[number],
                drive_minutes=minutes,
            )
        )
    return found


def _there_and_back(vehicle: VehicleAt, hub: ChargingHub, parameters: Parameters) -> float:
    """Minutes to drive the car to the hub, and to come back by folding scooter."""
    lon, lat = np.array([vehicle.lon, hub.lon]), np.array([vehicle.lat, hub.lat])
    there = float(straight_minutes(lon=lon, lat=lat, parameters=parameters)[0, 1])
    return there + there * parameters.van_speed_kmh / parameters.return_kmh


def _place_of(hub: ChargingHub, situation: Situation) -> int:
    return int(haversine_m(hub.lon, hub.lat, situation.lon, situation.lat).argmin())
