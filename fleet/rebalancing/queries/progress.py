"""Where a plan stands on the street: its vans, what is decided, and what reality overtook."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from django.db.models import Q

from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.rules.offers import Offer
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import ChargingHub, Situation, VehicleAt, Workshop
from fleet.rebalancing.rules.standing import Visit
from fleet.rebalancing.rules.vans import VanNow, VanSpec, afloat, vans_of
from fleet.rebalancing.solver.problem import Ints
from fleet.rebalancing.states import DropReason, Reason, TaskKind, TaskState
from fleet.vehicles.models import VehicleBlock
from fleet.vehicles.states import BlockReason, LifeState, RentalState
from mobility.core.geo import haversine_m

MINUTE = datetime.timedelta(minutes=1)
# A crew said why it cannot be done; no new plan sends it there again.
_SETTLED = frozenset(
    {
        DropReason.NOT_FOUND,
        DropReason.UNREACHABLE,
        DropReason.BROKEN,
        DropReason.NOT_NEEDED,
        DropReason.RENTED,
    }
)


@dataclass(frozen=True, kw_only=True)
class UnderWay:
    """A plan's vans as they are, the stops that stay, those that must come, and what remains."""

    situation: Situation
    vans: tuple[VanNow, ...]
    decided: tuple[tuple[Offer, ...], ...]
    wanted: tuple[Offer, ...]


def tasks_of(plan: RebalancingPlan) -> list[RebalancingTask]:
    """All tasks in driving order, with vehicle, position and hold; one query."""
    rows = plan.tasks.select_related("vehicle", "vehicle__latest", "hold")
    return list(rows.order_by("van", "sequence"))


def visits_of(tasks: Iterable[RebalancingTask]) -> list[Visit]:
    """What vans still have to do, as a search goes on from it."""
    waiting = (TaskState.OPEN, TaskState.CLAIMED)
    return [_visit(task) for task in tasks if task.state in waiting]


def visits_before(*, organisation_id: int, city_id: int, since: datetime.datetime) -> list[Visit]:
    """What the operator's last plan in the city since then had its vans do, done or not; two
    queries. The same city on the next day is nearly the same problem."""
    plans = RebalancingPlan.objects.filter(
        organisation=organisation_id, city=city_id, requested_at__gte=since, tasks__isnull=False
    )
    last = plans.order_by("-requested_at").values_list("pk", flat=True).first()
    meant = ~Q(state=TaskState.DROPPED) | Q(drop_reason=DropReason.PLAN_CLOSED)
    tasks = RebalancingTask.objects.filter(meant, plan=last).order_by("van", "sequence")
    return [_visit(task) for task in tasks]


def _visit(task: RebalancingTask) -> Visit:
    return Visit(
        van=task.van,
        kind=task.vehicle_kind,
        cell=task.cell,
        change=_change(task),
        task_id=task.pk,
    )


def overtaken(tasks: Iterable[RebalancingTask], *, parameters: Parameters) -> dict[int, DropReason]:
    """Open tasks that no longer make sense, by id: ridden, moved, charged meanwhile."""
    waiting = [task for task in tasks if task.state == TaskState.OPEN and task.vehicle_id]
    flat = set(
        VehicleBlock.objects.filter(
            vehicle__in=[task.vehicle_id for task in waiting],
            reason=BlockReason.LOW_BATTERY,
            until=None,
        ).values_list("vehicle_id", flat=True)
    )
    reasons = {
        task.pk: _overtaken(task, is_flat=task.vehicle_id in flat, parameters=parameters)
        for task in waiting
    }
    return {task_id: reason for task_id, reason in reasons.items() if reason is not None}


def _overtaken(
    task: RebalancingTask, *, is_flat: bool, parameters: Parameters
) -> DropReason | None:
    vehicle = task.vehicle
    assert vehicle is not None  # the caller chose tasks with one
    if vehicle.life_state != LifeState.IN_SERVICE or vehicle.rental_state != RentalState.FREE:
        return DropReason.RENTED
    latest = getattr(vehicle, "latest", None)
    if latest is None:
        return None
    if cell_at(lon=latest.lon, lat=latest.lat) != task.cell:
        return DropReason.MOVED
    enough = parameters.low_battery_pct
    if task.reason == Reason.BOOKING:
        enough = parameters.booking_battery_pct
    charged = latest.battery_pct is not None and latest.battery_pct >= enough and not is_flat
    charges = task.kind in (TaskKind.SWAP_BATTERY, TaskKind.DRIVE_TO_CHARGE)
    return DropReason.CHARGED if charges and charged and not task.forced else None


