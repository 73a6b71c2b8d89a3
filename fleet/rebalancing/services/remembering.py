"""Keeping a plan's reading of the past from its computation to its last revision."""

from __future__ import annotations

import datetime

import redis
import structlog
from django.core.cache import cache

from fleet.rebalancing import queries
from fleet.rebalancing.models import RebalancingPlan
from fleet.rebalancing.rules.habit import Habit, HabitUnreadable, basis_of, pack, unpack
from fleet.rebalancing.rules.parameters import Parameters

log = structlog.get_logger(__name__)

# Plans are closed some time after their horizon.
GRACE = datetime.timedelta(days=1)


def habit_for(plan: RebalancingPlan, *, parameters: Parameters) -> Habit:
    """The past as it was known when the plan was asked for: kept from an earlier version of the
    plan, else read, which gives the same and takes longer.

    It is only ever a copy of what the tables say: a cache that lost it, or does not answer, costs
    seconds and changes no result. Parameters that make another past of it are noticed.
    """
    basis = basis_of(parameters=parameters, end=queries.full_hour(plan.requested_at))
    habit = _kept(plan)
    if habit is None or habit.basis != basis:
        habit = queries.load_habit(
            organisation_id=plan.organisation_id,
            city_id=plan.city_id,
            parameters=parameters,
            at=plan.requested_at,
        )
        _keep(plan, habit=habit)
    return habit


def habit_key(plan: RebalancingPlan) -> str:
    """Where the cache has a plan's past."""
    return f"rebalancing:habit:{plan.public_id}"


def _kept(plan: RebalancingPlan) -> Habit | None:
    try:
        packed = cache.get(habit_key(plan))
        return None if packed is None else unpack(packed)
    except (redis.RedisError, HabitUnreadable) as reason:
        log.warning("habit_not_kept", plan=str(plan.public_id), reason=repr(reason))
        return None


def _keep(plan: RebalancingPlan, *, habit: Habit) -> None:
    seconds = int((plan.horizon_end - plan.requested_at + GRACE).total_seconds())
    try:
        cache.set(habit_key(plan), pack(habit), timeout=seconds)
    except redis.RedisError as reason:
        log.warning("habit_not_kept", plan=str(plan.public_id), reason=repr(reason))
