"""The charger's final price becomes the person's receipt and payment."""

import datetime
import uuid
from collections.abc import Sequence

from django.db import transaction

from bookings.payments.services import charge_payment
from bookings.recharges.models import Recharge
from bookings.recharges.services.purpose import KEEPER, locked_recharge
from bookings.recharges.states import ACTIVE, RechargeState
from charging.sessions.models import ChargingSession
from mobility.core.money import PriceLine, total_cents
from mobility.core.transitions import move


def price_recharge(
    *, ref: str, session_id: uuid.UUID, lines: Sequence[PriceLine], at: datetime.datetime
) -> None:
    """Charge what the session came to; a session of no recharge, or of one given up, is not ours."""
    with transaction.atomic(savepoint=False):
        recharge = locked_recharge(ref)
        if recharge is None or recharge.state not in ACTIVE or recharge.payment is None:
            return
        session = ChargingSession.objects.get(public_id=session_id)
        total = total_cents(lines)
        move(
            recharge,
            to=RechargeState.PRICED,
            at=at,
            by=KEEPER,
            session=session,
            started_at=session.started_at,
            ended_at=session.ended_at,
            waiting_since=None,
            energy_wh=session.energy_wh,
            price_cents=total,
        )
        charge_payment(payment=recharge.payment, lines=lines, at=at, by=KEEPER)
        if total == 0:
            move(recharge, to=RechargeState.SETTLED, at=at, by=KEEPER, reason="nothing_due")


def note_payment_captured(*, recharge_id: uuid.UUID, at: datetime.datetime) -> None:
    """The money came: the recharge is settled."""
    _move_on(recharge_id, to=RechargeState.SETTLED, at=at)


def note_payment_failed(*, recharge_id: uuid.UUID, at: datetime.datetime) -> None:
    """The card refused: the recharge waits for its money."""
    _move_on(recharge_id, to=RechargeState.PAYMENT_DUE, at=at)


def note_payment_written_off(*, recharge_id: uuid.UUID, at: datetime.datetime) -> None:
    """Staff gave up on the money."""
    _move_on(recharge_id, to=RechargeState.WRITTEN_OFF, at=at)


def _move_on(recharge_id: uuid.UUID, *, to: RechargeState, at: datetime.datetime) -> None:
    """Follow the payment; facts that come late or out of order change nothing any more."""
    waiting = {RechargeState.PRICED, RechargeState.PAYMENT_DUE} - {to}
    with transaction.atomic(savepoint=False):
        recharge = Recharge.objects.filter(public_id=recharge_id, state__in=waiting).first()
        if recharge is not None:
            move(recharge, to=to, at=at, by=KEEPER)
