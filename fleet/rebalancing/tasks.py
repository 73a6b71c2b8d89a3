"""Doors for Celery into rebalancing."""

from __future__ import annotations

from contextlib import suppress

from celery import shared_task

from fleet.rebalancing import services
from fleet.vans.services import forget_road_tables
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import LifeState
from mobility.core import clock
from mobility.core.principals import system_principal

PLANNER = system_principal("planner")


@shared_task(name="fleet.rebalancing.compute", queue="planning")
def compute(*, plan_id: int, seconds: float) -> None:
    """Compute a plan that somebody asked for."""
    try:
        services.compute_plan(plan_id=plan_id, seconds=seconds, at=clock.now(), by=PLANNER)
    except Exception:
        services.fail_plan(plan_id=plan_id, at=clock.now(), by=PLANNER)
        raise


@shared_task(name="fleet.rebalancing.revise", queue="planning")
def revise(*, plan_id: int) -> None:
    """Route the rest of a plan around what staff and crews decided."""
    services.revise_plan(plan_id=plan_id, at=clock.now(), by=PLANNER)


@shared_task(name="fleet.rebalancing.adapt", queue="planning")
def adapt() -> int:
    """Revise the plans that reality overtook; returns how many."""
    return services.adapt_plans(at=clock.now(), by=PLANNER)


@shared_task(name="fleet.rebalancing.plan_night", queue="planning")
def plan_night() -> int:
    """Clear what was left lying and ask for a plan for every operator; returns their number."""
    at = clock.now()
    services.close_overdue_plans(at=at, by=PLANNER)
    forget_road_tables(at=at)
    operators = Vehicle.objects.filter(life_state=LifeState.IN_SERVICE).order_by("organisation")
    asked = 0
    for organisation_id in operators.values_list("organisation", flat=True).distinct():
        services.request_plan(organisation_id=organisation_id, at=at, by=PLANNER)
        asked += 1
    return asked


@shared_task(name="fleet.rebalancing.score_yesterday", queue="planning")
def score_yesterday() -> int:
    """Compare every plan whose horizon is over with what happened, and ask to live its day again."""
    scored = services.score_plans(at=clock.now())
    for plan in scored:
        replay.delay(plan_id=plan.pk)
    return len(scored)


@shared_task(name="fleet.rebalancing.replay", queue="planning")
def replay(*, plan_id: int) -> None:
    """Live the day of a plan again, with it and without."""
    with suppress(services.NothingToReplay):
        services.replay_plan(plan_id=plan_id, at=clock.now(), by=PLANNER)
