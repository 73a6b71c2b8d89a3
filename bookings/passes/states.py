"""The life of a bought pass and of a redeemed code."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mobility.core.transitions import Moves


class PassShape(models.TextChoices):
    """What a pass is made of."""

    BUNDLE = "bundle", _("minutes to use up")
    PERIOD = "period", _("first minutes of every trip")


class PassState(models.TextChoices):
    """A pass counts once its money has come."""

    PENDING = "pending", _("waiting for its payment")
    ACTIVE = "active", pgettext_lazy("pass", "active")
    UNPAID = "unpaid", _("not paid")
    ENDED = "ended", pgettext_lazy("pass", "ended")
    REFUNDED = "refunded", _("given back")


PASS_MOVES: Moves = {
    PassState.PENDING: frozenset({PassState.ACTIVE, PassState.UNPAID}),
    PassState.UNPAID: frozenset(),
    PassState.ACTIVE: frozenset({PassState.ENDED, PassState.REFUNDED}),
    PassState.ENDED: frozenset(),
    PassState.REFUNDED: frozenset(),
}
# What a person may still ride on, now or soon.
LIVE = (PassState.PENDING, PassState.ACTIVE)


class RedemptionState(models.TextChoices):
    """A redeemed code waits for the next ride."""

    REDEEMED = "redeemed", _("waiting for a ride")
    USED = "used", pgettext_lazy("promo code", "used")
    LAPSED = "lapsed", _("lapsed")


REDEMPTION_MOVES: Moves = {
    RedemptionState.REDEEMED: frozenset({RedemptionState.USED, RedemptionState.LAPSED}),
    # The ride it was spent on is given back whole.
    RedemptionState.USED: frozenset({RedemptionState.REDEEMED}),
    RedemptionState.LAPSED: frozenset(),
}
