"""Yesterday's plan against what happened."""

from __future__ import annotations

import datetime
from typing import Any

from fleet.rebalancing import queries
from fleet.rebalancing.models import RebalancingPlan
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.score import Outcome, score
from fleet.rebalancing.states import TaskState


def score_plans(*, at: datetime.datetime) -> list[RebalancingPlan]:
    """Score every published plan whose horizon is over; returns those scored now."""
    plans = list(RebalancingPlan.objects.ended_unscored(at=at))
    for plan in plans:
        plan.score = _score(plan)
        plan.save(update_fields=["score"])
    return plans


def _score(plan: RebalancingPlan) -> dict[str, Any]:
    realised = queries.departures_by_cell(
        organisation_id=plan.organisation_id,
        city_id=plan.city_id,
        kinds=Parameters.from_json(plan.parameters).kinds,
        start=plan.horizon_start,
        end=plan.horizon_end,
    )
    outcomes = [
        Outcome(value_cents=task.value_cents, done=task.state == TaskState.DONE)
        for task in plan.tasks.only("value_cents", "state")
    ]
    return score(expected=plan.expected, realised=realised, outcomes=outcomes)
