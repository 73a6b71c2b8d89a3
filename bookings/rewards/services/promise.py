"""A reward is promised for one ride: out of the day's budget, and no more often than is allowed.

DomainError
├── Conflict  NoRewards        the operator gives none, or today's budget is spent
├── Conflict  RewardLimit      as many a day as one person may have
└── Conflict  RewardPromised   this ride has one
"""

import datetime
import uuid

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from psycopg.errors import UniqueViolation

from bookings.rewards import rules
from bookings.rewards.models import RewardBudget, RewardClaim, RewardDay
from bookings.rewards.states import ClaimState, ReleaseReason
from fleet.incentives.models import IncentiveOffer
from fleet.incentives.services import give_back_offer, take_offer
from mobility.core import clock
from mobility.core.errors import Conflict
from mobility.core.principals import Principal
from mobility.core.transitions import move


class NoRewards(Conflict):
    """No budget, or none left today."""

    code = "rewards_spent"
    message = _("The rewards of today have all been given. Try again tomorrow.")


class RewardLimit(Conflict):
    """The person had as many today as one may have."""

    code = "reward_limit"
    message = _("You have had as many rewards today as one person may have.")


class RewardPromised(Conflict):
    """One ride, one reward."""

    code = "reward_promised"
    message = _("A reward is promised for this ride already.")


def promise_reward(
    *,
    user_id: int,
    offer: IncentiveOffer,
    ride: uuid.UUID,
    vehicle_id: int,
    from_cell: int | None,
    at: datetime.datetime,
    by: Principal,
) -> RewardClaim:
    """Set the offer's reward aside for a ride; amount and place stand from then on.

    1. The day's counter takes the money by one conditional UPDATE; a check of the database holds
       the same line (`NoRewards`).
    2. A place of the offer is promised (`OfferGone`).
    3. The person's next number of the day, and one reward per ride, are unique
       (`RewardLimit`, `RewardPromised`).
    """
    try:
        with transaction.atomic():
            return _promise(
                user_id=user_id,
                offer=offer,
                ride=ride,
                vehicle_id=vehicle_id,
                from_cell=from_cell,
                at=at,
                by=by,
            )
    except IntegrityError as problem:
        if not isinstance(problem.__cause__, UniqueViolation):
            raise
        same_ride = "reward_once_per_ride" in str(problem)
        raise (RewardPromised if same_ride else RewardLimit) from problem


def release_reward(
    *, claim: RewardClaim, reason: ReleaseReason, at: datetime.datetime, by: Principal
) -> RewardClaim:
    """The promise comes to nothing: money and place are free again. Raises `LostRace`.

    An earned one has filled its place, which stays filled.
    """
    with transaction.atomic():
        earned = claim.state == ClaimState.EARNED
        move(
            claim,
            to=ClaimState.RELEASED,
            at=at,
            by=by,
            reason=reason,
            closed_at=at,
            release_reason=reason,
        )
        _free(claim)
        if not earned:
            give_back_offer(offer_id=claim.offer_id, at=at, by=by)
    return claim


def set_todays_budget(*, budget: RewardBudget, at: datetime.datetime) -> None:
    """A budget changed in the day holds from now on; what is promised or spent already stays."""
    day = RewardDay.objects.select_for_update().filter(
        organisation=budget.organisation_id, on=clock.service_day(at)
    )
    with transaction.atomic():
        for row in day:
            row.budget_cents = max(budget.day_cents, row.promised_cents + row.spent_cents)
            row.save(update_fields=["budget_cents"])


def _promise(
    *,
    user_id: int,
    offer: IncentiveOffer,
    ride: uuid.UUID,
    vehicle_id: int,
    from_cell: int | None,
    at: datetime.datetime,
    by: Principal,
) -> RewardClaim:
    budget = RewardBudget.objects.filter(organisation=offer.organisation_id).first()
    if budget is None:
        raise NoRewards
    mine = RewardClaim.objects.counting().filter(user=user_id)
    if mine.filter(ride=ride).exists():
        raise RewardPromised
    day = _set_aside(budget, cents=offer.reward_cents, at=at)
    number = rules.next_number(
        mine.filter(day=day).values_list("number", flat=True), most=budget.per_person_day
    )
    if number is None:
        raise RewardLimit
    take_offer(offer_id=offer.pk, at=at, by=by)
    return RewardClaim.objects.create(
        user_id=user_id,
        organisation_id=offer.organisation_id,
        day=day,
        offer=offer,
        vehicle_id=vehicle_id,
        ride=ride,
        number=number,
        reward_cents=offer.reward_cents,
        from_cell=from_cell,
        promised_at=at,
        expires_at=at + datetime.timedelta(minutes=budget.claim_minutes),
    )


def _set_aside(budget: RewardBudget, *, cents: int, at: datetime.datetime) -> RewardDay:
    """Take the cents out of the day's budget; zero rows mean that it has fewer left."""
    day, _new = RewardDay.objects.get_or_create(
        organisation_id=budget.organisation_id,
        on=clock.service_day(at),
        defaults={"budget_cents": budget.day_cents},
    )
    enough = {"budget_cents__gte": F("promised_cents") + F("spent_cents") + cents}
    taken = RewardDay.objects.filter(pk=day.pk, **enough).update(
        promised_cents=F("promised_cents") + cents
    )
    if not taken:
        raise NoRewards
    return day


def _free(claim: RewardClaim) -> None:
    RewardDay.objects.filter(pk=claim.day_id).update(
        promised_cents=F("promised_cents") - claim.reward_cents
    )
