"""Giving money back."""

import datetime
import uuid
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Payment, Receipt, Refund
from bookings.payments.providers import provider_named
from bookings.payments.providers.wire import Declined, ProviderUnavailable
from bookings.payments.rules import refund_postings
from bookings.payments.services.capture import COLLECTOR
from bookings.payments.services.documents import issue_document
from bookings.payments.services.ledger import post_entries
from bookings.payments.states import DocumentKind, PaymentState, RefundState
from mobility.core import audit
from mobility.core.errors import Conflict
from mobility.core.money import PriceLine, vat_split
from mobility.core.principals import Principal
from mobility.core.transitions import LostRace, move


class RefundTooLarge(Conflict):
    """More than what is left of the collected amount."""

    code = "refund_too_large"
    message = _("Only %(left)s cents of this payment can still be given back.")


def request_refund(
    *, payment_id: int, cents: int, reason: str, at: datetime.datetime, by: Principal
) -> Refund:
    """Set `cents` of a collected payment aside for going back.

    One conditional UPDATE both checks and reserves the amount: of two refunds at once that
    together are too much, one fails (`RefundTooLarge`).
    """
    with transaction.atomic():
        reserved = Payment.objects.filter(
            pk=payment_id,
            state=PaymentState.CAPTURED,
            captured_cents__gte=F("refunded_cents") + cents,
        ).update(refunded_cents=F("refunded_cents") + cents)
        payment = Payment.objects.get(pk=payment_id)
        if not reserved:
            raise RefundTooLarge(left=payment.captured_cents - payment.refunded_cents)
        refund = Refund.objects.create(
            payment=payment, cents=cents, reason=reason, by=by, requested_at=at
        )
        audit.record(by=by, action="refund:requested", row=payment, at=at, changes={"cents": cents})
    return refund


def execute_refund(*, refund_id: uuid.UUID, at: datetime.datetime) -> Refund:
    """Have the provider give the money back, then book it and hand out the credit note.

    A refusal frees the reserved amount again; silence leaves the refund as it is, to be repeated.
    """
    refund = Refund.objects.select_related("payment").get(public_id=refund_id)
    if refund.state != RefundState.REQUESTED:
        return refund
    payment = refund.payment
    try:
        provider_named(payment.provider).refund(
            key=f"{refund.public_id}:refund",
            reference=payment.provider_ref,
            cents=refund.cents,
            at=at,
        )
    except ProviderUnavailable:
        return refund
    except Declined as refusal:
        _book_refusal(refund, failure=refusal.reason, at=at)
        return refund
    try:
        _book_refund(refund, at=at)
    except LostRace:
        refund.refresh_from_db()
    return refund


def _book_refusal(refund: Refund, *, failure: str, at: datetime.datetime) -> None:
    with transaction.atomic():
        move(refund, to=RefundState.FAILED, at=at, by=COLLECTOR, reason=failure)
        Payment.objects.filter(pk=refund.payment_id).update(
            refunded_cents=F("refunded_cents") - refund.cents
        )


def _book_refund(refund: Refund, *, at: datetime.datetime) -> None:
    payment = refund.payment
    with transaction.atomic():
        move(refund, to=RefundState.DONE, at=at, by=COLLECTOR, done_at=at)
        line = PriceLine(
            kind="refund",
            quantity=Decimal(1),
            unit="trip",
            cents=refund.cents,
            vat_rate=_vat_rate(payment),
            params={"reason": refund.reason},
        )
        post_entries(
            organisation_id=payment.organisation_id,
            currency=payment.currency,
            deed="refund",
            ref=str(refund.public_id),
            postings=refund_postings(vat_split([line])),
            at=at,
        )
        issue_document(payment=payment, kind=DocumentKind.CREDIT_NOTE, lines=[line], at=at)


def _vat_rate(payment: Payment) -> Decimal:
    """The rate of the receipt; where it has several, the highest share of the price decides."""
    receipt = Receipt.objects.get(payment=payment, kind=DocumentKind.RECEIPT)
    largest = max(receipt.vat, key=lambda part: part["gross_cents"])
    return Decimal(largest["rate"])
