"""The charger's final price becomes the person's receipt and payment."""

import datetime
import uuid
from collections.abc import Sequence

from django.db import transaction

from bookings.payments.services import charge_directly, charge_payment, request_refund
from bookings.payments.services.refund import REFUNDABLE
from bookings.payments.states import Purpose
from bookings.recharges import rules
from bookings.recharges.events import RechargePriced
from bookings.recharges.models import Recharge
from bookings.recharges.services.purpose import KEEPER, locked_by_session, locked_recharge
from bookings.recharges.states import ACTIVE, RechargeState, StopReason
from charging.sessions.models import ChargingSession
from charging.sessions.services import standing_lines
from mobility.core import outbox
from mobility.core.money import PriceLine, total_cents
from mobility.core.transitions import move

# A wish of the person, and a charger that gives nothing, freeze the price; the limit is one itself.
_FREEZING = frozenset({StopReason.PERSON, StopReason.NO_ENERGY})


def price_recharge(*, ref: str, session_id: uuid.UUID, at: datetime.datetime) -> None:
    """Charge what the session came to; a session of no recharge, or of one given up, is not ours.

    Never more than the limit, and never what flowed after a stop that the charger refused. A
    correction that was heard of before the price, or came before it was handled, counts already.
    """
    with transaction.atomic(savepoint=False):
        recharge = locked_recharge(ref) if ref else locked_by_session(session_id)
        if recharge is None or recharge.state not in ACTIVE:
            return
        session = ChargingSession.objects.get(public_id=session_id)
        due = _due(recharge, standing_lines(session_id=session_id))
        move(
            recharge,
            to=RechargeState.PRICED,
            at=at,
            by=KEEPER,
            session=session,
            started_at=session.started_at,
            ended_at=session.ended_at,
            waiting_since=None,
            stop_due_at=None,
            energy_wh=session.energy_wh,
            price_cents=total_cents(due),
        )
        _charge(recharge, due, at=at)
        outbox.publish(_priced(recharge), at=at)


def _priced(recharge: Recharge) -> RechargePriced:
    # A priced recharge has all of these; this narrows the types.
    assert recharge.energy_wh is not None
    assert recharge.price_cents is not None
    assert recharge.ended_at is not None
    return RechargePriced(
        recharge_id=str(recharge.public_id),
        organisation_id=recharge.organisation_id,
        connector_id=str(recharge.connector.public_id),
        origin=recharge.origin,
        energy_wh=recharge.energy_wh,
        price_cents=recharge.price_cents,
        currency=recharge.terms.get("currency", "EUR"),
        stop_reason=recharge.stop_reason,
        ended_at=recharge.ended_at,
    )


def _due(recharge: Recharge, lines: Sequence[PriceLine]) -> tuple[PriceLine, ...]:
    return rules.lines_due(
        lines, most_cents=_most(recharge), charger_failed=recharge.faulted_at is not None
    )


def _most(recharge: Recharge) -> int | None:
    """The most that may be charged, in cents; `None` where nothing was agreed."""
    bounds = [recharge.limit_cents] if recharge.limit_cents else []
    if recharge.stop_refused and recharge.stop_reason in _FREEZING:
        bounds.append(recharge.stop_wished_cents or 0)
    return min(bounds, default=None)


def _charge(recharge: Recharge, lines: Sequence[PriceLine], *, at: datetime.datetime) -> None:
    if recharge.payment is not None:
        charge_payment(payment=recharge.payment, lines=lines, at=at, by=KEEPER)
    elif total_cents(lines):
        payment = charge_directly(
            payer_id=recharge.user_id,
            organisation_id=recharge.organisation_id,
            purpose=Purpose.RECHARGE,
            purpose_ref=recharge.public_id,
            lines=lines,
            currency=recharge.terms.get("currency", "EUR"),
            at=at,
            by=KEEPER,
        )
        Recharge.objects.filter(pk=recharge.pk).update(payment=payment)
    if not total_cents(lines):
        move(recharge, to=RechargeState.SETTLED, at=at, by=KEEPER, reason="nothing_due")


def refund_corrected(*, session_id: uuid.UUID, reason: str, at: datetime.datetime) -> None:
    """Give back what a session costs less after its record was corrected; never ask for more.

    What stands now counts, however late and in whatever order corrections are heard of. Limits and
    faults count as they did at the first price. A second person approves it where it is much, as of
    any refund that staff cause. What is not priced yet is priced by what stands then.
    """
    with transaction.atomic(savepoint=False):
        recharge = locked_by_session(session_id)
        payment = recharge.payment if recharge is not None else None
        if recharge is None or payment is None or payment.state not in REFUNDABLE:
            return
        due = _due(recharge, standing_lines(session_id=session_id))
        back = payment.amount_cents - payment.refunded_cents - total_cents(due)
        if back > 0:
            request_refund(payment_id=payment.pk, cents=back, reason=reason, at=at, by=KEEPER)


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
