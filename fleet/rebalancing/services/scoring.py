"""Yesterday's plan against what happened."""

from __future__ import annotations

import datetime
from typing import Any

from fleet.rebalancing import queries
from fleet.rebalancing.models import RebalancingPlan
from fleet.rebalancing.rules.forecast import Spread
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.score import score


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
    outcomes = queries.outcomes_of(plan)
    vehicles = {vehicle for outcome in outcomes for vehicle in outcome.vehicles}
    spread = plan.summary.get("spread", {})
    return score(
        expected=plan.expected,
        realised=realised,
        outcomes=outcomes,
        spread={kind: Spread.from_json(stored) for kind, stored in spread.items()},
        rides=queries.rides_of(
            vehicle_ids=vehicles, start=plan.horizon_start, end=plan.horizon_end
        ),
        tariff=queries.tariff_of(plan),
    )
