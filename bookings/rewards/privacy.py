"""What rewards keep about a person, and how it goes."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from bookings.rewards.models import RewardClaim
from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal


def export(*, user: User) -> dict[str, Any]:
    """What was promised and granted."""
    mine = RewardClaim.objects.filter(user=user).order_by("pk")
    return {
        "rewards": list(
            mine.values(
                "public_id", "organisation__slug", "state", "promised_at", "reward_cents",
                "granted_cents", "release_reason",
            )
        ),
    }  # fmt: skip


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """The budget keeps its sums; who earned them is nobody's business any more.

    Somebody else may be nobody already on the same day: numbers are made anew.
    """
    for claim in RewardClaim.objects.filter(user=user).order_by("pk"):
        highest = (
            RewardClaim.objects.filter(user=nobody, day=claim.day_id)
            .order_by("-number")
            .values_list("number", flat=True)
            .first()
        )
        number = max(highest or 0, claim.number) + 1
        RewardClaim.objects.filter(pk=claim.pk).update(user=nobody, number=number, from_cell=None)


privacy.register(
    "rewards",
    export=export,
    erase=erase,
    kept=_("Which rewards were given, without your name, as long as their receipts."),
)
