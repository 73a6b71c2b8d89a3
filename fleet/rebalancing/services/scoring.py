"""Yesterday's plan against what happened."""

from __future__ import annotations

import datetime
from typing import Any

from fleet.rebalancing import queries
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.rules.forecast import Spread
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.score import Outcome, Tariff, score
from fleet.rebalancing.states import TaskKind, TaskState


def score_plans(*, at: datetime.datetime) -> list[RebalancingPlan]:
    """Score every published plan whose horizon is over; returns those scored now."""
    plans = list(RebalancingPlan.objects.ended_unscored(at=at))
    for plan in plans:
        plan.score = _score(plan)
        plan.save(update_fields=["score"])
    return plans


def _score(plan: RebalancingPlan) -> dict[str, Any]:
    parameters = Parameters.from_json(plan.parameters)
    realised = queries.departures_by_cell(
        organisation_id=plan.organisation_id,
        city_id=plan.city_id,
        kinds=parameters.kinds,
        start=plan.horizon_start,
        end=plan.horizon_end,
    )
    outcomes = [_outcome(task) for task in plan.tasks.prefetch_related("deliveries")]
    vehicles = {vehicle for outcome in outcomes for vehicle in outcome.vehicles}
    spread = plan.summary.get("spread", {})
    margins = parameters.margin_cents.values()
    first = plan.summary.get("first", plan.summary)
    return score(
        expected=plan.expected,
        realised=realised,
        outcomes=outcomes,
        spread={kind: Spread.from_json(stored) for kind, stored in spread.items()},
        rides=queries.rides_of(
            vehicle_ids=vehicles, start=plan.horizon_start, end=plan.horizon_end
        ),
        tariff=Tariff(
            cost_cents_per_minute=parameters.cost_cents_per_minute,
            margin_cents=sum(margins) / max(1, len(margins)),
            detour=parameters.detour,
            planned_minutes=first.get("crew_minutes", 0.0),
        ),
    )


def _outcome(task: RebalancingTask) -> Outcome:
    """What a task promised and did, as the pure score wants it."""
    vehicles: tuple[int, ...] = ()
    if task.kind == TaskKind.SWAP_BATTERY and task.vehicle_id is not None:
        vehicles = (task.vehicle_id,)
    elif task.kind == TaskKind.MOVE_DROPOFF:
        brought = (pickup.vehicle_id for pickup in task.deliveries.all())
        vehicles = tuple(vehicle for vehicle in brought if vehicle is not None)
    promised = float(task.reason_params.get("trips", 0.0))
    return Outcome(
        value_cents=task.value_cents,
        done=task.state == TaskState.DONE,
        van=task.van,
        cell=task.cell,
        lon=task.lon,
        lat=task.lat,
        trips=promised * task.done_quantity / max(1, task.quantity),
        vehicles=vehicles,
        claimed_at=task.claimed_at,
        finished_at=task.finished_at,
    )
