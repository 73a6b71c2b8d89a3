"""A route spelled out as what a crew does: one task after the other, with worth and reason."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from fleet.rebalancing.rules.offers import Offer
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import Situation, VehicleAt
from fleet.rebalancing.rules.vans import VanNow, VanSpec
from fleet.rebalancing.solver.problem import Problem, route_minutes, route_times
from fleet.rebalancing.states import Reason, TaskKind

MINUTE = datetime.timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class TaskDraft:
    """One thing a crew does at one stop."""

    van: int
    sequence: int
    kind: str
    vehicle_kind: str
    vehicle_id: int | None
    quantity: int
    cell: int
    lon: float
    lat: float
    value_cents: int
    cost_cents: int
    reason: str
    reason_params: dict[str, Any]
    forced: bool = False
    due_at: datetime.datetime | None = None
    planned_at: datetime.datetime | None = None
    task_id: int | None = None  # of the task that stands for it already

    def columns(self) -> dict[str, Any]:
        """What a row of its own keeps."""
        return {key: value for key, value in asdict(self).items() if key != "task_id"}


def spell_out(
    *,
    situation: Situation,
    parameters: Parameters,
    problem: Problem,
    found: Sequence[Offer],
    routes: list[list[int]],
    specs: Sequence[VanSpec],
    vans: Sequence[VanNow] = (),
) -> list[TaskDraft]:
    """Tasks of all vans in driving order.

    A move is worth something only as a whole, so the prizes of a van's moves are shared among all
    vehicles it loads and unloads, and a battery carries its own. The van's cost is shared in
    proportion to value: no task of a van that pays looks as if it did not. At a workshop all that
    is broken is unloaded, however much the search reckoned with.
    """
    tasks: list[TaskDraft] = []
    taken: set[int] = set()
    for van, route in enumerate(routes):
        planned = _planned(situation, problem=problem, spec=specs[van], van=van, route=route)
        worth = _Worth.of(
            [found[stop - 1] for stop in route], problem=problem, van=van, route=route,
            parameters=parameters,
        )  # fmt: skip
        broken = Counter(vans[van].broken if vans else {})
        for stop, planned_at in zip(route, planned, strict=True):
            offer = _as_it_comes(found[stop - 1], broken=broken)
            for vehicle, quantity in _pieces(offer, situation=situation, taken=taken):
                task = _task(offer, situation=situation, vehicle=vehicle, quantity=quantity)
                value = worth.each(offer) * quantity
                tasks.append(
                    replace(
                        task,
                        van=van,
                        sequence=len(tasks) + 1,
                        value_cents=round(value),
                        cost_cents=round(value * worth.share),
                        planned_at=planned_at,
                    )
                )
    return tasks


@dataclass(frozen=True)
class _Worth:
    """What a van's work is worth: of one vehicle moved, and its cost as a share of its value."""

    moved: float
    share: float
    parameters: Parameters

    @classmethod
    def of(
        cls,
        stops: list[Offer],
        *,
        problem: Problem,
        van: int,
        route: list[int],
        parameters: Parameters,
    ) -> _Worth:
        prizes = [offer.trips * parameters.margin(offer.kind) for offer in stops]
        minutes = route_minutes(problem, van=van, route=route) if route else 0.0
        moves = [offer for offer in stops if offer.change and not offer.unload]
        handled = sum(abs(offer.change) for offer in moves)
        worth = sum(offer.trips * parameters.margin(offer.kind) for offer in moves)
        total = sum(prizes)
        return cls(
            moved=worth / handled if handled else 0.0,
            share=minutes * problem.cost_per_minute / total if total > 0 else 0.0,
            parameters=parameters,
        )

    def each(self, offer: Offer) -> float:
        """Cents of one vehicle of this stop."""
        own = offer.trips * self.parameters.margin(offer.kind)
        if offer.swaps:
            return own / len(offer.flat)
        if offer.drive is not None:
            return own
        return 0.0 if offer.unload is not None else self.moved


def _planned(
    situation: Situation, *, problem: Problem, spec: VanSpec, van: int, route: list[int]
) -> list[datetime.datetime | None]:
    """When the plan sees the van at each stop."""
    if situation.at is None:
        return [None] * len(route)
    times, _late = route_times(problem, van=van, route=route)
    spent = float(problem.minutes_spent()[van])
    first = spec.clock(at=situation.at, spent=spent)[0]
    zero = situation.at if problem.timed else situation.at + (first - spent) * MINUTE
    return [zero + minutes * MINUTE for minutes in times]


