"""Yesterday's rewards against what happened."""

import datetime
from collections import Counter
from typing import Any

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
    for day in RewardDay.objects.unscored(before=clock.service_day(at - AFTER)):
        if day.claims.filter(state__in=WAITING).exists():
            continue
        day.score = _outcome(day)
        day.save(update_fields=["score"])
        scored.append(day)
    return scored


def _outcome(day: RewardDay) -> dict[str, Any]:
    start, end = _bounds(day.on)
    claims = list(RewardClaim.objects.filter(day=day).select_related("offer"))
    rides: Counter[int] = Counter()
    for claim in claims:
        if claim.earned_at is None or claim.granted_cents == 0:
            continue
        after = rides_of(
            vehicle_ids=[claim.vehicle_id],
            start=claim.earned_at,
            end=claim.earned_at + AFTER,
        )
        rides[claim.vehicle_id] = max(rides[claim.vehicle_id], min(1, len(after)))
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
        rides=rides,
    )


def _bounds(on: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
    """Midnight to midnight on the city's wall clock."""
    midnight = datetime.time.min
    following = on + datetime.timedelta(days=1)
    return (
        datetime.datetime.combine(on, midnight, tzinfo=clock.CITY_ZONE),
        datetime.datetime.combine(following, midnight, tzinfo=clock.CITY_ZONE),
    )
