"""Rewards for rides: what is promised, what was given, and what came to nothing."""

import datetime
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from bookings.rewards.models import RewardClaim
from bookings.rewards.states import ClaimState, ReleaseReason
from bookings.trips.models import Trip
from bookings.trips.services.rewards import RewardNotFound, drop_reward
from bookings.trips.wire.offers import offer_text
from mobility.core import clock
from mobility.resident.wallet.views.overview import WalletPage

PAGE = 25


class RewardsView(WalletPage):
    """`/wallet/rewards/`: one's rewards, newest first; `?before=` goes on."""

    template = "resident/wallet/rewards.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """A page of them, each with its ride."""
        mine = RewardClaim.objects.filter(user=self.person).order_by("-id")
        before = request.GET.get("before", "")
        if before.isdecimal():
            mine = mine.filter(pk__lt=int(before[:18]))
        found = list(mine.select_related("offer__hub", "organisation")[: PAGE + 1])
        more = found[PAGE - 1].pk if len(found) > PAGE else None
        shown, at = found[:PAGE], clock.now()
        rides = _rides(shown)
        return self.show(rewards=[_reward(one, rides, at=at) for one in shown], more=more)


class RewardView(WalletPage):
    """`/wallet/rewards/<id>/`"""

    same_door = "api:reward-drop"

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Let a promised reward go; the ride goes on and may take another offer."""
        mine = RewardClaim.objects.filter(user=self.person, public_id=public_id).first()
        if mine is None:
            raise RewardNotFound
        drop_reward(claim=mine, at=clock.now(), by=self.person.principal)
        words = _("The reward is free for others again. Your ride is as it was.")
        return self.done(words, self.way_back())

    def way_back(self) -> str:
        """The list."""
        return reverse("resident:rewards")


def _rides(claims: list[RewardClaim]) -> dict[uuid.UUID, uuid.UUID]:
    """The trips that the claims' reservations have become; one query."""
    rides = Trip.objects.filter(reservation__public_id__in=[claim.ride for claim in claims])
    return dict(rides.values_list("reservation__public_id", "public_id"))


def _reward(
    claim: RewardClaim, rides: dict[uuid.UUID, uuid.UUID], *, at: datetime.datetime
) -> dict[str, Any]:
    promised = claim.state == ClaimState.PROMISED
    over = promised and claim.expires_at <= at
    # Nobody has swept it up yet.
    reason = ReleaseReason.EXPIRED if over else claim.release_reason
    return {
        "row": claim,
        "text": offer_text(claim.offer),
        "cents": claim.granted_cents if claim.state == ClaimState.GRANTED else claim.reward_cents,
        "state": ClaimState.RELEASED.label if over else claim.get_state_display(),
        "reason": ReleaseReason(reason).label if reason else "",
        "standing": promised and not over,
        "lost": over or claim.state == ClaimState.RELEASED,
        "trip": rides.get(claim.ride),
    }