def _as_it_comes(offer: Offer, *, broken: Counter[str]) -> Offer:
    """The stop with what is really unloaded there; keeps count of what is broken and aboard."""
    if offer.unload is not None:
        return replace(offer, change=-broken.pop(offer.kind, 0))
    if offer.workshop:
        broken[offer.kind] += offer.change
    return offer


def _pieces(
    offer: Offer, *, situation: Situation, taken: set[int]
) -> list[tuple[VehicleAt | None, int]]:
    """A drop-off is one task for all its vehicles; each vehicle picked up or swapped is its own."""
    if offer.swaps:
        return [(vehicle, 1) for vehicle in offer.flat]
    if offer.vehicle is not None:
        return [(offer.vehicle, 1)]
    if offer.change < 0 or offer.unload is not None:
        return [(None, -offer.change)] if offer.change else []
    standing = [
        vehicle
        for vehicle in situation.vehicles
        if vehicle.place == offer.place
        and vehicle.kind == offer.kind
        and vehicle.usable
        and vehicle.movable
        and vehicle.vehicle_id not in taken
    ]
    # The emptiest go first: they earn least where they stand.
    standing.sort(key=lambda vehicle: (vehicle.battery_pct or 0, vehicle.vehicle_id))
    chosen = standing[: offer.change]
    taken.update(vehicle.vehicle_id for vehicle in chosen)
    return [(vehicle, 1) for vehicle in chosen]


def _task(
    offer: Offer, *, situation: Situation, vehicle: VehicleAt | None, quantity: int
) -> TaskDraft:
    kind, reason = _kind_and_reason(offer)
    lon, lat = offer.spot(situation)
    cell = offer.unload.cell if offer.unload else int(situation.cells[offer.place])
    return TaskDraft(
        van=0,
        sequence=0,
        kind=kind,
        vehicle_kind=offer.kind,
        vehicle_id=vehicle.vehicle_id if vehicle else None,
        quantity=quantity,
        cell=cell,
        lon=float(vehicle.lon if vehicle else lon),
        lat=float(vehicle.lat if vehicle else lat),
        value_cents=0,
        cost_cents=0,
        reason=reason,
        reason_params=_figures(offer, vehicle=vehicle),
        forced=offer.forced,
        due_at=vehicle.booked_at if vehicle and offer.swaps else None,
        task_id=offer.task_id,
    )


def _figures(offer: Offer, *, vehicle: VehicleAt | None) -> dict[str, Any]:
    """The reason in figures."""
    params: dict[str, Any] = {"stock": offer.stock, "target": offer.target}
    if offer.unload is not None:
        return {"workshop": offer.unload.name}
    if vehicle is not None and (offer.swaps or offer.drive is not None):
        trips = offer.trips / max(1, len(offer.flat))
        params = {"battery_pct": vehicle.battery_pct, "trips": round(trips, 1)}
    if offer.drive is not None:
        params |= {
            "hub": offer.drive.name,
            "to_lon": offer.drive.lon,
            "to_lat": offer.drive.lat,
            "minutes": round(offer.drive_minutes),
        }
    if offer.swaps and vehicle is not None and vehicle.booked_at is not None:
        params["booked_at"] = vehicle.booked_at.isoformat()
    elif offer.change < 0:
        params["trips"] = round(offer.gain, 1)
    return params


def _kind_and_reason(offer: Offer) -> tuple[str, str]:
    if offer.swaps:
        booked = offer.flat[0].booked_at is not None
        return TaskKind.SWAP_BATTERY, Reason.BOOKING if booked else Reason.LOW_BATTERY
    if offer.unload is not None:
        return TaskKind.UNLOAD, Reason.MAINTENANCE
    if offer.drive is not None:
        return TaskKind.DRIVE_TO_CHARGE, Reason.LOW_BATTERY
    if offer.change < 0:
        return TaskKind.MOVE_DROPOFF, Reason.SHORTAGE
    wanted = Reason.REQUESTED if offer.forced else Reason.SURPLUS
    return TaskKind.MOVE_PICKUP, Reason.MAINTENANCE if offer.workshop else wanted
