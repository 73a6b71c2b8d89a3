"""Fees: proposed with a reason and evidence, announced, perhaps disputed, charged only then."""

import datetime
import uuid
from collections.abc import Sequence
from decimal import Decimal

import structlog
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.events import FeeNoticed
from bookings.payments.models import Fee, FeeKind
from bookings.payments.queries import policy_of
from bookings.payments.services.authorise import COLLECTOR
from bookings.payments.services.charge import charge_directly
from bookings.payments.services.refund import REFUNDABLE, request_refund
from bookings.payments.states import FeeState, Purpose
from mobility.core import audit, ids, outbox
from mobility.core.errors import Conflict, DomainError
from mobility.core.money import PriceLine
from mobility.core.principals import Principal
from mobility.core.transitions import IllegalMove, LostRace, move

log = structlog.get_logger(__name__)

LIMIT = 200


class TooLateToDispute(Conflict):
    """The time to dispute the fee is over."""

    code = "too_late_to_dispute"
    message = _("This fee can no longer be disputed here. Please write to support.")


def propose_fee(
    *,
    organisation_id: int,
    user_id: int,
    kind: str,
    about: uuid.UUID,
    reason: str,
    at: datetime.datetime,
    by: Principal,
    evidence: Sequence[uuid.UUID] = (),
    cents: int | None = None,
) -> Fee | None:
    """Write down a fee of the organisation's catalogue for a ride, booking or charge.

    Nobody hears of it before staff announce it. `kind` is the catalogue's code; one that is not in
    it or not in use is `None`. `evidence` are public ids of stored files; `cents` lowers the
    catalogue's amount. Asked again for the same it returns the fee that stands.
    """
    entry = FeeKind.objects.filter(organisation_id=organisation_id, code=kind, active=True).first()
    if entry is None:
        return None
    fee = Fee(
        public_id=ids.uuid7(),
        organisation_id=organisation_id,
        user_id=user_id,
        kind=entry,
        about=about,
        cents=entry.cents if cents is None else min(cents, entry.cents),
        vat_rate=entry.vat_rate,
        reason=reason[:500],
        evidence=list(evidence),
        proposed_by=by,
        proposed_at=at,
    )
    with transaction.atomic():
        Fee.objects.bulk_create([fee], ignore_conflicts=True)
        kept = Fee.objects.get(kind=entry, about=about)
        if kept.public_id == fee.public_id:
            trace = {"cents": kept.cents}
            audit.record(by=by, action="fee:proposed", row=kept, at=at, changes=trace)
    return kept


def announce_fee(*, fee_id: uuid.UUID, at: datetime.datetime, by: Principal) -> Fee:
    """Tell the person; from now on they have the organisation's days to dispute it.

    Raises `IllegalMove` for one that is not just proposed: a dispute is decided, not passed over.
    """
    fee = _in_state(FeeState.PROPOSED, fee_id)
    days = policy_of(organisation_id=fee.organisation_id).dispute_days
    return _notice(fee, until=at + datetime.timedelta(days=days), at=at, by=by)


def dispute_fee(*, fee_id: uuid.UUID, text: str, at: datetime.datetime, by: Principal) -> Fee:
    """The person says why the fee is wrong; it is not charged until staff have decided.

    Raises `TooLateToDispute` once it is charged or the days are over.
    """
    fee = Fee.objects.get(public_id=fee_id)
    if fee.charge_after is None or fee.state != FeeState.NOTICED or at >= fee.charge_after:
        raise TooLateToDispute
    with transaction.atomic():
        return move(fee, to=FeeState.DISPUTED, at=at, by=by, dispute=text, disputed_at=at)


def uphold_fee(*, fee_id: uuid.UUID, decision: str, at: datetime.datetime, by: Principal) -> Fee:
    """Staff keep a disputed fee; the person hears why, and a day later it is charged.

    Raises `IllegalMove` for one that nobody disputes: a day is too short to hear of it first.
    """
    fee = _in_state(FeeState.DISPUTED, fee_id)
    until = at + datetime.timedelta(days=1)
    return _notice(fee, until=until, at=at, by=by, decision=decision)


def waive_fee(*, fee_id: uuid.UUID, decision: str, at: datetime.datetime, by: Principal) -> Fee:
    """Staff drop a fee; what was charged for it goes back. Doing it twice is doing it once."""
    with transaction.atomic():
        fee = Fee.objects.select_related("payment").get(public_id=fee_id)
        if fee.state == FeeState.CHARGED:
            _give_back(fee, reason=decision, at=at, by=by)
        elif fee.state != FeeState.WAIVED:
            move(fee, to=FeeState.WAIVED, at=at, by=by, reason=decision, decision=decision)
    return fee


def charge_ripe_fees(*, at: datetime.datetime) -> int:
    """Charge the announced fees whose days to dispute are over; returns how many."""
    charged = 0
    ripe = Fee.objects.ripe(at).select_related("kind").order_by("charge_after", "id")
    for fee in ripe[:LIMIT]:
        try:
            _charge(fee, at=at)
            charged += 1
        except LostRace:
            continue
        except DomainError as problem:
            log.warning("bookings.fee_not_charged", fee=str(fee.public_id), code=problem.code)
        except Exception:
            # Not foreseen, so somebody has to look; the next ones wait no longer for that.
            log.exception("bookings.charging_fee_failed", fee=str(fee.public_id))
    return charged


def _in_state(state: FeeState, fee_id: uuid.UUID) -> Fee:
    fee = Fee.objects.select_related("kind", "user").get(public_id=fee_id)
    if fee.state != state:
        raise IllegalMove
    return fee


def _notice(
    fee: Fee,
    *,
    until: datetime.datetime,
    at: datetime.datetime,
    by: Principal,
    decision: str = "",
) -> Fee:
    with transaction.atomic():
        move(
            fee,
            to=FeeState.NOTICED,
            at=at,
            by=by,
            reason=decision,
            noticed_at=fee.noticed_at or at,
            charge_after=until,
            decision=decision,
        )
        outbox.publish(
            FeeNoticed(
                fee_id=str(fee.public_id),
                kind=fee.kind.code,
                about=str(fee.about),
                cents=fee.cents,
                currency=fee.currency,
                charge_after=until.isoformat(),
                payer=fee.user.principal,
            ),
            at=at,
        )
    return fee


def _give_back(fee: Fee, *, reason: str, at: datetime.datetime, by: Principal) -> None:
    """Whole, unless it went back already; a debt comes off what is owed."""
    payment = fee.payment
    # A charged fee has its payment: a constraint says so.
    assert payment is not None
    left = payment.amount_cents - payment.refunded_cents
    if payment.state in REFUNDABLE and left:
        request_refund(payment_id=payment.pk, cents=left, reason=reason[:200], at=at, by=by)


def _charge(fee: Fee, *, at: datetime.datetime) -> None:
    line = PriceLine(
        kind="fee",
        quantity=Decimal(1),
        unit=fee.kind.code,
        cents=fee.cents,
        vat_rate=fee.vat_rate,
        params={"title": fee.kind.title, "reason": fee.reason},
    )
    with transaction.atomic():
        payment = charge_directly(
            payer_id=fee.user_id,
            organisation_id=fee.organisation_id,
            purpose=Purpose.FEE,
            purpose_ref=fee.public_id,
            lines=[line],
            currency=fee.currency,
            at=at,
            by=COLLECTOR,
        )
        move(fee, to=FeeState.CHARGED, at=at, by=COLLECTOR, payment=payment)
