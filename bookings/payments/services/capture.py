"""Collecting money, again if need be."""

import datetime
import uuid

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.events import (
    PaymentCaptured,
    PaymentFailed,
    PaymentRefused,
    PaymentWrittenOff,
)
from bookings.payments.models import Payment
from bookings.payments.providers import provider_named
from bookings.payments.providers.wire import ActionRequired, Declined, ProviderUnavailable
from bookings.payments.rules import (
    Posting,
    capture_postings,
    retry_after_days,
    write_off_postings,
)
from bookings.payments.services.authorise import COLLECTOR, LAPSED, SILENCE
from bookings.payments.services.charge import sell
from bookings.payments.services.ledger import post_entries
from bookings.payments.services.open import method_for
from bookings.payments.services.wallet import CreditTooLow, release_credit, spend_credit
from bookings.payments.states import WALLET, AccountKind, PaymentState
from mobility.core import outbox
from mobility.core.errors import Conflict
from mobility.core.money import PriceLine
from mobility.core.principals import Principal
from mobility.core.transitions import LostRace, move

# A card whose bank wants to hear from the person is asked again once a day.
ASK_AGAIN = datetime.timedelta(days=1)


class NothingDue(Conflict):
    """The payment is not a debt."""

    code = "nothing_due"
    message = _("This payment is not open.")


def capture_payment(*, payment_id: uuid.UUID, at: datetime.datetime) -> Payment:
    """Ask for the money of a payment that is being collected or is due; see `take_money`."""
    payment = Payment.objects.with_method().get(public_id=payment_id)
    take_money(payment=payment, at=at)
    return payment


def take_money(*, payment: Payment, at: datetime.datetime) -> None:
    """Ask the provider, or the person's credit, for the money of a payment loaded `with_method`.

    1. A due payment goes back to being collected; anything else is left alone.
    2. Ask outside of any transaction. The key changes only after a definite refusal, so a lost
       answer is asked for again and no money moves twice.
    3. Book the answer; if another worker has booked it already, theirs stands.
    """
    try:
        if payment.state == PaymentState.DUE:
            with transaction.atomic():
                move(payment, to=PaymentState.CAPTURING, at=at, by=COLLECTOR, reason="retry")
        if payment.state == PaymentState.CAPTURING:
            _ask(payment, at=at)
    except LostRace:
        payment.refresh_from_db()


def _ask(payment: Payment, *, at: datetime.datetime) -> None:
    try:
        if payment.provider == WALLET:
            _book_capture(payment, reference="", at=at)
        else:
            _book_capture(payment, reference=_take(payment, at=at), at=at)
    except (Declined, CreditTooLow) as refusal:
        failure = refusal.reason if isinstance(refusal, Declined) else refusal.code
        _book_refusal(payment, failure=failure, at=at)
    except ActionRequired as problem:
        _book_action(payment, problem, at=at)
    except ProviderUnavailable:
        Payment.objects.filter(pk=payment.pk).update(next_attempt_at=at + SILENCE)


def _take(payment: Payment, *, at: datetime.datetime) -> str:
    """Have the money taken as promised, or from the card chosen since; returns the reference."""
    if payment.method is None and not payment.provider_ref:
        raise Declined("no_card")
    provider = provider_named(payment.provider)
    key, cents = f"{payment.public_id}:capture:{payment.attempts}", payment.amount_cents
    since = payment.created_at
    if payment.provider_ref:
        return provider.capture(
            key=key, reference=payment.provider_ref, cents=cents, since=since, at=at
        )
    # Without a reference there is a method: else the first line has refused.
    assert payment.method is not None
    return provider.recapture(
        key=key,
        token=payment.method.token,
        cents=cents,
        currency=payment.currency,
        since=since,
        at=at,
    )


def _book_capture(payment: Payment, *, reference: str, at: datetime.datetime) -> None:
    lines, from_credit = payment.lines, payment.provider == WALLET
    recovered = bool(payment.failure)
    with transaction.atomic():
        if from_credit:
            # The payment before the credit, as everybody locks them.
            Payment.objects.select_for_update().get(pk=payment.pk)
        if lines is not None:
            sell(payment=payment, lines=[PriceLine.from_json(line) for line in lines], at=at)
        if from_credit:
            spend_credit(payment=payment, at=at)
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
            action=None,
            lines=None,
            tells=[
                PaymentCaptured(
                    payment_id=str(payment.public_id),
                    purpose=payment.purpose,
                    purpose_ref=str(payment.purpose_ref),
                    cents=payment.amount_cents,
                    currency=payment.currency,
                    payer=payment.payer.principal,
                    recovered=recovered,
                )
            ],
        )
        if not from_credit:
            _post(payment, deed="capture", postings=capture_postings(payment.amount_cents), at=at)


