"""Asking for a plan, and computing it."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.rebalancing import queries
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.rules.draft import PlanDraft, TaskDraft, draft_plan, worth_a_stop
from fleet.rebalancing.rules.offers import Offer
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.riders import Note, left_to_riders
from fleet.rebalancing.rules.situation import Situation
from fleet.rebalancing.rules.standing import Visit
from fleet.rebalancing.rules.vans import VanNow, afloat, vans_of
from fleet.rebalancing.services.remembering import habit_for
from fleet.rebalancing.services.travelling import choose_travel, travel_times
from fleet.rebalancing.solver.search import Effort
from fleet.rebalancing.states import PlanState, TaskKind
from fleet.vans.models import TravelTable
from fleet.vans.queries import workshops
from fleet.zones.queries import parking_verdict
from mobility.core import audit, jobs
from mobility.core.errors import Conflict
from mobility.core.principals import Principal
from mobility.core.transitions import move

HOUR = datetime.timedelta(hours=1)
# From asking for a plan to the first trip it helps: crews need the time in between.
LEAD = datetime.timedelta(hours=2)
# A plan from before that is too different a city to begin with.
RECENT = datetime.timedelta(days=8)
DEFAULT_SECONDS = 20.0
# Side by side, one thread and seed each; the best counts.
SEARCHES = 2
# Credited for bringing in a broken vehicle where there is a workshop: as for a flat one.
WORKSHOP_TRIPS = 4.0
# Good practice of crews: a vehicle put down between two others needs no survey.
DROP_ACCURACY_M = 10.0


class NoFleet(Conflict):
    code = "no_fleet"
    message = _("This operator has no vehicles on the street to plan for.")


def request_plan(
    *,
    organisation_id: int,
    at: datetime.datetime,
    by: Principal,
    seconds: float = DEFAULT_SECONDS,
    city_id: int | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> RebalancingPlan:
    """Note the wish for a plan and let a worker compute it. Raises `NoFleet`."""
    with transaction.atomic():
        plan = _create(
            organisation_id=organisation_id, city_id=city_id, parameters=parameters, at=at, by=by
        )
        jobs.enqueue("fleet.rebalancing.compute", plan_id=plan.pk, seconds=seconds)
    return plan


def make_plan(
    *,
    organisation_id: int,
    at: datetime.datetime,
    by: Principal,
    seconds: float = DEFAULT_SECONDS,
    city_id: int | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> RebalancingPlan:
    """Compute a plan here and now: a draft for staff to look at. Raises `NoFleet`."""
    with transaction.atomic():
        plan = _create(
            organisation_id=organisation_id, city_id=city_id, parameters=parameters, at=at, by=by
        )
    return compute_plan(plan_id=plan.pk, seconds=seconds, at=at, by=by)


def compute_plan(
    *,
    plan_id: int,
    at: datetime.datetime,
    by: Principal,
    seconds: float = DEFAULT_SECONDS,
    rounds: int | None = None,
) -> RebalancingPlan:
    """Fill a plan that is being computed; a plan in any other state is left alone.

    The search runs for `seconds` outside of any transaction; only the result is written in one.
    `rounds` instead of seconds makes the result the same on every machine.
    """
    plan = RebalancingPlan.objects.get(pk=plan_id)
    if plan.state != PlanState.COMPUTING:
        return plan
    ready = prepare_plan(plan, at=at, by=by)
    draft = search_plan(ready, effort=effort(seconds=seconds, rounds=rounds))
    plan.travel = ready.travel
    tasks = [on_legal_ground(task, plan=plan, at=at) for task in draft.tasks]
    with transaction.atomic():
        _store(plan, draft=draft, tasks=tasks, at=at, by=by)
    return plan


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ready:
    """All that a plan's search starts from."""

    situation: Situation
    parameters: Parameters
    vans: tuple[VanNow, ...]
    stops: list[Offer]
    travel: TravelTable | None
    notes: list[dict[str, Any]]
    standing: list[Visit]


def prepare_plan(plan: RebalancingPlan, *, at: datetime.datetime, by: Principal) -> Ready:
    """Read what a plan starts from: the city less what riders were asked to do in it, the vans as
    they stand, stops worth something, ways between them, and what the last plan had the vans do."""
    parameters = Parameters.from_json(plan.parameters)
    situation = queries.load_situation(
        organisation_id=plan.organisation_id,
        city_id=plan.city_id,
        parameters=parameters,
        horizon_start=plan.horizon_start,
        at=at,
        habit=habit_for(plan, parameters=parameters),
    )
    loaded = _loaded(plan, situation=situation, parameters=parameters)
    situation = dataclasses.replace(situation, afloat=afloat(loaded))
    situation, left = less_riders_work(situation, plan=plan, at=at)
    stops = worth_a_stop(situation=situation, parameters=parameters)
    table, notes = choose_travel(
        plan, situation=situation, parameters=parameters, stops=stops, at=at, by=by
    )
    return Ready(
        situation=situation,
        parameters=parameters,
        vans=loaded,
        stops=stops,
        travel=table,
        notes=[*notes, *left],
        standing=queries.visits_before(
            organisation_id=plan.organisation_id, city_id=plan.city_id, since=at - RECENT
        ),
    )


