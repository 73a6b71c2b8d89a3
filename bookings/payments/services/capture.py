"""Collecting money, again if need be."""

import datetime
import uuid

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.events import PaymentCaptured, PaymentFailed, PaymentWrittenOff
from bookings.payments.models import Payment, PaymentMethod
from bookings.payments.providers import provider_named
from bookings.payments.providers.wire import Declined, ProviderUnavailable
from bookings.payments.rules import capture_postings, retry_after_days, write_off_postings
from bookings.payments.services.authorise import PaymentMethodRequired
from bookings.payments.services.ledger import post_entries
from bookings.payments.states import PaymentState
from mobility.core import outbox
from mobility.core.errors import Conflict
from mobility.core.principals import Principal, system_principal
from mobility.core.transitions import LostRace, move

COLLECTOR = system_principal("collector")
SILENCE = datetime.timedelta(minutes=1)


class NothingDue(Conflict):
    """The payment is not a debt."""

    code = "nothing_due"
    message = _("This payment is not open.")


def capture_payment(*, payment_id: uuid.UUID, at: datetime.datetime) -> Payment:
    """Ask the provider for the money of a payment that is being collected or is due.

    1. A due payment goes back to being collected; anything else is left alone.
    2. Ask outside of any transaction. The key changes only after a definite refusal, so a lost
       answer is asked for again and no money moves twice.
    3. Book the answer; if another worker has booked it already, theirs stands.
    """
    payment = Payment.objects.get(public_id=payment_id)
    try:
        if payment.state == PaymentState.DUE:
            with transaction.atomic():
                move(payment, to=PaymentState.CAPTURING, at=at, by=COLLECTOR, reason="retry")
        if payment.state == PaymentState.CAPTURING:
            _ask(payment, at=at)
    except LostRace:
        payment.refresh_from_db()
    return payment


def _ask(payment: Payment, *, at: datetime.datetime) -> None:
    try:
        reference = _take(payment, at=at)
    except Declined as refusal:
        _book_refusal(payment, failure=refusal.reason, at=at)
    except ProviderUnavailable:
        Payment.objects.filter(pk=payment.pk).update(next_attempt_at=at + SILENCE)
    else:
        _book_capture(payment, reference=reference, at=at)


def _take(payment: Payment, *, at: datetime.datetime) -> str:
    """Have the money taken as promised, or from the card chosen since; returns the reference."""
    provider = provider_named(payment.provider)
    key, cents = f"{payment.public_id}:capture:{payment.attempts}", payment.amount_cents
    if payment.provider_ref:
        provider.capture(key=key, reference=payment.provider_ref, cents=cents, at=at)
        return payment.provider_ref
    if payment.method is None:
        raise Declined("card_removed")
    return provider.recapture(key=key, token=payment.method.token, cents=cents, at=at)


def _book_capture(payment: Payment, *, reference: str, at: datetime.datetime) -> None:
    with transaction.atomic():
        move(
            payment,
            to=PaymentState.CAPTURED,
            at=at,
            by=COLLECTOR,
            captured_cents=payment.amount_cents,
            captured_at=at,
            provider_ref=reference,
            next_attempt_at=None,
            failure="",
        )
        post_entries(
            organisation_id=payment.organisation_id,
            currency=payment.currency,
            deed="capture",
            ref=str(payment.public_id),
            postings=capture_postings(payment.amount_cents),
            at=at,
        )
        outbox.publish(
            PaymentCaptured(
                payment_id=str(payment.public_id),
                purpose=payment.purpose,
                purpose_ref=str(payment.purpose_ref),
                cents=payment.amount_cents,
                currency=payment.currency,
            ),
            at=at,
        )


def _book_refusal(payment: Payment, *, failure: str, at: datetime.datetime) -> None:
    attempts = payment.attempts + 1
    pause = retry_after_days(attempts)
    with transaction.atomic():
        move(
            payment,
            to=PaymentState.DUE,
            at=at,
            by=COLLECTOR,
            reason=failure,
            attempts=attempts,
            failure=failure,
            next_attempt_at=None if pause is None else at + datetime.timedelta(days=pause),
        )
        outbox.publish(
            PaymentFailed(
                payment_id=str(payment.public_id),
                purpose=payment.purpose,
                purpose_ref=str(payment.purpose_ref),
                cents=payment.amount_cents,
                currency=payment.currency,
                failure=failure,
            ),
            at=at,
        )


def pay_debt(*, payment_id: int, at: datetime.datetime, by: Principal) -> Payment:
    """Let the collector take what is due from the card that is the person's default one now.

    Nobody is asked here: a card asked before the choice is committed could pay, be forgotten with
    a roll-back, and the debt be taken again from another card. The collector comes in seconds, and
    asks this card alone until it has definitely answered.

    Raises `NothingDue`, `PaymentMethodRequired`, `LostRace`.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.state != PaymentState.DUE:
        raise NothingDue
    method = PaymentMethod.objects.filter(user_id=payment.payer_id).usable().first()
    if method is None:
        raise PaymentMethodRequired
    with transaction.atomic():
        return move(
            payment,
            to=PaymentState.CAPTURING,
            at=at,
            by=by,
            reason="paid_by_person",
            method=method,
            provider=method.provider,
            # No promise stands behind this card: it is charged anew.
            provider_ref="",
            next_attempt_at=at,
        )


def write_off(*, payment_id: int, reason: str, at: datetime.datetime, by: Principal) -> Payment:
    """Give up on a debt; the person may ride again. Raises `IllegalMove` if it is none."""
    with transaction.atomic():
        payment = Payment.objects.get(pk=payment_id)
        move(
            payment,
            to=PaymentState.WRITTEN_OFF,
            at=at,
            by=by,
            reason=reason,
            next_attempt_at=None,
        )
        post_entries(
            organisation_id=payment.organisation_id,
            currency=payment.currency,
            deed="write_off",
            ref=str(payment.public_id),
            postings=write_off_postings(payment.amount_cents),
            at=at,
        )
        outbox.publish(
            PaymentWrittenOff(
                payment_id=str(payment.public_id),
                purpose=payment.purpose,
                purpose_ref=str(payment.purpose_ref),
                cents=payment.amount_cents,
                currency=payment.currency,
            ),
            at=at,
        )
    return payment
