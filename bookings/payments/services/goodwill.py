"""What goes back by itself when a ride or a charge went wrong."""

import datetime

from django.db import transaction

from bookings.payments.models import GoodwillRule, Payment, Refund
from bookings.payments.services.authorise import COLLECTOR, void_payment
from bookings.payments.services.refund import REFUNDABLE, request_refund
from bookings.payments.states import PaymentState, Situation
from mobility.core.principals import Principal

# By rule of the house: what never began or broke down at once costs nothing.
FREE = frozenset({Situation.START_FAILED, Situation.BROKEN_EARLY})
PROMISED = (PaymentState.OPENING, PaymentState.AUTHORISED)


def refund_by_rule(
    *,
    payment_id: int,
    situation: Situation,
    at: datetime.datetime,
    by: Principal = COLLECTOR,
) -> Refund | None:
    """Give back what the rules say for a ride or charge to which `situation` happened, once.

    1. It never began, or broke down in the first minutes: the promise is released; what was
       charged goes back whole.
    2. Anything else: the share of the price that the organisation's rule names, up to its limit;
       without a rule nothing.

    Needs no second person: a rule decides and not a hand. Runs in the caller's transaction or in
    its own.
    """
    with transaction.atomic():
        payment = Payment.objects.select_for_update(of=("self",)).get(pk=payment_id)
        if situation in FREE and payment.state in PROMISED:
            void_payment(payment=payment, at=at, by=by, reason=situation)
            return None
        reason = f"goodwill:{situation}"
        known = Refund.objects.filter(payment=payment, reason=reason).first()
        cents = 0 if known else _cents(payment, situation)
        if cents == 0:
            return known
        return request_refund(
            payment_id=payment.pk, cents=cents, reason=reason, at=at, by=by, automatic=True
        )


def _cents(payment: Payment, situation: Situation) -> int:
    if payment.state not in REFUNDABLE or payment.lines is not None:
        return 0
    left = payment.amount_cents - payment.refunded_cents
    if situation in FREE:
        return left
    rule = GoodwillRule.objects.filter(
        organisation_id=payment.organisation_id, situation=situation, active=True
    ).first()
    if rule is None:
        return 0
    # Half a cent is the customer's.
    share = -(-payment.amount_cents * rule.percent // 100)
    return min(left, share, rule.max_cents)
