"""Reading for rewards: what there is still money for, and what somebody was promised."""

import datetime
import uuid
from collections.abc import Iterable

from bookings.rewards import rules
from bookings.rewards.models import RewardBudget, RewardClaim, RewardDay
from bookings.rewards.states import ClaimState
from fleet.incentives.models import IncentiveOffer
from mobility.core import clock


def money_left(*, organisation_ids: Iterable[int], at: datetime.datetime) -> dict[int, int]:
    """Cents that operators may still promise today, by organisation; two queries."""
    wanted = set(organisation_ids)
    budgets = RewardBudget.objects.filter(organisation__in=wanted)
    left = dict(budgets.values_list("organisation", "day_cents"))
    today = RewardDay.objects.filter(organisation__in=wanted, on=clock.service_day(at))
    for day in today:
        left[day.organisation_id] = day.budget_cents - day.promised_cents - day.spent_cents
    return left


def affordable(*, offers: Iterable[IncentiveOffer], at: datetime.datetime) -> list[IncentiveOffer]:
    """Those of the offers for which today's budget is enough."""
    found = list(offers)
    left = money_left(organisation_ids=(offer.organisation_id for offer in found), at=at)
    return [offer for offer in found if offer.reward_cents <= left.get(offer.organisation_id, 0)]


def may_earn(*, user_id: int, organisation_id: int, at: datetime.datetime) -> bool:
    """Whether the person has had fewer rewards of the operator today than one may have."""
    budget = RewardBudget.objects.filter(organisation=organisation_id).first()
    if budget is None:
        return False
    numbers = RewardClaim.objects.counting().filter(
        user=user_id, day__organisation=organisation_id, day__on=clock.service_day(at)
    )
    taken = numbers.values_list("number", flat=True)
    return rules.next_number(taken, most=budget.per_person_day) is not None


def reward_of(*, ride: uuid.UUID) -> RewardClaim | None:
    """The reward that a ride (by its reservation) carries, if any."""
    claims = RewardClaim.objects.counting().filter(ride=ride)
    return claims.select_related("offer__hub", "offer__vehicle").first()


def standing_reward_of(*, ride: uuid.UUID, at: datetime.datetime) -> RewardClaim | None:
    """The reward that a ride carries, unless its time is over and nobody has swept it up yet."""
    claim = reward_of(ride=ride)
    if claim is None or (claim.state == ClaimState.PROMISED and claim.expires_at <= at):
        return None
    return claim
