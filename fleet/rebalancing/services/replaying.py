"""Living past days again, to see what a plan was worth.

DomainError
└── Conflict  NothingToReplay
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from fleet.rebalancing import queries
from fleet.rebalancing.models import DayReplay, RebalancingPlan
from fleet.rebalancing.queries.replay import Day, deeds_drafted, deeds_walked, drafted_km, load_day
from fleet.rebalancing.rules.draft import draft_plan
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.replay import Deed, compare_days
from fleet.rebalancing.rules.score import crew_work
from fleet.rebalancing.services.planning import NoFleet
from fleet.rebalancing.solver.search import Effort
from fleet.rebalancing.states import TaskState
from mobility.core.clock import CITY_ZONE
from mobility.core.errors import Conflict
from mobility.core.principals import Principal

SEEDS = 20
# When the nightly plan is made; crews have their time from here on.
NIGHT = datetime.time(3, 30)


class NothingToReplay(Conflict):
    code = "nothing_to_replay"
    message = _("No vehicle stood on the street then: there is no day to live again.")


def replay_plan(
    *, plan_id: int, at: datetime.datetime, by: Principal, seeds: int = SEEDS
) -> DayReplay:
    """Live the day of a plan again with what its crews really did, and without; replaces an earlier one.

    From the plan's publication (or its first deed) to the end of its horizon. Raises
    `NothingToReplay`.
    """
    plan = RebalancingPlan.objects.get(pk=plan_id)
    parameters = Parameters.from_json(plan.parameters)
    first = plan.tasks.filter(state=TaskState.DONE).order_by("finished_at").first()
    begun = [plan.published_at, first.claimed_at if first else None]
    start = min(known for known in (*begun, plan.horizon_start) if known is not None)
    day = _day(plan.organisation_id, plan.city_id, parameters, start=start, end=plan.horizon_end)
    crew = crew_work(queries.outcomes_of(plan), tariff=queries.tariff_of(plan))
    result = _compare(
        day,
        parameters=parameters,
        deeds=deeds_walked(plan, start=start),
        seeds=seeds,
        crew={"minutes": crew["minutes"], "km": crew["km"], "cost_cents": crew["cost_cents"]},
        plan_is="walked",
    )
    row, _created = DayReplay.objects.update_or_create(
        plan=plan,
        defaults={
            "organisation_id": plan.organisation_id,
            "city_id": plan.city_id,
            "start": start,
            "end": plan.horizon_end,
            "replayed_at": at,
            "replayed_by": by,
            "seeds": seeds,
            "parameters": plan.parameters,
            "result": result,
        },
    )
    return row


def replay_day(
    *,
    organisation_id: int,
    day: datetime.date,
    at: datetime.datetime,
    by: Principal,
    parameters: Mapping[str, Any] | None = None,
    seeds: int = SEEDS,
    effort: Effort | None = None,
) -> DayReplay:
    """Draft the plan that the night before `day` would have made, and live the day with it and without.

    Nothing is sent to crews: the draft lives in the replay alone. Raises `NoFleet`, `NothingToReplay`.
    """
    city_id = queries.city_of(organisation_id=organisation_id)
    if city_id is None:
        raise NoFleet
    chosen = Parameters.from_json(parameters or {})
    start = datetime.datetime.combine(day, NIGHT, tzinfo=CITY_ZONE).astimezone(datetime.UTC)
    end = start + datetime.timedelta(hours=chosen.horizon_hours)
    lived = _day(organisation_id, city_id, chosen, start=start, end=end)
    draft = draft_plan(
        situation=lived.situation, parameters=chosen, effort=effort or Effort(seconds=5.0)
    )
    deeds = deeds_drafted(
        draft.tasks, start=start, crew_minutes=draft.crew_minutes, vans=chosen.vans
    )
    km = drafted_km(draft.tasks, situation=lived.situation, parameters=chosen)
    result = _compare(
        lived,
        parameters=chosen,
        deeds=deeds,
        seeds=seeds,
        crew={
            "minutes": round(draft.crew_minutes, 1),
            "km": round(km, 1),
            "cost_cents": round(draft.crew_minutes * chosen.cost_cents_per_minute),
        },
        plan_is="drafted",
    )
    result["promised"] = {"trips": round(draft.extra_trips, 1), "value_cents": draft.value_cents}
    return DayReplay.objects.create(
        organisation_id=organisation_id,
        city_id=city_id,
        start=start,
        end=end,
        replayed_at=at,
        replayed_by=by,
        seeds=seeds,
        parameters=chosen.as_json(),
        result=result,
    )


def _day(
    organisation_id: int,
    city_id: int,
    parameters: Parameters,
    *,
    start: datetime.datetime,
    end: datetime.datetime,
) -> Day:
    day = load_day(
        organisation_id=organisation_id,
        city_id=city_id,
        parameters=parameters,
        start=start,
        end=end,
    )
    if not day.fleet:
        raise NothingToReplay
    return day


def _compare(
    day: Day,
    *,
    parameters: Parameters,
    deeds: list[Deed],
    seeds: int,
    crew: dict[str, Any],
    plan_is: str,
) -> dict[str, Any]:
    result = compare_days(
        fleet=day.fleet,
        seen=day.seen,
        unseen=day.unseen,
        deeds=deeds,
        low_pct=parameters.low_battery_pct,
        seeds=seeds,
        margin_cents=parameters.margin_cents,
        cost_cents=crew["cost_cents"],
    )
    return {**result, "crew": crew, "plan_is": plan_is, "vehicles": len(day.fleet)}
