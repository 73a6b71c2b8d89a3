"""Stopping a charge: wished by the driver, by the limit, or because nothing flows."""

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.recharges import rules
from bookings.recharges.models import Recharge
from bookings.recharges.queries import cost_so_far
from bookings.recharges.services.purpose import KEEPER, locked_recharge, purpose_ref
from bookings.recharges.services.start import fail_recharge
from bookings.recharges.states import RechargeState, StopReason
from charging.sessions.services import remote_stop
from charging.sessions.states import SESSION_OPEN
from charging.stations.states import CommandState
from mobility.core.errors import Conflict
from mobility.core.principals import Principal
from mobility.core.transitions import LostRace, move


class RechargeNotStoppable(Conflict):
    """There is nothing to stop."""

    code = "recharge_not_stoppable"
    message = _("This charge is over already.")


def stop_recharge(*, recharge: Recharge, at: datetime.datetime, by: Principal) -> Recharge:
    """Ask the charger to stop; one that has not begun is called off, free of charge.

    Stopping twice is stopping once. From the first wish on, a charger that refuses earns nothing
    more and is asked again and again. The price comes when it has told its whole story.
    Raises `RechargeNotStoppable`, `LostRace`.
    """
    if recharge.state == RechargeState.STOPPING:
        return recharge
    try:
        with transaction.atomic():
            _stop(recharge, at=at, by=by)
    except LostRace:
        # Another tap, or the limit, was faster; a start that began meanwhile is told as such.
        recharge.refresh_from_db(fields=["state"])
        if recharge.state not in {RechargeState.STOPPING, RechargeState.START_FAILED}:
            raise
    return recharge


def _stop(recharge: Recharge, *, at: datetime.datetime, by: Principal) -> None:
    if recharge.state == RechargeState.STARTING:
        fail_recharge(recharge=recharge, failure="called_off", at=at, by=by)
    elif recharge.state == RechargeState.CHARGING and recharge.session_id is not None:
        wish_stop(recharge=recharge, reason=StopReason.PERSON, at=at, by=by)
    else:
        raise RechargeNotStoppable


def wish_stop(*, recharge: Recharge, reason: str, at: datetime.datetime, by: Principal) -> None:
    """Move a charging recharge to `stopping` and ask its charger; the first wish is remembered.

    In the caller's transaction. Raises `LostRace` if it moved meanwhile.
    """
    own = reason == StopReason.PERSON and recharge.stop_reason == StopReason.LIMIT
    wish: dict[str, Any] = {}
    if recharge.stop_wished_at is None or own:
        wish = {
            "stop_wished_at": at,
            "stop_wished_cents": cost_so_far(recharge=recharge, at=at),
            "stop_reason": reason,
        }
    move(
        recharge,
        to=RechargeState.STOPPING,
        at=at,
        by=by,
        reason=reason,
        waiting_since=at,
        stop_due_at=None,
        **wish,
    )
    ask_to_stop(recharge=recharge, at=at, by=by)


def ask_to_stop(*, recharge: Recharge, at: datetime.datetime, by: Principal) -> None:
    """Send the charger one more order to stop, under a key of its own; in the caller's transaction."""
    # Only recharges with a session are stopped; this narrows the type.
    assert recharge.session_id is not None
    number = recharge.commands + 1
    again = None if recharge.state == RechargeState.STOPPING else at + _pause(number)
    Recharge.objects.filter(pk=recharge.pk).update(commands=number, stop_due_at=again)
    recharge.commands, recharge.stop_due_at = number, again
    remote_stop(
        session_id=recharge.session_id,
        idempotency_key=f"{purpose_ref(recharge)}:stop:{number}",
        purpose_ref=purpose_ref(recharge),
        at=at,
        by=by,
    )


def note_stop_answer(*, ref: str, state: str, at: datetime.datetime) -> None:
    """A charger that does not stop goes on charging, and is asked again soon."""
    if state == CommandState.ACCEPTED:
        return
    with transaction.atomic():
        recharge = locked_recharge(ref)
        if recharge is None:
            return
        if recharge.state == RechargeState.STOPPING:
            give_up_stop(recharge=recharge, reason=f"stop_{state}", at=at)
        elif recharge.state == RechargeState.START_FAILED and recharge.session_id is not None:
            again = at + _pause(recharge.commands)
            Recharge.objects.filter(pk=recharge.pk).update(stop_due_at=again)


def give_up_stop(*, recharge: Recharge, reason: str, at: datetime.datetime) -> None:
    """Back to charging, as it really is; the charger is asked again, the person owes no more."""
    move(
        recharge,
        to=RechargeState.CHARGING,
        at=at,
        by=KEEPER,
        reason=reason,
        waiting_since=None,
        stop_refused=True,
        stop_due_at=at + _pause(recharge.commands),
    )


def stop_again(*, recharge: Recharge, at: datetime.datetime) -> None:
    """Ask once more, or forget about it where the session is over; in the caller's transaction."""
    if recharge.session is None or recharge.session.state not in SESSION_OPEN:
        Recharge.objects.filter(pk=recharge.pk).update(stop_due_at=None)
    elif recharge.state == RechargeState.CHARGING:
        wish_stop(recharge=recharge, reason=recharge.stop_reason, at=at, by=KEEPER)
    else:
        ask_to_stop(recharge=recharge, at=at, by=KEEPER)


def _pause(commands: int) -> datetime.timedelta:
    """The first command was the start; a card's session had none, which only shortens a pause."""
    return rules.stop_again_after(max(commands - 1, 1))
