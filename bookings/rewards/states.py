"""The life of a promised reward."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class ClaimState(models.TextChoices):
    """Money is set aside from the promise until it is granted or released."""

    PROMISED = "promised", _("promised")
    EARNED = "earned", _("earned")
    GRANTED = "granted", _("granted")
    RELEASED = "released", _("not earned")


class ReleaseReason(models.TextChoices):
    """Why a promise came to nothing."""

    DROPPED = "dropped", _("given back by the rider")
    ELSEWHERE = "elsewhere", _("the ride ended somewhere else")
    SAME_PLACE = "same_place", _("the ride ended where it had begun")
    EXPIRED = "expired", _("it was not used in time")
    NO_PRICE = "no_price", _("there was nothing to pay")


CLAIM_MOVES: Moves = {
    ClaimState.PROMISED: frozenset({ClaimState.EARNED, ClaimState.RELEASED}),
    ClaimState.EARNED: frozenset({ClaimState.GRANTED, ClaimState.RELEASED}),
    ClaimState.GRANTED: frozenset(),
    ClaimState.RELEASED: frozenset(),
}
# Behind which money is set aside.
WAITING = (ClaimState.PROMISED, ClaimState.EARNED)
# Which count into a person's day and stand on a ride.
COUNTING = (*WAITING, ClaimState.GRANTED)
