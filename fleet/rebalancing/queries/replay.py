"""What is needed to live a past day again, read from the fleet's own state history."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fleet.rebalancing.cells import cell_at, centre_of
from fleet.rebalancing.models import RebalancingPlan
from fleet.rebalancing.queries.history import (
    HOUR,
    TRIP_ENDS,
    TRIP_STARTS,
    buckets_of,
    full_hour,
    load_changes,
    state_log,
)
from fleet.rebalancing.queries.situation import load_situation
from fleet.rebalancing.rules.history import Window, past_of
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.replay import CHARGE, PUT, TAKE, Deed, Standing, Unseen, Wish
from fleet.rebalancing.rules.situation import Situation, VehicleAt
from fleet.rebalancing.states import TaskKind, TaskState
from fleet.vehicles.mds_tables import MdsState
from fleet.vehicles.models import VehicleEvent, VehicleType
from fleet.vehicles.states import BlockReason
from mobility.core.geo import haversine_m

# A vehicle whose battery nobody told is taken for half full.
UNKNOWN_PCT = 50.0
USUAL_HOURS = 0.25
USUAL_USE_PCT = 6.0
LONGEST_TRIP = datetime.timedelta(hours=12)
_MENDABLE = {BlockReason.LOW_BATTERY.value}


@dataclass(frozen=True, kw_only=True)
class Day:
    """A past day as it began, and what was wished for."""

    fleet: tuple[Standing, ...]
    seen: tuple[Wish, ...]
    unseen: dict[str, Unseen]
    situation: Situation  # as a planner at its start would have read it


def load_day(
    *,
    organisation_id: int,
    city_id: int,
    parameters: Parameters,
    start: datetime.datetime,
    end: datetime.datetime,
) -> Day:
    """The fleet at `start`, the trips until `end`, and the demand that nobody could see.

    Demand is what the forecast of that moment said, without a look at what came. Vehicles that were
    out of service for more than an empty battery take no part, nor do those that came back during the
    day: in neither of the two days.
    """
    start = full_hour(start)
    hours = max(1, int((end - start) / HOUR))
    situation = load_situation(
        organisation_id=organisation_id,
        city_id=city_id,
        parameters=replace(parameters, horizon_hours=hours),
        horizon_start=start,
        at=start,
    )
    rows = _rows(organisation_id, city_id, parameters=parameters, start=start, end=end)
    fleet = tuple(_fleet(rows, start=start))
    seen = _trips(rows, start=start, parameters=parameters)
    changes = load_changes(
        organisation_id=organisation_id,
        city_id=city_id,
        kinds=parameters.kinds,
        start=start,
        end=end,
    )
    place_of = {int(cell): place for place, cell in enumerate(situation.cells)}
    window = Window(bucket_of_hour=buckets_of(start=start, hours=hours))
    unseen = {}
    for kind, demand in situation.demand.items():
        log = state_log(changes=changes.of_kind(kind), place_of=place_of)
        present = past_of(log=log, window=window, places=len(place_of)).present
        mine = [wish for wish in seen if wish.kind == kind]
        unseen[kind] = Unseen(
            cells=situation.cells,
            expected=demand.departures[:, :hours] * (1.0 - present),
            arrivals=demand.arrivals[:, :hours],
            hours=np.array([wish.hours for wish in mine] or [USUAL_HOURS]),
            use_pct=np.array([wish.use_pct for wish in mine] or [USUAL_USE_PCT]),
        )
    return Day(
        fleet=fleet,
        seen=tuple(seen),
        unseen=unseen,
        situation=replace(situation, vehicles=_standing_then(fleet, situation, parameters)),
    )


def deeds_walked(plan: RebalancingPlan, *, start: datetime.datetime) -> list[Deed]:
    """What the crews of a plan really did, when they did it."""
    start = full_hour(start)
    tasks = plan.tasks.filter(state=TaskState.DONE, finished_at__isnull=False)
    return [
        Deed(
            at=max(0.0, (task.finished_at - start) / HOUR),
            what=_what(task.kind),
            kind=task.vehicle_kind,
            cell=task.cell,
            van=task.van,
            vehicle_id=task.vehicle_id,
            quantity=task.done_quantity,
        )
        for task in tasks.order_by("finished_at", "sequence")
        if task.finished_at and _what(task.kind)
    ]


def deeds_drafted(
    tasks: Iterable[Any], *, start: datetime.datetime, crew_minutes: float, vans: int
) -> list[Deed]:
    """What crews would have done by a drafted plan: when it says so, else evenly over their minutes."""
    start, rows = full_hour(start), list(tasks)
    of_van: dict[int, int] = {}
    for task in rows:
        of_van[task.van] = of_van.get(task.van, 0) + 1
    each = crew_minutes / 60.0 / max(1, min(vans, len(of_van)))
    done: dict[int, int] = {}
    deeds = []
    for task in rows:
        done[task.van] = done.get(task.van, 0) + 1
        planned = getattr(task, "planned_at", None)
        at = (planned - start) / HOUR if planned else each * done[task.van] / of_van[task.van]
        if what := _what(task.kind):
            deeds.append(
                Deed(
                    at=max(0.0, at),
                    what=what,
                    kind=task.vehicle_kind,
                    cell=task.cell,
                    van=task.van,
                    vehicle_id=task.vehicle_id,
                    quantity=task.quantity,
                )
            )
    return deeds


def drafted_km(tasks: Iterable[Any], *, situation: Situation, parameters: Parameters) -> float:
    """The vans' ways from the depot over their stops and back, straight lines times the detour."""
    routes: dict[int, list[tuple[float, float]]] = {}
    home = (situation.depot_lon, situation.depot_lat)
    for task in tasks:
        routes.setdefault(task.van, [home]).append((task.lon, task.lat))
    metres = 0.0
    for spots in routes.values():
        legs = zip(spots, [*spots[1:], home], strict=True)
        metres += sum(float(haversine_m(*a, *b)) for a, b in legs)
    return metres * parameters.detour / 1000.0


