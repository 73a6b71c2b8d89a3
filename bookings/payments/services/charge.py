"""A final price becomes a debt, a document and an order to collect, all in one transaction.

The order is the payment's own `next_attempt_at`: the collector comes round every few seconds, and
no message can get lost between the price and the money.
"""

import datetime
from collections.abc import Sequence

from django.db import transaction

from bookings.payments.models import Payment, Receipt
from bookings.payments.rules import sale_postings
from bookings.payments.services.authorise import void_payment
from bookings.payments.services.documents import issue_document
from bookings.payments.services.ledger import post_entries
from bookings.payments.states import DocumentKind, PaymentState
from mobility.core.money import PriceLine, total_cents, vat_split
from mobility.core.principals import Principal
from mobility.core.transitions import move


def charge_payment(
    *, payment: Payment, lines: Sequence[PriceLine], at: datetime.datetime, by: Principal
) -> Receipt:
    """Book the sale, hand out the receipt and ask for the money; a price of zero frees the card.

    1. The conditional move decides who charges; a second one is `LostRace` and books nothing.
    2. Ledger: the customer owes the gross, revenue and VAT stand against it.
    3. The receipt takes the next number last, so that its row is locked for the shortest time.
    """
    total = total_cents(lines)
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
        post_entries(
            organisation_id=payment.organisation_id,
            currency=payment.currency,
            deed="sale",
            ref=str(payment.public_id),
            postings=sale_postings(vat_split(lines)),
            at=at,
        )
        return issue_document(payment=payment, kind=DocumentKind.RECEIPT, lines=lines, at=at)
