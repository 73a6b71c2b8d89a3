"""Giving money back: asked for, approved by a second person where it is much, done, documented."""

import datetime
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from bookings.payments.documents.services import issue_document
from bookings.payments.events import PaymentCaptured, RefundDone, RefundRejected
from bookings.payments.models import Payment, Receipt, Refund
from bookings.payments.providers import provider_named
from bookings.payments.providers.wire import Declined, ProviderUnavailable
from bookings.payments.queries import policy_of
from bookings.payments.reconciliation.services import report_anomaly
from bookings.payments.reconciliation.states import AnomalyKind
from bookings.payments.rules import (
    Posting,
    credit_parts,
    credit_postings,
    payout_postings,
    prepaid_vat_used,
    promise_postings,
    refund_postings,
    spread_cents,
)
from bookings.payments.services.authorise import COLLECTOR, SILENCE
from bookings.payments.services.ledger import post_entries
from bookings.payments.services.wallet import (
    CreditTooLow,
    locked_credit,
    open_wallet,
    prepaid_vat_cents,
)
from bookings.payments.states import (
    WALLET,
    AccountKind,
    DocumentKind,
    PaymentState,
    Purpose,
    RefundState,
    RefundWay,
)
from mobility.core import audit, outbox
from mobility.core.errors import Conflict, Forbidden
from mobility.core.money import PriceLine, VatPart, format_money
from mobility.core.principals import Principal
from mobility.core.transitions import LostRace, move

REFUNDABLE = (PaymentState.CAPTURED, PaymentState.CAPTURING, PaymentState.DUE)


class RefundTooLarge(Conflict):
    """More than what is left of the amount."""

    code = "refund_too_large"
    message = _("Only %(left)s of this payment can still be given back.")


class SecondPersonNeeded(Forbidden):
    """Whoever asked for a refund, and whoever gets it, does not decide about it."""

    code = "second_person_needed"
    message = _("Somebody else has to decide about this refund.")


def request_refund(
    *,
    payment_id: int,
    cents: int,
    reason: str,
    at: datetime.datetime,
    by: Principal,
    automatic: bool = False,
    to_wallet: bool = False,
    shares: Mapping[Decimal, int] | None = None,
) -> Refund:
    """Set `cents` of a payment aside for going back.

    1. One conditional UPDATE both checks and reserves the amount: of two refunds at once that
       together are too much, one fails (`RefundTooLarge`).
    2. Where all that goes back of the payment is more than the organisation's limit, a second
       person has to approve it first (`proposed`); an `automatic` refund is by rule, not by hand.
    3. What was not collected yet goes back when it is, or comes off the debt.

    `to_wallet` makes it credit; what was paid by credit becomes credit again. `shares` says how
    the gross cents lie on the VAT rates, else they are spread as the receipt's are. Refunding a
    top-up takes the credit at once (`CreditTooLow`), so it always goes back to the card.
    """
    with transaction.atomic():
        payment = _reserve(payment_id, cents=cents)
        limit = policy_of(organisation_id=payment.organisation_id).refund_limit_cents
        waits = not automatic and payment.refunded_cents > limit
        bought = payment.purpose == Purpose.TOP_UP
        as_credit = not bought and (to_wallet or payment.provider == WALLET)
        refund = Refund.objects.create(
            payment=payment,
            state=RefundState.PROPOSED if waits else RefundState.REQUESTED,
            way=RefundWay.WALLET if as_credit else RefundWay.CARD,
            cents=cents,
            shares=shares and {str(rate): share for rate, share in shares.items()},
            reason=reason,
            by=by,
            needs_approval=waits,
            requested_at=at,
            next_attempt_at=None if waits else at,
        )
        if bought:
            _take_credit(refund, at=at)
        audit.record(by=by, action="refund:requested", row=payment, at=at, changes={"cents": cents})
    return refund


def approve_refund(*, refund_id: int, at: datetime.datetime, by: Principal) -> Refund:
    """A second person lets a refund go out; raises `SecondPersonNeeded`, `IllegalMove`."""
    with transaction.atomic():
        refund = Refund.objects.select_related("payment__payer").get(pk=refund_id)
        _refuse_first_person(refund, by=by)
        return move(
            refund,
            to=RefundState.REQUESTED,
            at=at,
            by=by,
            approver=by,
            decided_at=at,
            next_attempt_at=at,
        )


def reject_refund(*, refund_id: int, reason: str, at: datetime.datetime, by: Principal) -> Refund:
    """A second person refuses a refund: its amount is free again, and a correction that it belongs
    to is withdrawn (`RefundRejected`)."""
    with transaction.atomic():
        refund = Refund.objects.select_related("payment__payer").get(pk=refund_id)
        _refuse_first_person(refund, by=by)
        move(
            refund,
            to=RefundState.REJECTED,
            at=at,
            by=by,
            reason=reason,
            approver=by,
            decided_at=at,
        )
        _free(refund, at=at)
        outbox.publish(RefundRejected(**_facts(refund, refund.payment)), at=at)
    return refund


