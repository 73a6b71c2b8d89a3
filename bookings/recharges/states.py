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

ACTIVE = (RechargeState.STARTING, RechargeState.CHARGING, RechargeState.STOPPING)
