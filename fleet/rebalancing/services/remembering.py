"""Keeping what was read of the past: with a plan to its last revision, and for an hour."""

from __future__ import annotations

import datetime

import redis
import structlog
from django.core.cache import cache

from fleet.rebalancing import queries
from fleet.rebalancing.models import RebalancingPlan
from fleet.rebalancing.rules.habit import Habit, HabitUnreadable, basis_of, pack, unpack
from fleet.rebalancing.rules.parameters import Parameters
from mobility.accounts.models import Organisation

log = structlog.get_logger(__name__)

# Plans are closed some time after their horizon.
GRACE = datetime.timedelta(days=1)
AN_HOUR_AND_MORE = 4_000  # seconds


def habit_for(plan: RebalancingPlan, *, parameters: Parameters) -> Habit:
    """The past as it was known when the plan was asked for: kept from an earlier version of the
    plan, else read, which gives the same and takes longer.

    It is only ever a copy of what the tables say: a cache that lost it, or does not answer, costs
    seconds and changes no result. Parameters that make another past of it are noticed.
    """
    lasts = plan.horizon_end - plan.requested_at + GRACE
    return _kept_or_read(
        habit_key(plan),
        organisation_id=plan.organisation_id,
        city_id=plan.city_id,
        parameters=parameters,
        at=plan.requested_at,
        seconds=int(lasts.total_seconds()),
    )


def habit_of_the_hour(
    *, organisation: Organisation, city_id: int, parameters: Parameters, at: datetime.datetime
) -> Habit:
    """The past up to the hour that `at` lies in, read once in that hour whoever asks for it."""
    return _kept_or_read(
        f"rebalancing:habit-of-the-hour:{organisation.public_id}:{city_id}",
        organisation_id=organisation.pk,
        city_id=city_id,
        parameters=parameters,
        at=at,
        seconds=AN_HOUR_AND_MORE,
    )


def habit_key(plan: RebalancingPlan) -> str:
    """Where the cache has a plan's past."""
    return f"rebalancing:habit:{plan.public_id}"


def _kept_or_read(
    key: str,
    *,
    organisation_id: int,
    city_id: int,
    parameters: Parameters,
    at: datetime.datetime,
    seconds: int,
) -> Habit:
    basis = basis_of(parameters=parameters, end=queries.full_hour(at))
    habit = _kept(key)
    if habit is None or habit.basis != basis:
        habit = queries.load_habit(
            organisation_id=organisation_id, city_id=city_id, parameters=parameters, at=at
        )
        _keep(key, habit=habit, seconds=seconds)
    return habit


def _kept(key: str) -> Habit | None:
    try:
        packed = cache.get(key)
        return None if packed is None else unpack(packed)
    except (redis.RedisError, HabitUnreadable) as reason:
        log.warning("habit_not_kept", key=key, reason=repr(reason))
        return None


def _keep(key: str, *, habit: Habit, seconds: int) -> None:
    try:
        cache.set(key, pack(habit), timeout=seconds)
    except redis.RedisError as reason:
        log.warning("habit_not_kept", key=key, reason=repr(reason))