def execute_refund(*, refund_id: uuid.UUID, at: datetime.datetime) -> Refund:
    """Have the money given back, then book it and hand out the credit note.

    A refusal frees the reserved amount again and is an anomaly for people; silence leaves the refund as it is, to be repeated.
    What is still being collected waits; what is owed becomes less.
    """
    waiting = Refund.objects.select_related("payment__organisation", "payment__payer")
    refund = waiting.get(public_id=refund_id)
    if refund.state == RefundState.REQUESTED:
        give_back(refund=refund, at=at)
    return refund


def give_back(*, refund: Refund, at: datetime.datetime) -> None:
    """Do a requested refund, loaded with its payment, the payer and the organisation."""
    payment = refund.payment
    try:
        if payment.state == PaymentState.DUE:
            _book(refund, way=RefundWay.DEBT, at=at)
        elif payment.state == PaymentState.CAPTURED:
            # Asked for while it was owed, and then paid by credit: no provider has it.
            way = RefundWay.WALLET if payment.provider == WALLET else RefundWay(refund.way)
            if way is RefundWay.CARD:
                _ask(refund, at=at)
            _book(refund, way=way, at=at)
        elif payment.state == PaymentState.CAPTURING:
            _look_again(refund, at=at)
        else:
            _book_refusal(refund, failure="nothing_collected", at=at)
    except ProviderUnavailable:
        _look_again(refund, at=at)
    except Declined as refusal:
        with transaction.atomic():
            _book_refusal(refund, failure=refusal.reason, at=at)
            _call_people(refund, at=at)
    except LostRace:
        refund.refresh_from_db()


def _call_people(refund: Refund, *, at: datetime.datetime) -> None:
    """Somebody was to get money and will not by itself: their card is closed, for instance."""
    report_anomaly(
        kind=AnomalyKind.MISSING_AT_PROVIDER,
        subject=f"refund:{refund.public_id}",
        provider=refund.payment.provider,
        refund=refund,
        booked_cents=-refund.cents,
        currency=refund.payment.currency,
        at=at,
    )


def _look_again(refund: Refund, *, at: datetime.datetime) -> None:
    """A moment later, so that those that can go back now have their turn first."""
    Refund.objects.filter(pk=refund.pk).update(next_attempt_at=at + SILENCE)


def _reserve(payment_id: int, *, cents: int) -> Payment:
    # What is paid ahead and not sold yet has nothing to give back.
    reserved = Payment.objects.filter(
        pk=payment_id,
        state__in=REFUNDABLE,
        lines__isnull=True,
        amount_cents__gte=F("refunded_cents") + cents,
    ).update(refunded_cents=F("refunded_cents") + cents)
    payment = Payment.objects.get(pk=payment_id)
    if not reserved:
        stands = payment.state in REFUNDABLE and payment.lines is None
        left = payment.amount_cents - payment.refunded_cents if stands else 0
        raise RefundTooLarge(left=format_money(left, payment.currency))
    return payment


def _refuse_first_person(refund: Refund, *, by: Principal) -> None:
    if by in (refund.by, refund.payment.payer.principal):
        raise SecondPersonNeeded


def _ask(refund: Refund, *, at: datetime.datetime) -> None:
    payment = refund.payment
    provider_named(payment.provider).refund(
        key=f"{refund.public_id}:refund",
        reference=payment.provider_ref,
        cents=refund.cents,
        since=refund.requested_at,
        at=at,
    )


def _book_refusal(refund: Refund, *, failure: str, at: datetime.datetime) -> None:
    with transaction.atomic():
        move(refund, to=RefundState.FAILED, at=at, by=COLLECTOR, reason=failure)
        _free(refund, at=at)


def _free(refund: Refund, *, at: datetime.datetime) -> None:
    """The amount of a refund that comes to nothing can be given back by another."""
    Payment.objects.filter(pk=refund.payment_id).update(
        refunded_cents=F("refunded_cents") - refund.cents
    )
    if refund.payment.purpose == Purpose.TOP_UP:
        _post(refund, deed="refund_release", postings=promise_postings(-refund.cents), at=at)


def _take_credit(refund: Refund, *, at: datetime.datetime) -> None:
    """What was topped up and is to go back must not be spent meanwhile."""
    if refund.cents > locked_credit(payment=refund.payment)[AccountKind.WALLET]:
        raise CreditTooLow
    _post(refund, deed="refund_hold", postings=promise_postings(refund.cents), at=at)