def under_way(
    *,
    situation: Situation,
    tasks: list[RebalancingTask],
    parameters: Parameters,
    at: datetime.datetime,
) -> UnderWay:
    """What a new search has to respect.

    Claimed tasks come first on their van, then the locked ones in their order. Vehicles of decided
    tasks, and those that a crew gave up, are out of the search; what decided tasks will bring or
    take counts as if it had happened.
    """
    specs = vans_of(parameters, depot=(situation.depot_lon, situation.depot_lat))
    decided: list[list[RebalancingTask]] = [[] for _spec in specs]
    wanted: list[RebalancingTask] = []
    for task in sorted(tasks, key=lambda each: each.state != TaskState.CLAIMED):
        kept = task.state == TaskState.CLAIMED or (task.state == TaskState.OPEN and task.locked)
        if kept and specs:
            decided[min(task.van, len(specs) - 1)].append(task)
        elif task.state == TaskState.OPEN and task.forced:
            wanted.append(task)
    chosen = [*wanted, *(task for route in decided for task in route)]
    out = {task.vehicle_id for task in chosen} | {
        task.vehicle_id
        for task in tasks
        if task.state == TaskState.DONE or task.drop_reason in _SETTLED
    }
    by_id = {vehicle.vehicle_id: vehicle for vehicle in situation.vehicles}
    vans = tuple(
        _van([task for task in tasks if task.van == number], spec=spec, at=at)
        for number, spec in enumerate(specs)
    )
    left = replace(
        situation,
        vehicles=tuple(
            replace(each, movable=False, broken=False, booked_at=None)
            if each.vehicle_id in out
            else each
            for each in situation.vehicles
        ),
        promised=_promised(situation, tasks=chosen, by_id=by_id, parameters=parameters),
        bays=_bays_left(situation, tasks=chosen),
        afloat=_afloat(vans, tasks=chosen),
    )
    return UnderWay(
        situation=left,
        vans=vans,
        decided=tuple(
            tuple(_offer(task, situation=situation, by_id=by_id) for task in route)
            for route in decided
        ),
        wanted=tuple(_offer(task, situation=situation, by_id=by_id) for task in wanted),
    )


def _van(tasks: list[RebalancingTask], *, spec: VanSpec, at: datetime.datetime) -> VanNow:
    """Where the van's last finished stop was, what it carries, what it has used."""
    done = [task for task in tasks if task.state == TaskState.DONE and task.finished_at]
    begun = [task.claimed_at for task in tasks if task.claimed_at is not None]
    aboard, broken = Counter[str](), Counter[str]()
    for task in done:
        held = task.hold is not None and task.hold.released_at is None
        if task.kind == TaskKind.MOVE_PICKUP and task.delivered_by_id is None and held:
            for_workshop = task.reason == Reason.MAINTENANCE
            (broken if for_workshop else aboard)[task.vehicle_kind] += 1
    last = max(done, key=lambda task: task.finished_at or at, default=None)
    return VanNow(
        lon=last.lon if last else spec.start[0],
        lat=last.lat if last else spec.start[1],
        aboard=dict(aboard),
        broken=dict(broken),
        minutes=min((at - min(begun)) / MINUTE, spec.shift_minutes) if begun else 0.0,
        packs=sum(task.kind == TaskKind.SWAP_BATTERY for task in done),
        begun=bool(begun),
    )


def _afloat(vans: Iterable[VanNow], *, tasks: list[RebalancingTask]) -> dict[str, int]:
    """By kind, vehicles that are on vans or will be, and that no decided drop-off puts down."""
    counted = afloat(vans)
    for task in tasks:
        if task.kind == TaskKind.MOVE_PICKUP and task.reason != Reason.MAINTENANCE:
            counted[task.vehicle_kind] += 1
        elif task.kind == TaskKind.MOVE_DROPOFF:
            counted[task.vehicle_kind] -= task.quantity
    return {kind: max(0, count) for kind, count in counted.items()}


