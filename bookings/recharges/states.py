"""The life of a bought charge."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class RechargeState(models.TextChoices):
    """`starting` waits for the charger, `stopping` too; the money follows the charger's price."""

    STARTING = "starting", _("starting")
    CHARGING = "charging", _("charging")
    STOPPING = "stopping", _("stopping")
    PRICED = "priced", _("priced")
    SETTLED = "settled", _("paid")
    PAYMENT_DUE = "payment_due", _("payment due")
    WRITTEN_OFF = "written_off", _("written off")
    START_FAILED = "start_failed", _("start failed")


RECHARGE_MOVES: Moves = {
    RechargeState.STARTING: frozenset(
        # A short charge may be priced before we hear that it began.
        {RechargeState.CHARGING, RechargeState.START_FAILED, RechargeState.PRICED}
    ),
    RechargeState.CHARGING: frozenset({RechargeState.STOPPING, RechargeState.PRICED}),
    # A charger that refuses to stop keeps charging.
    RechargeState.STOPPING: frozenset({RechargeState.CHARGING, RechargeState.PRICED}),
    RechargeState.PRICED: frozenset({RechargeState.SETTLED, RechargeState.PAYMENT_DUE}),
    RechargeState.PAYMENT_DUE: frozenset({RechargeState.SETTLED, RechargeState.WRITTEN_OFF}),
    RechargeState.SETTLED: frozenset(),
    RechargeState.WRITTEN_OFF: frozenset(),
    RechargeState.START_FAILED: frozenset(),
}


class Origin(models.TextChoices):
    """Who began it, and by what: that decides whose money was asked before, if any."""

    APP = "app", _("App")
    AD_HOC = "ad_hoc", _("Link at the charger")
    CARD = "card", _("Card")


class StopReason(models.TextChoices):
    """Why a charger was asked to stop."""

    PERSON = "person", _("Driver")
    LIMIT = "limit", _("Spending limit")
    NO_ENERGY = "no_energy", _("No energy flowed")
    CALLED_OFF = "called_off", _("Came after it was called off")


class KeptState(models.TextChoices):
    """The life of a connector that is kept for somebody."""

    HELD = "held", _("reserved")
    USED = "used", _("used")
    RELEASED = "released", _("released")
    EXPIRED = "expired", _("expired")
    REFUSED = "refused", _("refused by the charger")


KEPT_MOVES: Moves = {
    KeptState.HELD: frozenset(
        {KeptState.USED, KeptState.RELEASED, KeptState.EXPIRED, KeptState.REFUSED}
    ),
    KeptState.USED: frozenset(),
    KeptState.RELEASED: frozenset(),
    KeptState.EXPIRED: frozenset(),
    KeptState.REFUSED: frozenset(),
}

ACTIVE = (RechargeState.STARTING, RechargeState.CHARGING, RechargeState.STOPPING)
