"""Yesterday's rewards against what happened."""

import datetime
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef

from bookings.rewards import rules
from bookings.rewards.models import RewardClaim, RewardDay
from bookings.rewards.states import WAITING
from fleet.incentives.queries import day_of_offers
from fleet.rebalancing.queries import rides_of
from mobility.core import clock

# How long after it was brought a vehicle's rides are counted: as long as a plan looks ahead.
AFTER = datetime.timedelta(hours=18)


def score_rewards(*, at: datetime.datetime) -> list[RewardDay]:
    """Score every day whose rewards are all decided and whose hours after are over."""
    scored = []
    waits = RewardClaim.objects.filter(day=OuterRef("pk"), state__in=WAITING)
    over = RewardDay.objects.unscored(before=clock.service_day(at - AFTER))
    for day in over.filter(~Exists(waits)):
        day.score = _outcome(day)
        day.save(update_fields=["score"])
        scored.append(day)
    return scored


def _outcome(day: RewardDay) -> dict[str, Any]:
    start, end = _bounds(day.on)
    claims = list(RewardClaim.objects.filter(day=day).select_related("offer"))
    return rules.outcome(
        offers=day_of_offers(organisation_id=day.organisation_id, start=start, end=end),
        claims=[
            {
                "state": claim.state,
                "vehicle_id": claim.vehicle_id,
                "granted_cents": claim.granted_cents,
                "trips": claim.offer.trips,
                "value_cents": claim.offer.value_cents,
                "van_cents": claim.offer.van_cents,
            }
            for claim in claims
        ],
        rides=_ridden_off(claims),
    )


def _ridden_off(claims: Sequence[RewardClaim]) -> dict[int, int]:
    """1 for each vehicle that was ridden off in the hours after it was brought; one query."""
    brought = defaultdict(list)
    for claim in claims:
        if claim.earned_at is not None and claim.granted_cents:
            brought[claim.vehicle_id].append(claim.earned_at)
    if not brought:
        return {}
    moments = [moment for each in brought.values() for moment in each]
    rides = rides_of(vehicle_ids=brought, start=min(moments), end=max(moments) + AFTER)
    return {
        ride.vehicle_id: 1
        for ride in rides
        if any(moment <= ride.at < moment + AFTER for moment in brought[ride.vehicle_id])
    }


def _bounds(on: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
    """Midnight to midnight on the city's wall clock."""
    midnight = datetime.time.min
    following = on + datetime.timedelta(days=1)
    return (
        datetime.datetime.combine(on, midnight, tzinfo=clock.CITY_ZONE),
        datetime.datetime.combine(following, midnight, tzinfo=clock.CITY_ZONE),
    )