def _book_refusal(payment: Payment, *, failure: str, at: datetime.datetime) -> None:
    """A debt from now on; what was to be paid ahead is refused instead."""
    prepaid = payment.lines is not None
    attempts = payment.attempts + 1
    pause = None if prepaid else retry_after_days(attempts)
    with transaction.atomic():
        if payment.provider == WALLET and payment.provider_ref:
            Payment.objects.select_for_update().get(pk=payment.pk)
            release_credit(payment=payment, at=at)
        move(
            payment,
            to=PaymentState.REFUSED if prepaid else PaymentState.DUE,
            at=at,
            by=COLLECTOR,
            reason=failure,
            attempts=attempts,
            failure=failure,
            provider_ref="" if payment.provider == WALLET else payment.provider_ref,
            next_attempt_at=None if pause is None else at + datetime.timedelta(days=pause),
        )
        told = PaymentRefused if prepaid else PaymentFailed
        outbox.publish(_failed(payment, told, failure=failure), at=at)


def _book_action(payment: Payment, problem: ActionRequired, *, at: datetime.datetime) -> None:
    """The person has to act before the card pays: owed until then, and the key stays the same."""
    if payment.lines is not None:
        _book_refusal(payment, failure="action_required", at=at)
        return
    asking = at < payment.created_at + LAPSED
    with transaction.atomic():
        move(
            payment,
            to=PaymentState.DUE,
            at=at,
            by=COLLECTOR,
            reason="action_required",
            failure="action_required",
            action={"url": problem.action.url, "client_secret": problem.action.client_secret},
            next_attempt_at=at + ASK_AGAIN if asking else None,
        )
        outbox.publish(_failed(payment, PaymentFailed, failure="action_required"), at=at)


def _failed(
    payment: Payment, told: type[PaymentFailed] | type[PaymentRefused], *, failure: str
) -> PaymentFailed | PaymentRefused:
    return told(
        payment_id=str(payment.public_id),
        purpose=payment.purpose,
        purpose_ref=str(payment.purpose_ref),
        cents=payment.amount_cents,
        currency=payment.currency,
        failure=failure,
        payer=payment.payer.principal,
    )


def pay_debt(
    *, payment_id: int, at: datetime.datetime, by: Principal, method_id: int | None = None
) -> Payment:
    """Let the collector take what is due from `method_id`, or the person's default card now.

    Nobody is asked here: a card asked before the choice is committed could pay, be forgotten with
    a roll-back, and the debt be taken again from another card. The collector comes in seconds, and
    asks this card alone until it has definitely answered.

    Raises `NothingDue`, `PaymentMethodRequired`, `LostRace`.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.state != PaymentState.DUE:
        raise NothingDue
    method = method_for(
        payer_id=payment.payer_id, organisation_id=payment.organisation_id, method_id=method_id
    )
    return collect_from(
        payment=payment, method_id=method.pk, provider=method.provider, at=at, by=by
    )


def collect_from(
    *, payment: Payment, method_id: int, provider: str, at: datetime.datetime, by: Principal
) -> Payment:
    """Send a debt back to the collector with the method it is to ask."""
    # A bank that waits for the person's word on another card must not answer for this one.
    other = payment.action is not None and payment.method_id != method_id
    with transaction.atomic():
        return move(
            payment,
            to=PaymentState.CAPTURING,
            at=at,
            by=by,
            reason="paid_by_person",
            method_id=method_id,
            provider=provider,
            attempts=payment.attempts + other,
            # No promise stands behind this card: it is charged anew.
            provider_ref="",
            next_attempt_at=at,
        )


def write_off(
    *,
    payment_id: int,
    reason: str,
    at: datetime.datetime,
    by: Principal,
    lost: bool = False,
) -> Payment:
    """Give up on a debt, waived by us or `lost`; the person may ride again.

    Raises `IllegalMove` if it is none.
    """
    with transaction.atomic():
        # Locked, for a refund may be making the debt smaller.
        payment = Payment.objects.with_method().select_for_update(of=("self",)).get(pk=payment_id)
        move(
            payment,
            to=PaymentState.WRITTEN_OFF,
            at=at,
            by=by,
            reason=reason,
            next_attempt_at=None,
        )
        kind = AccountKind.BAD_DEBT if lost else AccountKind.WRITTEN_OFF
        postings = write_off_postings(payment.amount_cents, kind=kind)
        _post(payment, deed="write_off", postings=postings, at=at)
        outbox.publish(
            PaymentWrittenOff(
                payment_id=str(payment.public_id),
                purpose=payment.purpose,
                purpose_ref=str(payment.purpose_ref),
                cents=payment.amount_cents,
                currency=payment.currency,
                payer=payment.payer.principal,
            ),
            at=at,
        )
    return payment


def _post(
    payment: Payment, *, deed: str, postings: tuple[Posting, ...], at: datetime.datetime
) -> None:
    post_entries(
        organisation_id=payment.organisation_id,
        currency=payment.currency,
        deed=deed,
        ref=str(payment.public_id),
        postings=postings,
        at=at,
        user_id=payment.payer_id,
        provider=payment.provider,
    )