def _offer(task: RebalancingTask, *, situation: Situation, by_id: dict[int, VehicleAt]) -> Offer:
    """The stop that stands for a task; what it is worth was said when it was made."""
    place = _place(task, situation=situation)
    vehicle = by_id.get(task.vehicle_id or 0) or VehicleAt(
        vehicle_id=task.vehicle_id or 0,
        kind=task.vehicle_kind,
        place=place,
        lon=task.lon,
        lat=task.lat,
        battery_pct=None,
        usable=False,
        movable=False,
    )
    swaps = task.kind == TaskKind.SWAP_BATTERY
    return Offer(
        kind=task.vehicle_kind,
        place=place,
        change=_change(task),
        gain=0.0,
        stock=int(task.reason_params.get("stock", 0)),
        target=int(task.reason_params.get("target", 0)),
        flat=(vehicle,) if swaps else (),
        vehicle=None if swaps or task.vehicle_id is None else vehicle,
        workshop=task.reason == Reason.MAINTENANCE,
        unload=_workshop(task) if task.kind == TaskKind.UNLOAD else None,
        drive=_hub(task) if task.kind == TaskKind.DRIVE_TO_CHARGE else None,
        drive_minutes=float(task.reason_params.get("minutes", 0)),
        forced=task.forced,
        begun=task.state == TaskState.CLAIMED,
        task_id=task.pk,
    )


def _change(task: RebalancingTask) -> int:
    """Vehicles that come onto the van, below zero those that leave it."""
    if task.kind in (TaskKind.MOVE_DROPOFF, TaskKind.UNLOAD):
        return -task.quantity
    return int(task.kind == TaskKind.MOVE_PICKUP)


def _workshop(task: RebalancingTask) -> Workshop:
    name = str(task.reason_params.get("workshop", ""))
    return Workshop(name=name, cell=task.cell, lon=task.lon, lat=task.lat)


def _hub(task: RebalancingTask) -> ChargingHub:
    params = task.reason_params
    return ChargingHub(
        name=str(params.get("hub", "")),
        cell=task.cell,
        lon=float(params.get("to_lon", task.lon)),
        lat=float(params.get("to_lat", task.lat)),
        free=1,
    )


def _bays_left(situation: Situation, *, tasks: list[RebalancingTask]) -> Ints | None:
    """Room for vehicles at each place, less what decided drop-offs will take of it."""
    if situation.bays is None:
        return None
    left = situation.bays.copy()
    for task in tasks:
        if task.kind == TaskKind.MOVE_DROPOFF:
            left[_place(task, situation=situation)] -= task.quantity
    return np.maximum(0, left)


def _place(task: RebalancingTask, *, situation: Situation) -> int:
    at = np.flatnonzero(situation.cells == task.cell)
    if at.size:
        return int(at[0])
    return int(haversine_m(task.lon, task.lat, situation.lon, situation.lat).argmin())


def _promised(
    situation: Situation,
    *,
    tasks: list[RebalancingTask],
    by_id: dict[int, VehicleAt],
    parameters: Parameters,
) -> dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """By kind, what the tasks will bring to each place, less what they take from it."""
    change: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for task in tasks:
        place = _place(task, situation=situation)
        vehicle = by_id.get(task.vehicle_id or 0)
        if task.kind == TaskKind.MOVE_DROPOFF:
            change[task.vehicle_kind][place] += task.quantity
        elif task.kind == TaskKind.MOVE_PICKUP and vehicle is not None and vehicle.usable:
            change[task.vehicle_kind][place] -= 1
        elif task.kind == TaskKind.SWAP_BATTERY and vehicle is not None and not vehicle.usable:
            change[task.vehicle_kind][place] += 1
    places = range(situation.cells.size)
    return {
        kind: np.array([change[kind][place] for place in places], dtype=np.int64)
        for kind in parameters.kinds
    }
