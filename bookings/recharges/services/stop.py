"""Stopping a charge."""

import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.recharges.models import Recharge
from bookings.recharges.services.purpose import KEEPER, locked_recharge, purpose_ref
from bookings.recharges.services.start import fail_recharge
from bookings.recharges.states import RechargeState
from charging.sessions.services import remote_stop
from charging.stations.states import CommandState
from mobility.core.errors import Conflict
from mobility.core.principals import Principal
from mobility.core.transitions import move


class RechargeNotStoppable(Conflict):
    """There is nothing to stop."""

    code = "recharge_not_stoppable"
    message = _("This charge is over already.")


def stop_recharge(*, recharge: Recharge, at: datetime.datetime, by: Principal) -> Recharge:
    """Ask the charger to stop; one that has not begun is called off, free of charge.

    Stopping twice is stopping once. The price comes when the charger has told its whole story.
    Raises `RechargeNotStoppable`, `LostRace`.
    """
    if recharge.state == RechargeState.STOPPING:
        return recharge
    with transaction.atomic():
        if recharge.state == RechargeState.STARTING:
            fail_recharge(recharge=recharge, failure="called_off", at=at, by=by)
            return recharge
        if recharge.state != RechargeState.CHARGING or recharge.session_id is None:
            raise RechargeNotStoppable
        number = recharge.commands + 1
        move(
            recharge,
            to=RechargeState.STOPPING,
            at=at,
            by=by,
            waiting_since=at,
            commands=number,
        )
        remote_stop(
            session_id=recharge.session_id,
            idempotency_key=f"{purpose_ref(recharge)}:stop:{number}",
            purpose_ref=purpose_ref(recharge),
            at=at,
            by=by,
        )
    return recharge


def note_stop_answer(*, ref: str, state: str, at: datetime.datetime) -> None:
    """A charger that does not stop goes on charging; the person can ask again."""
    if state == CommandState.ACCEPTED:
        return
    with transaction.atomic():
        recharge = locked_recharge(ref)
        if recharge is not None and recharge.state == RechargeState.STOPPING:
            give_up_stop(recharge=recharge, reason=f"stop_{state}", at=at)


def give_up_stop(*, recharge: Recharge, reason: str, at: datetime.datetime) -> None:
    """Back to charging, as it really is."""
    move(
        recharge,
        to=RechargeState.CHARGING,
        at=at,
        by=KEEPER,
        reason=reason,
        waiting_since=None,
    )
