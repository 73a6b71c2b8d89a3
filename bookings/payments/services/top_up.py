"""Buying credit, and choosing what pays by default."""

import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import LedgerAccount, Payment, PaymentMethod
from bookings.payments.queries import policy_of
from bookings.payments.rules import CREDIT_VAT_RATE
from bookings.payments.services.authorise import authorise_payment
from bookings.payments.services.open import open_payment
from bookings.payments.services.wallet import open_wallet
from bookings.payments.states import CREDIT_ACCOUNTS, PaymentState, Purpose
from mobility.core import audit, ids, locks
from mobility.core.errors import Invalid
from mobility.core.money import EUR, PriceLine, total_cents
from mobility.core.principals import Principal
from mobility.core.transitions import move

# Credit that is on its way already.
UNDECIDED = (PaymentState.OPENING, PaymentState.AUTHORISED, PaymentState.CAPTURING)


class TopUpOutOfRange(Invalid):
    """Less or more than one may top up at once, or more credit than one may have."""

    code = "top_up_out_of_range"
    message = _("You can top up between %(least)s and %(most)s cents.")


def top_up(
    *,
    user_id: int,
    organisation_id: int,
    cents: int,
    at: datetime.datetime,
    by: Principal,
    currency: str = EUR,
    method_id: int | None = None,
) -> Payment:
    """Buy `cents` of credit at an organisation from a card; it is there when the money is.

    Outside of any transaction: the card is asked for a promise first. Raises `TopUpOutOfRange`
    and what opening and authorising raise; after `PaymentActionRequired` go on with
    `confirm_payment`.
    """
    locks.refuse_transaction("topping up")
    with transaction.atomic():
        _refuse_out_of_range(user_id, organisation_id, cents, currency)
        payment = open_payment(
            payer_id=user_id,
            organisation_id=organisation_id,
            purpose=Purpose.TOP_UP,
            purpose_ref=ids.uuid7(),
            cents=cents,
            currency=currency,
            at=at,
            method_id=method_id,
        )
        line = PriceLine(
            kind="top_up", quantity=Decimal(1), unit="credit", cents=cents, vat_rate=CREDIT_VAT_RATE
        )
        Payment.objects.filter(pk=payment.pk).update(lines=[line.as_json()])
        audit.record(by=by, action="top_up:asked", row=payment, at=at, changes={"cents": cents})
    return confirm_payment(payment_id=payment.pk, at=at, by=by)


def confirm_payment(*, payment_id: int, at: datetime.datetime, by: Principal) -> Payment:
    """Ask again for a promise that the person has confirmed at the bank since.

    A top-up is collected then; whatever else was to begin goes on at its own door. Outside of any
    transaction; raises what `authorise_payment` raises.
    """
    payment = authorise_payment(payment_id=payment_id, at=at)
    if payment.state == PaymentState.AUTHORISED and payment.lines is not None:
        with transaction.atomic():
            open_wallet(payment, at=at)
            move(
                payment,
                to=PaymentState.CAPTURING,
                at=at,
                by=by,
                amount_cents=total_cents(PriceLine.from_json(line) for line in payment.lines),
                next_attempt_at=at,
            )
    return payment


def choose_default(*, method_id: int, at: datetime.datetime, by: Principal) -> PaymentMethod:
    """Pay with this card or credit from now on, unless something else is named."""
    with transaction.atomic():
        method = PaymentMethod.objects.get(pk=method_id)
        locks.advisory(f"payment_methods:{method.user_id}")
        mine = PaymentMethod.objects.filter(user_id=method.user_id, removed_at__isnull=True)
        mine.exclude(pk=method.pk).update(is_default=False)
        mine.filter(pk=method.pk).update(is_default=True)
        audit.record(by=by, action="payment_method:chosen", row=method, at=at)
    method.refresh_from_db()
    return method


def _refuse_out_of_range(user_id: int, organisation_id: int, cents: int, currency: str) -> None:
    policy = policy_of(organisation_id=organisation_id)
    # One after the other: two at once would each find room for itself.
    locks.advisory(f"top_up:{user_id}:{organisation_id}")
    coming = Payment.objects.filter(
        organisation_id=organisation_id,
        payer_id=user_id,
        currency=currency,
        purpose=Purpose.TOP_UP,
        state__in=UNDECIDED,
    ).aggregate(cents=Sum("authorised_cents", default=0))["cents"]
    held = LedgerAccount.objects.filter(
        organisation_id=organisation_id,
        user_id=user_id,
        currency=currency,
        kind__in=CREDIT_ACCOUNTS,
    )
    had = coming + sum(held.values_list("balance_cents", flat=True))
    room = policy.credit_max_cents - had
    most = min(policy.top_up_max_cents, room)
    if not policy.top_up_min_cents <= cents <= most:
        raise TopUpOutOfRange(least=policy.top_up_min_cents, most=max(most, 0))