def _what(kind: str) -> str:
    words = {
        TaskKind.MOVE_PICKUP: TAKE,
        TaskKind.MOVE_DROPOFF: PUT,
        TaskKind.SWAP_BATTERY: CHARGE,
    }
    return words.get(TaskKind(kind), "")


def _rows(
    organisation_id: int,
    city_id: int,
    *,
    parameters: Parameters,
    start: datetime.datetime,
    end: datetime.datetime,
) -> list[VehicleEvent]:
    """Each vehicle's last change before the start, then all until the end, by vehicle and time."""
    events = VehicleEvent.objects.filter(
        vehicle__organisation=organisation_id,
        vehicle__city=city_id,
        vehicle__type__kind__in=parameters.kinds,
    ).select_related("vehicle__type")
    before = events.filter(at__lt=start).order_by("vehicle_id", "-at", "-id").distinct("vehicle_id")
    within = events.filter(at__gte=start, at__lt=end).order_by("vehicle_id", "at", "id")
    return sorted([*before, *within], key=lambda row: (row.vehicle_id, row.at, row.pk))


def _fleet(rows: list[VehicleEvent], *, start: datetime.datetime) -> list[Standing]:
    """Vehicles that stand on the street when the day begins, empty ones too."""
    fleet = []
    for row in rows:
        flat = row.mds_state == MdsState.NON_OPERATIONAL and set(row.blocks) == _MENDABLE
        stands = row.mds_state == MdsState.AVAILABLE or flat
        if row.at >= start or not stands or row.lon is None or row.lat is None:
            continue
        known = UNKNOWN_PCT if row.battery_pct is None else float(row.battery_pct)
        fleet.append(
            Standing(
                vehicle_id=row.vehicle_id,
                kind=row.vehicle.type.kind,
                cell=cell_at(lon=row.lon, lat=row.lat),
                battery_pct=0.0 if flat else known,
            )
        )
    return fleet


def _trips(
    rows: list[VehicleEvent], *, start: datetime.datetime, parameters: Parameters
) -> list[Wish]:
    """Every trip that began, to where its vehicle's next trip end was."""
    trips, began = [], None
    for row in rows:
        if began is not None and row.vehicle_id != began.vehicle_id:
            began = None
        if TRIP_STARTS in row.mds_events and row.at >= start and row.lon is not None:
            began = row
        elif TRIP_ENDS in row.mds_events and began is not None and row.lon is not None:
            if row.at - began.at <= LONGEST_TRIP:
                trips.append(_wish(began, row, start=start, parameters=parameters))
            began = None
    return trips


def _wish(
    began: VehicleEvent, ended: VehicleEvent, *, start: datetime.datetime, parameters: Parameters
) -> Wish:
    here, there = _spot(began), _spot(ended)
    metres = float(haversine_m(*here, *there)) * parameters.detour
    return Wish(
        at=(began.at - start) / HOUR,
        kind=began.vehicle.type.kind,
        cell=cell_at(lon=here[0], lat=here[1]),
        to=cell_at(lon=there[0], lat=there[1]),
        hours=(ended.at - began.at) / HOUR,
        use_pct=_use_pct(began, ended, metres=metres),
    )


def _spot(row: VehicleEvent) -> tuple[float, float]:
    """Where it was; the caller chose rows with a place, and a place has both."""
    assert row.lon is not None
    assert row.lat is not None
    return row.lon, row.lat


def _use_pct(began: VehicleEvent, ended: VehicleEvent, *, metres: float) -> float:
    """What the battery told, else the way over the model's range."""
    if began.battery_pct is not None and ended.battery_pct is not None:
        told = float(began.battery_pct - ended.battery_pct)
        if told > 0:
            return told
    model: VehicleType = began.vehicle.type
    return 100.0 * metres / max(1, model.max_range_m)


def _standing_then(
    fleet: Iterable[Standing], situation: Situation, parameters: Parameters
) -> tuple[VehicleAt, ...]:
    """The fleet of that morning as a planner reads it; what stood outside of every known place is left."""
    place_of = {int(cell): place for place, cell in enumerate(situation.cells)}
    found = []
    for one in fleet:
        if one.cell not in place_of:
            continue
        lon, lat = centre_of(one.cell)
        usable = one.battery_pct >= parameters.low_battery_pct
        found.append(
            VehicleAt(
                vehicle_id=one.vehicle_id,
                kind=one.kind,
                place=place_of[one.cell],
                lon=lon,
                lat=lat,
                battery_pct=int(one.battery_pct),
                usable=usable,
                movable=True,
            )
        )
    return tuple(found)
