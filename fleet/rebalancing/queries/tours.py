"""A plan van by van: who drives it, what to load before leaving, where it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fleet.rebalancing.models import RebalancingPlan, RebalancingTask, VanCrew
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.states import TaskKind, TaskState
from fleet.vehicles.models import Battery, BatteryPlacement, VehicleType
from fleet.vehicles.scoping import FLEET_STAFF
from fleet.vehicles.states import BatteryState
from mobility.accounts.models import User

UNFINISHED = (TaskState.OPEN, TaskState.CLAIMED)
MANY_PACKS = 300


@dataclass(frozen=True, kw_only=True)
class PackLoad:
    """Charged batteries to take along for one model of vehicle."""

    model: str
    name: dict[str, str]
    capacity_wh: int
    packs: int


@dataclass(frozen=True, kw_only=True)
class Tour:
    """One van's way through a plan."""

    van: int
    name: str  # what staff call it; nothing where it is only a number
    crew: User | None
    stops: int
    done: int
    value_cents: int  # of what is left to do
    load: tuple[PackLoad, ...]
    to_bring: dict[str, int]  # vehicles to pick up, by kind
    to_drop: dict[str, int]
    aboard: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A battery that a crew could take, and where it lies."""

    serial: str
    capacity_wh: int
    charging: bool
    hub: dict[str, str] | None


def tours_of(plan: RebalancingPlan) -> list[Tour]:
    """Every van of a plan in order; four queries."""
    crews = {row.van: row.crew for row in VanCrew.objects.filter(plan=plan).select_related("crew")}
    rows = plan.tasks.exclude(state=TaskState.DROPPED).select_related("vehicle", "hold")
    tasks = list(rows.order_by("van", "sequence"))
    types = VehicleType.objects.in_bulk({t.vehicle.type_id for t in tasks if t.vehicle})
    vans = max(
        Parameters.from_json(plan.parameters).vans, 1 + max((t.van for t in tasks), default=0)
    )
    names = van_names(plan)
    return [
        _tour(
            van,
            [task for task in tasks if task.van == van],
            name=names.get(van, ""),
            crew=crews.get(van),
            types=types,
        )
        for van in range(vans)
    ]


def van_names(plan: RebalancingPlan) -> dict[int, str]:
    """What staff call the vans that were rows when the plan was made, by their number in it."""
    fleet = plan.parameters.get("fleet") or []
    return {van: str(one["name"]) for van, one in enumerate(fleet) if one.get("name")}


def packs_for(plan: RebalancingPlan) -> list[Pack]:
    """The operator's batteries that are in no vehicle, those in a hub first; one query each."""
    free = Battery.objects.filter(
        organisation=plan.organisation_id, state__in=(BatteryState.STORAGE, BatteryState.CHARGING)
    ).order_by("serial")[:MANY_PACKS]
    placed = BatteryPlacement.objects.current().filter(battery__in=[one.pk for one in free])
    hubs = {row.battery_id: row.hub for row in placed.select_related("hub") if row.hub}
    packs = [
        Pack(
            serial=one.serial,
            capacity_wh=one.capacity_wh,
            charging=one.state == BatteryState.CHARGING,
            hub=dict(hubs[one.pk].name) if one.pk in hubs else None,
        )
        for one in free
    ]
    return sorted(packs, key=lambda pack: (pack.charging, pack.hub is None, pack.serial))


def crews_of(plan: RebalancingPlan) -> list[User]:
    """People who may drive a van of this plan's operator."""
    people = User.objects.filter(
        memberships__organisation=plan.organisation_id,
        memberships__role__in=FLEET_STAFF,
        is_active=True,
    )
    return list(people.distinct().order_by("email"))


def tour_sheet(plan: RebalancingPlan, *, van: int) -> list[RebalancingTask]:
    """What is left for a van, in driving order, with vehicle and its type; one query."""
    rows = plan.tasks.filter(van=van, state__in=UNFINISHED)
    return list(rows.select_related("vehicle__type", "assignee").order_by("sequence"))


def _tour(
    van: int,
    tasks: list[RebalancingTask],
    *,
    name: str,
    crew: User | None,
    types: dict[int, VehicleType],
) -> Tour:
    left = [task for task in tasks if task.state in UNFINISHED]
    return Tour(
        van=van,
        name=name,
        crew=crew,
        stops=len(tasks),
        done=sum(task.state == TaskState.DONE for task in tasks),
        value_cents=sum(task.value_cents for task in left),
        load=tuple(_load(left, types=types)),
        to_bring=_by_kind(left, kind=TaskKind.MOVE_PICKUP),
        to_drop=_by_kind(left, kind=TaskKind.MOVE_DROPOFF),
        aboard=_counted(
            (task.vehicle_kind, 1)
            for task in tasks
            if task.kind == TaskKind.MOVE_PICKUP and task.state == TaskState.DONE and _held(task)
        ),
    )


def _load(left: list[RebalancingTask], *, types: dict[int, VehicleType]) -> list[PackLoad]:
    """One battery for each slot of each vehicle that gets fresh ones; half of its energy with two."""
    swaps = Counter(
        task.vehicle.type_id for task in left if task.kind == TaskKind.SWAP_BATTERY and task.vehicle
    )
    models = [(types[type_id], count) for type_id, count in swaps.items()]
    return [
        PackLoad(
            model=model.code,
            name=dict(model.name),
            capacity_wh=model.battery_wh // model.battery_slots,
            packs=count * model.battery_slots,
        )
        for model, count in sorted(models, key=lambda pair: pair[0].code)
    ]


def _held(task: RebalancingTask) -> bool:
    """Whether a picked-up vehicle still stands on the van."""
    on_hold = task.hold is not None and task.hold.released_at is None
    return task.delivered_by_id is None and on_hold


def _by_kind(tasks: Iterable[RebalancingTask], *, kind: str) -> dict[str, int]:
    return _counted((t.vehicle_kind, t.quantity) for t in tasks if t.kind == kind)


def _counted(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for kind, count in pairs:
        counts[kind] += count
    return dict(sorted(counts.items()))