def _book(refund: Refund, *, way: RefundWay, at: datetime.datetime) -> None:
    """Book what went back, hand out the credit note, and tell."""
    with transaction.atomic():
        # Its row, so that two notes at once do not both believe they are the first.
        payment = (
            Payment.objects.with_method().select_for_update(of=("self",)).get(pk=refund.payment_id)
        )
        if way is RefundWay.DEBT and payment.state != PaymentState.DUE:
            raise LostRace
        move(refund, to=RefundState.DONE, at=at, by=COLLECTOR, done_at=at, way=way)
        if way is RefundWay.WALLET:
            open_wallet(payment, at=at)
        vat = _parts(refund, payment)
        _post(refund, deed="refund", postings=_postings(refund, payment, vat=vat, way=way), at=at)
        issue_document(
            payment=payment,
            kind=DocumentKind.CREDIT_NOTE,
            lines=[_line(refund, part) for part in vat],
            vat=vat,
            at=at,
        )
        outbox.publish(RefundDone(way=way, **_facts(refund, payment)), at=at)
        if way is RefundWay.DEBT:
            _lower_debt(payment, cents=refund.cents, at=at)


def _parts(refund: Refund, payment: Payment) -> tuple[VatPart, ...]:
    """How the refund lies on the VAT rates, of what its receipt and earlier notes leave standing."""
    left: dict[Decimal, int] = {}
    for receipt in Receipt.objects.filter(payment=payment).exclude(kind=DocumentKind.INVOICE):
        sign = -1 if receipt.kind == DocumentKind.CREDIT_NOTE else 1
        for part in receipt.vat:
            rate = Decimal(part["rate"])
            left[rate] = left.get(rate, 0) + sign * part["gross_cents"]
    shares = {Decimal(rate): cents for rate, cents in (refund.shares or {}).items()}
    fits = bool(shares) and all(cents <= left.get(rate, 0) for rate, cents in shares.items())
    return credit_parts(left=left, given=shares if fits else spread_cents(refund.cents, left))


def _postings(
    refund: Refund, payment: Payment, *, vat: tuple[VatPart, ...], way: RefundWay
) -> tuple[Posting, ...]:
    if payment.purpose == Purpose.TOP_UP:
        # Of what was paid ahead as of what is spent, so that the last cent leaves none behind.
        ahead = prepaid_vat_used(
            prepaid_cents=prepaid_vat_cents(payment),
            credit_cents=sum(locked_credit(payment=payment).values()),
            spent_cents=refund.cents,
        )
        return payout_postings(cents=refund.cents, vat_cents=ahead)
    if way is RefundWay.WALLET:
        return credit_postings(vat)
    source = AccountKind.RECEIVABLE if way is RefundWay.DEBT else AccountKind.CLEARING
    return refund_postings(vat, source=source)


def _line(refund: Refund, part: VatPart) -> PriceLine:
    return PriceLine(
        kind="refund",
        quantity=Decimal(1),
        unit=refund.payment.purpose,
        cents=part.gross_cents,
        vat_rate=part.rate,
        params={"reason": refund.reason},
    )


def _lower_debt(payment: Payment, *, cents: int, at: datetime.datetime) -> None:
    """Less is owed; a debt of nothing is settled."""
    left, waiting = payment.amount_cents - cents, payment.refunded_cents - cents
    if left:
        mine = Payment.objects.filter(pk=payment.pk)
        mine.update(amount_cents=left, refunded_cents=waiting)
        return
    move(
        payment,
        to=PaymentState.VOIDED,
        at=at,
        by=COLLECTOR,
        reason="corrected",
        next_attempt_at=None,
        amount_cents=left,
        refunded_cents=waiting,
    )
    outbox.publish(
        PaymentCaptured(
            payment_id=str(payment.public_id),
            purpose=payment.purpose,
            purpose_ref=str(payment.purpose_ref),
            cents=0,
            currency=payment.currency,
            payer=payment.payer.principal,
            recovered=True,
        ),
        at=at,
    )


def _facts(refund: Refund, payment: Payment) -> dict[str, Any]:
    return {
        "refund_id": str(refund.public_id),
        "payment_id": str(payment.public_id),
        "purpose": payment.purpose,
        "purpose_ref": str(payment.purpose_ref),
        "cents": refund.cents,
        "currency": payment.currency,
        "reason": refund.reason,
        "payer": payment.payer.principal,
    }


def _post(
    refund: Refund, *, deed: str, postings: tuple[Posting, ...], at: datetime.datetime
) -> None:
    payment = refund.payment
    post_entries(
        organisation_id=payment.organisation_id,
        currency=payment.currency,
        deed=deed,
        ref=str(refund.public_id),
        postings=postings,
        at=at,
        user_id=payment.payer_id,
        provider=payment.provider,
    )