def less_riders_work(
    situation: Situation, *, plan: RebalancingPlan, at: datetime.datetime
) -> tuple[Situation, list[Note]]:
    """The situation as if riders had done what they are expected to do, and remarks on it."""
    work = queries.rider_work(organisation_id=plan.organisation_id, city_id=plan.city_id, at=at)
    return left_to_riders(situation=situation, work=work)


def search_plan(ready: Ready, *, effort: Effort) -> PlanDraft:
    """The best plan that a search of so much effort finds; writes nothing."""
    return draft_plan(
        situation=ready.situation,
        parameters=ready.parameters,
        effort=effort,
        vans=ready.vans,
        stops=ready.stops,
        travel=travel_times(ready.travel),
        notes=ready.notes,
        standing=ready.standing,
    )


def effort(*, seconds: float, rounds: int | None) -> Effort:
    """How long to search: both cores for some seconds, or one for a fixed number of rounds."""
    return Effort(seconds=seconds, rounds=rounds, searches=1 if rounds is not None else SEARCHES)


def _loaded(
    plan: RebalancingPlan, *, situation: Situation, parameters: Parameters
) -> tuple[VanNow, ...]:
    """The vans before they start, where any still carries what an earlier plan put onto it."""
    left = queries.aboard_since_before(organisation_id=plan.organisation_id, city_id=plan.city_id)
    specs = vans_of(parameters, depot=(situation.depot_lon, situation.depot_lat))
    if not left:
        return ()
    return tuple(
        VanNow(
            lon=spec.start[0],
            lat=spec.start[1],
            aboard=left.get(spec.van_id or str(number), {}).get(False, {}),
            broken=left.get(spec.van_id or str(number), {}).get(True, {}),
            begun=False,
        )
        for number, spec in enumerate(specs)
    )


def fail_plan(*, plan_id: int, at: datetime.datetime, by: Principal) -> None:
    """Close a plan whose computation broke, so that nobody waits for it."""
    with transaction.atomic():
        plan = RebalancingPlan.objects.get(pk=plan_id)
        if plan.state == PlanState.COMPUTING:
            move(plan, to=PlanState.CLOSED, at=at, by=by, reason="failed", closed_at=at)


def _create(
    *,
    organisation_id: int,
    city_id: int | None,
    parameters: Mapping[str, Any] | None,
    at: datetime.datetime,
    by: Principal,
) -> RebalancingPlan:
    city = city_id or queries.city_of(organisation_id=organisation_id)
    if city is None:
        raise NoFleet
    chosen = _with_vans(parameters or {}, organisation_id=organisation_id, city_id=city, at=at)
    start = _horizon_start(at)
    plan = RebalancingPlan.objects.create(
        organisation_id=organisation_id,
        city_id=city,
        requested_at=at,
        requested_by=by,
        horizon_start=start,
        horizon_end=start + HOUR * chosen.horizon_hours,
        parameters=chosen.as_json(),
    )
    audit.record(by=by, action="request_plan", row=plan, at=at)
    return plan


def _with_vans(
    asked: Mapping[str, Any], *, organisation_id: int, city_id: int, at: datetime.datetime
) -> Parameters:
    """The parameters, with the operator's own vans unless the wish says how many alike.

    Who keeps a workshop that vans bring broken vehicles to wants them brought.
    """
    chosen = Parameters.from_json(asked)
    if "workshop_trips" not in asked and workshops(
        organisation_id=organisation_id, city_id=city_id
    ):
        chosen = dataclasses.replace(chosen, workshop_trips=WORKSHOP_TRIPS)
    if "vans" in asked or "fleet" in asked:
        return chosen
    specs = queries.specs_of(organisation_id=organisation_id, city_id=city_id, at=at)
    fleet = tuple(spec.as_json() for spec in specs)
    return dataclasses.replace(chosen, fleet=fleet, vans=len(fleet)) if fleet else chosen


def _horizon_start(at: datetime.datetime) -> datetime.datetime:
    """The full hour after crews have had their time: a plan of 03:30 looks from 06:00 on."""
    ready = at + LEAD
    hour = ready.replace(minute=0, second=0, microsecond=0)
    return hour if hour == ready else hour + HOUR


def on_legal_ground(task: TaskDraft, *, plan: RebalancingPlan, at: datetime.datetime) -> TaskDraft:
    """The task, a drop-off that would stand where parking is forbidden moved to the nearest place."""
    if task.kind != TaskKind.MOVE_DROPOFF:
        return task
    verdict = parking_verdict(
        city_id=plan.city_id,
        organisation_id=plan.organisation_id,
        lon=task.lon,
        lat=task.lat,
        accuracy_m=DROP_ACCURACY_M,
        kind=task.vehicle_kind,
        at=at,
    )
    if verdict.allowed or verdict.nearest is None:
        return task
    return dataclasses.replace(task, lon=verdict.nearest.lon, lat=verdict.nearest.lat)


def _store(
    plan: RebalancingPlan,
    *,
    draft: PlanDraft,
    tasks: list[TaskDraft],
    at: datetime.datetime,
    by: Principal,
) -> None:
    move(
        plan,
        to=PlanState.DRAFT,
        at=at,
        by=by,
        summary=draft.summary(),
        expected=draft.expected_by_text(),
        travel=plan.travel,
    )
    RebalancingTask.objects.bulk_create(
        RebalancingTask(plan=plan, **task.columns()) for task in tasks
    )
