"""A final price becomes a debt, a document and an order to collect, all in one transaction.

The order is the payment's own `next_attempt_at`: the collector comes round every few seconds, and
no message can get lost between the price and the money.
"""

import datetime
import uuid
from collections.abc import Sequence

from django.db import transaction

from bookings.payments.documents.services import issue_document
from bookings.payments.events import PaymentCaptured
from bookings.payments.models import Payment, Receipt
from bookings.payments.providers import PaymentsNotSetUp
from bookings.payments.rules import credit_buys, sale_postings, top_up_postings
from bookings.payments.services.authorise import void_payment
from bookings.payments.services.ledger import post_entries
from bookings.payments.services.open import PaymentMethodRequired, method_for
from bookings.payments.states import PREPAID, DocumentKind, PaymentState, Purpose
from mobility.core import audit, ids, outbox
from mobility.core.money import PriceLine, total_cents, vat_split
from mobility.core.principals import Principal
from mobility.core.transitions import LostRace, move


def charge_payment(
    *, payment: Payment, lines: Sequence[PriceLine], at: datetime.datetime, by: Principal
) -> Receipt:
    """Book the sale, hand out the receipt and ask for the money; a price of zero frees the card.

    1. The conditional move decides who charges; a second one is `LostRace` and books nothing.
    2. Ledger: the customer owes the gross, revenue and VAT stand against it.
    3. The receipt takes the next number last, so that its row is locked for the shortest time.

    Raises `LostRace` for a payment that is not promised any more.
    """
    total = total_cents(lines)
    if payment.state != PaymentState.AUTHORISED:
        raise LostRace
    with transaction.atomic(savepoint=False):
        if total:
            move(
                payment,
                to=PaymentState.CAPTURING,
                at=at,
                by=by,
                amount_cents=total,
                next_attempt_at=at,
            )
        else:
            void_payment(payment=payment, at=at, by=by, reason="nothing_due")
        return sell(payment=payment, lines=lines, at=at)


def charge_directly(
    *,
    payer_id: int,
    organisation_id: int,
    purpose: Purpose,
    purpose_ref: uuid.UUID,
    lines: Sequence[PriceLine],
    currency: str,
    at: datetime.datetime,
    by: Principal,
    method_id: int | None = None,
) -> Payment:
    """Charge something that nothing was promised for; the collector takes the money in seconds.

    1. Asked again for the same purpose it returns the payment that stands; one that was released
       before anything was sold is charged after all.
    2. A fee or a hold is sold now, with its receipt, and is a debt if the card refuses.
    3. What is paid ahead (`PREPAID`: passes, credit) is sold when the money comes: a refusal
       (`PaymentRefused`) leaves neither receipt nor debt. It needs a card
       (`PaymentMethodRequired`); a fee does not.

    Runs in the caller's transaction or in its own.
    """
    total = total_cents(lines)
    payment = Payment(
        public_id=ids.uuid7(),
        organisation_id=organisation_id,
        payer_id=payer_id,
        purpose=purpose,
        purpose_ref=purpose_ref,
        state=PaymentState.CAPTURING if total else PaymentState.CAPTURED,
        currency=currency,
        authorised_cents=0,
        amount_cents=total,
        created_at=at,
        next_attempt_at=at if total else None,
        captured_at=None if total else at,
    )
    if total:
        _choose_method(payment, lines=lines, method_id=method_id)
    if purpose in PREPAID:
        payment.lines = [line.as_json() for line in lines]
    with transaction.atomic():
        Payment.objects.bulk_create([payment], ignore_conflicts=True)
        kept = Payment.objects.get(purpose=purpose, purpose_ref=purpose_ref)
        if kept.public_id == payment.public_id:
            _book_direct(kept, lines=lines, at=at, by=by)
        elif total and kept.state == PaymentState.VOIDED and not kept.documents.exists():
            _charge_after_all(kept, payment, lines=lines, at=at, by=by)
    return kept


def sell(*, payment: Payment, lines: Sequence[PriceLine], at: datetime.datetime) -> Receipt:
    """Book what was sold and hand out the receipt, in the caller's transaction."""
    vat = vat_split(lines)
    credit = payment.purpose == Purpose.TOP_UP
    post_entries(
        organisation_id=payment.organisation_id,
        currency=payment.currency,
        deed="sale",
        ref=str(payment.public_id),
        postings=top_up_postings(vat) if credit else sale_postings(vat),
        at=at,
        user_id=payment.payer_id,
    )
    return issue_document(payment=payment, kind=DocumentKind.RECEIPT, lines=lines, at=at)


def _choose_method(payment: Payment, *, lines: Sequence[PriceLine], method_id: int | None) -> None:
    """The card to be asked, or credit where it may pay; a fee for somebody without one that serves is owed until there is one."""
    try:
        payment.method = method_for(
            payer_id=payment.payer_id,
            organisation_id=payment.organisation_id,
            method_id=method_id,
            cards_only=payment.purpose == Purpose.TOP_UP
            or not credit_buys(line.vat_rate for line in lines),
        )
    except (PaymentMethodRequired, PaymentsNotSetUp):
        if payment.purpose in PREPAID:
            raise
    else:
        payment.provider = payment.method.provider


def _charge_after_all(
    kept: Payment,
    wanted: Payment,
    *,
    lines: Sequence[PriceLine],
    at: datetime.datetime,
    by: Principal,
) -> None:
    """What was released turned out to be used: no promise stands, so the card is charged anew."""
    move(
        kept,
        to=PaymentState.CAPTURING,
        at=at,
        by=by,
        reason="used_after_all",
        amount_cents=wanted.amount_cents,
        method=wanted.method,
        provider=wanted.provider,
        provider_ref="",
        next_attempt_at=at,
    )
    sell(payment=kept, lines=lines, at=at)


def _book_direct(
    payment: Payment, *, lines: Sequence[PriceLine], at: datetime.datetime, by: Principal
) -> None:
    audit.record(
        by=by,
        action="payment:charged",
        row=payment,
        at=at,
        changes={"purpose": payment.purpose, "cents": payment.amount_cents},
    )
    if payment.amount_cents == 0:
        outbox.publish(
            PaymentCaptured(
                payment_id=str(payment.public_id),
                purpose=payment.purpose,
                purpose_ref=str(payment.purpose_ref),
                cents=0,
                currency=payment.currency,
                payer=payment.payer.principal,
            ),
            at=at,
        )
    elif payment.purpose not in PREPAID:
        sell(payment=payment, lines=lines, at=at)
