"""A ride earns its reward at its end, and is given it when it is priced."""

import datetime
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from bookings.pricing.rules import Perk, PerkKind
from bookings.rewards.models import RewardClaim, RewardDay
from bookings.rewards.services.promise import release_reward
from bookings.rewards.states import ClaimState, ReleaseReason
from fleet.incentives.queries import earned_at
from fleet.incentives.services import keep_offer
from fleet.rebalancing.cells import cell_at
from mobility.core import sweeps
from mobility.core.money import PriceLine
from mobility.core.principals import system_principal
from mobility.core.transitions import move

REWARDER = system_principal("rewards")
LIMIT = 200
# An end that was never priced has nothing to be taken off; by then somebody has looked at it.
NEVER_PRICED = datetime.timedelta(days=2)


def earn_rewards(
    *, perks: Iterable[Perk], lon: float, lat: float, at: datetime.datetime
) -> list[RewardClaim]:
    """A ride with these perks ends at a point: what it has earned there, if it was in time.

    A ride that ends in the cell where it began has moved nothing, whatever was promised.
    """
    earned = []
    for claim in _claims(perks, ClaimState.PROMISED):
        if claim.expires_at <= at or claim.from_cell == cell_at(lon=lon, lat=lat):
            continue
        if not earned_at(offer=claim.offer, lon=lon, lat=lat):
            continue
        with transaction.atomic():
            move(claim, to=ClaimState.EARNED, at=at, by=REWARDER, earned_at=at)
            keep_offer(offer_id=claim.offer_id, at=at)
        earned.append(claim)
    return earned


def earned_perks(*, perks: Iterable[Perk]) -> list[Perk]:
    """Those of the promised rewards that were earned."""
    earned = {str(claim.public_id) for claim in _claims(perks, ClaimState.EARNED)}
    return [perk for perk in perks if perk.kind is PerkKind.REWARD and perk.ref in earned]


def grant_rewards(
    *, perks: Iterable[Perk], lines: Sequence[PriceLine], at: datetime.datetime
) -> None:
    """The ride is priced: what a line gives is spent, what was not earned is released.

    Runs in the transaction of the price.
    """
    given = _given(lines)
    for claim in _claims(perks, ClaimState.PROMISED, ClaimState.EARNED):
        cents = given.get(str(claim.public_id), 0)
        if claim.state == ClaimState.PROMISED:
            release_reward(claim=claim, reason=_why_not(claim, at=at), at=at, by=REWARDER)
        elif not cents:
            release_reward(claim=claim, reason=ReleaseReason.NO_PRICE, at=at, by=REWARDER)
        else:
            _grant(claim, cents=cents, at=at)


def correct_rewards(*, perks: Iterable[Perk], lines: Sequence[PriceLine]) -> None:
    """A corrected ride takes less off than before: the rest goes back into its day's budget.

    One that takes more off again, at most what was promised, gets it: a budget that others have
    used up meanwhile follows what is gone.
    """
    given = _given(lines)
    for claim in _claims(perks, ClaimState.GRANTED):
        cents = min(given.get(str(claim.public_id), 0), claim.reward_cents)
        spent = F("spent_cents") + cents - claim.granted_cents
        RewardDay.objects.filter(pk=claim.day_id).update(
            spent_cents=spent,
            budget_cents=Greatest(F("budget_cents"), F("promised_cents") + spent),
        )
        RewardClaim.objects.filter(pk=claim.pk).update(granted_cents=cents)


def sweep_rewards(*, at: datetime.datetime) -> int:
    """Release what was not used in time, and what was earned on a ride without a price."""
    unpriced = RewardClaim.objects.filter(state=ClaimState.EARNED, earned_at__lte=at - NEVER_PRICED)
    late = RewardClaim.objects.overdue(at=at)
    rows = [*late.order_by("expires_at")[:LIMIT], *unpriced.order_by("earned_at")[:LIMIT]]
    return sum(
        1
        for _claim in sweeps.each_alone(
            rows,
            lambda claim: release_reward(
                claim=claim,
                reason=ReleaseReason.EXPIRED
                if claim.state == ClaimState.PROMISED
                else ReleaseReason.NO_PRICE,
                at=at,
                by=REWARDER,
            ),
            event="bookings.reward_not_released",
            named=lambda claim: claim.public_id,
        )
    )


def _grant(claim: RewardClaim, *, cents: int, at: datetime.datetime) -> None:
    move(claim, to=ClaimState.GRANTED, at=at, by=REWARDER, closed_at=at, granted_cents=cents)
    RewardDay.objects.filter(pk=claim.day_id).update(
        promised_cents=F("promised_cents") - claim.reward_cents,
        spent_cents=F("spent_cents") + cents,
    )


def _why_not(claim: RewardClaim, *, at: datetime.datetime) -> ReleaseReason:
    return ReleaseReason.EXPIRED if claim.expires_at <= at else ReleaseReason.ELSEWHERE


def _claims(perks: Iterable[Perk], *states: ClaimState) -> list[RewardClaim]:
    """The claims behind the perks, locked: a sweep may want to release them at this moment."""
    refs = [perk.ref for perk in perks if perk.kind is PerkKind.REWARD]
    if not refs:
        return []
    rows = RewardClaim.objects.select_related("offer").select_for_update(of=("self",))
    with transaction.atomic():
        return list(rows.filter(public_id__in=refs, state__in=states).order_by("pk"))


def _given(lines: Sequence[PriceLine]) -> dict[str, int]:
    return {str(line.params["ref"]): -line.cents for line in lines if line.kind == "reward"}
