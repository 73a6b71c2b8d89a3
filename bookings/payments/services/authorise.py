"""A promise of money before the ride: asked for, raised, renewed and released."""

import datetime
from collections.abc import Callable

import structlog
from django.db import transaction
from django.db.models import QuerySet

from bookings.payments.events import PaymentRefused, PromiseMissing
from bookings.payments.models import Payment
from bookings.payments.providers import provider_named
from bookings.payments.providers.wire import (
    ActionRequired,
    Authorisation,
    Declined,
    NextAction,
    ProviderUnavailable,
)
from bookings.payments.services.open import (
    ABANDONED,
    PaymentActionRequired,
    PaymentDeclined,
    PaymentsUnavailable,
)
from bookings.payments.services.wallet import (
    HELD,
    CreditTooLow,
    hold_credit,
    release_credit,
)
from bookings.payments.states import WALLET, PaymentState
from mobility.core import locks, outbox
from mobility.core.prepared import prepared
from mobility.core.principals import Principal, system_principal
from mobility.core.transitions import LostRace, move

log = structlog.get_logger(__name__)

COLLECTOR = system_principal("collector")
# A promise is renewed this long before it lapses, or half-way where it lapses sooner.
RENEW_AHEAD = datetime.timedelta(days=1)
RENEW_AGAIN = datetime.timedelta(days=1)
SILENCE = datetime.timedelta(minutes=1)
# Providers let a promise lapse after a week at the latest.
LAPSED = datetime.timedelta(days=7)


def _nothing() -> None:
    """What waits for most promises."""


def authorise_payment(*, payment_id: int, at: datetime.datetime) -> Payment:
    """Have the money of an opened payment promised, and book the answer.

    1. Outside of any transaction (else `RuntimeError`): the provider is asked with a key that
       stays the same, so asking again after a crash or a lost answer asks for the same promise.
    2. A refusal is booked (`refused`) and raised as `PaymentDeclined`.
    3. Where the bank wants to hear from the person first, what to do is kept on the payment and
       raised as `PaymentActionRequired`; ask again afterwards.
    4. Silence is `PaymentsUnavailable`, and leaves the payment as it is.

    Nothing is asked for a promise of 0 cents. A payment that is past this is returned as it is, or
    raised as `PaymentDeclined` again; one that was given up meanwhile is `LostRace`.
    """
    locks.refuse_transaction("asking for a promise of money")
    return authorise_opened(payment=_by_pk.get(pk=payment_id), at=at)


def authorise_opened(
    *, payment: Payment, at: datetime.datetime, along: Callable[[], None] = _nothing
) -> Payment:
    """The same for a payment that the caller has just opened or loaded.

    Whatever has happened to it since, the conditional move finds out. What waited for the promise is
    done by `along`, in the transaction that books it and before the payment, which is locked last;
    if that fails, the answer is as good as lost.
    """
    locks.refuse_transaction("asking for a promise of money")
    if payment.state == PaymentState.REFUSED:
        raise PaymentDeclined(extra={"reason": payment.failure})
    if payment.state == PaymentState.OPENING:
        try:
            _authorise(payment, along=along, at=at)
        except LostRace:
            # Asked for twice at once: the other one has booked the same answer, or it was given up.
            payment.refresh_from_db()
            if payment.state != PaymentState.AUTHORISED:
                raise
        else:
            return payment
    with transaction.atomic():
        along()
    return payment


@prepared
def _by_pk(*, pk: int) -> "QuerySet[Payment]":
    return Payment.objects.with_method().filter(pk=pk)


def _authorise(payment: Payment, *, along: Callable[[], None], at: datetime.datetime) -> None:
    try:
        promise = None if payment.provider == WALLET else _ask(payment, at=at)
        with transaction.atomic():
            along()
            if promise is None:
                _book_held_credit(payment, at=at)
            else:
                _book_promise(payment, promise=promise, at=at)
    except (Declined, CreditTooLow) as refusal:
        failure = refusal.reason if isinstance(refusal, Declined) else refusal.code
        _book_refusal(payment, failure=failure, at=at)
        raise PaymentDeclined(extra={"reason": failure}) from refusal
    except ActionRequired as problem:
        raise _keep_action(payment, problem.action) from problem
    except ProviderUnavailable as problem:
        raise PaymentsUnavailable from problem


def _ask(payment: Payment, *, at: datetime.datetime) -> Authorisation:
    """Ask with the payment's own key; a promise of nothing needs nobody's word."""
    if payment.authorised_cents == 0:
        return Authorisation(reference="")
    if payment.method is None:
        raise Declined("card_removed")
    return provider_named(payment.provider).authorise(
        key=f"{payment.purpose}:{payment.purpose_ref}:authorise",
        token=payment.method.token,
        cents=payment.authorised_cents,
        currency=payment.currency,
        since=payment.created_at,
        at=at,
    )


def _book_promise(payment: Payment, *, promise: Authorisation, at: datetime.datetime) -> None:
    move(
        payment,
        to=PaymentState.AUTHORISED,
        at=at,
        by=COLLECTOR,
        provider_ref=promise.reference,
        expires_at=promise.expires_at,
        action=None,
        # What is paid ahead is collected at once; the collector looks whether it was.
        next_attempt_at=_renewal(promise, at=at) if payment.lines is None else at + ABANDONED,
    )


def _book_held_credit(payment: Payment, *, at: datetime.datetime) -> None:
    waiting = Payment.objects.select_for_update().filter(pk=payment.pk)
    if not waiting.filter(state=PaymentState.OPENING).exists():
        raise LostRace
    hold_credit(payment=payment, at=at)
    move(
        payment,
        to=PaymentState.AUTHORISED,
        at=at,
        by=COLLECTOR,
        provider_ref=HELD,
        next_attempt_at=None,
    )


def _book_refusal(payment: Payment, *, failure: str, at: datetime.datetime) -> None:
    with transaction.atomic():
        move(
            payment,
            to=PaymentState.REFUSED,
            at=at,
            by=COLLECTOR,
            reason=failure,
            failure=failure,
            action=None,
            next_attempt_at=None,
        )
        outbox.publish(
            PaymentRefused(
                payment_id=str(payment.public_id),
                purpose=payment.purpose,
                purpose_ref=str(payment.purpose_ref),
                cents=payment.authorised_cents,
                currency=payment.currency,
                failure=failure,
                payer=payment.payer.principal,
            ),
            at=at,
        )


def _keep_action(payment: Payment, action: NextAction) -> PaymentActionRequired:
    """Note what the person has to do; it goes to them with the refusal and stays on the payment."""
    kept = {"url": action.url, "client_secret": action.client_secret}
    Payment.objects.filter(pk=payment.pk, state=PaymentState.OPENING).update(
        action=kept, provider_ref=action.reference
    )
    return PaymentActionRequired(extra={"payment": str(payment.public_id), "action": kept})


def void_payment(
    *, payment: Payment, at: datetime.datetime, by: Principal, reason: str = ""
) -> None:
    """Release a promise that nothing came of; the collector tells the provider afterwards.

    A payment that was refused or released already is left alone.
    """
    # The caller opened it; its answer may have been booked on another instance since.
    payment.refresh_from_db(fields=["state", "provider_ref", "authorised_cents", "attempts"])
    if payment.state in (PaymentState.REFUSED, PaymentState.VOIDED):
        return
    promised = payment.state == PaymentState.AUTHORISED
    told_at = None if payment.provider == WALLET or not payment.authorised_cents else at
    with transaction.atomic(savepoint=False):
        move(
            payment,
            to=PaymentState.VOIDED,
            at=at,
            by=by,
            reason=reason,
            action=None,
            next_attempt_at=told_at,
        )
        if payment.provider == WALLET and promised:
            release_credit(payment=payment, at=at)


def release_promise(*, payment: Payment, at: datetime.datetime) -> None:
    """Tell the provider that a released promise is not needed; silence is tried again for a week.

    Of a payment that was given up while it was asked for, nobody knows the answer: asking once
    more with its key brings it to light.
    """
    waiting = Payment.objects.filter(pk=payment.pk, state=PaymentState.VOIDED)
    try:
        reference = payment.provider_ref or _ask(payment, at=at).reference
        provider_named(payment.provider).void(
            key=f"{payment.public_id}:void", reference=reference, at=at
        )
    except ActionRequired as problem:
        waiting.update(provider_ref=problem.action.reference, next_attempt_at=at + SILENCE)
    except ProviderUnavailable:
        lapsed = payment.created_at < at - LAPSED
        waiting.update(next_attempt_at=None if lapsed else at + SILENCE)
    except Declined:
        waiting.update(next_attempt_at=None)
    else:
        waiting.update(provider_ref=reference, next_attempt_at=None)


def raise_promise(*, payment_id: int, cents: int, at: datetime.datetime) -> Payment:
    """Have a promise raised to `cents` in all, for a ride that grows longer than was thought.

    Outside of any transaction. What cannot be raised leaves the old promise and is told
    (`PromiseMissing`); a vehicle is never stopped for it. Less than is promised changes nothing.
    """
    locks.refuse_transaction("raising a promise of money")
    payment = Payment.objects.with_method().get(pk=payment_id)
    if payment.state != PaymentState.AUTHORISED or cents <= payment.authorised_cents:
        return payment
    try:
        if payment.provider == WALLET:
            return _raise_held_credit(payment, cents=cents, at=at)
        if payment.provider_ref:
            _raise_at_provider(payment, cents=cents, at=at)
    except (Declined, ActionRequired, CreditTooLow):
        _note_uncovered(payment, failure="not_raised", at=at, again=payment.next_attempt_at)
    except ProviderUnavailable as problem:
        raise PaymentsUnavailable from problem
    return payment


def _raise_at_provider(payment: Payment, *, cents: int, at: datetime.datetime) -> None:
    promise = provider_named(payment.provider).increase(
        key=f"{payment.public_id}:raise:{cents}", reference=payment.provider_ref, cents=cents, at=at
    )
    _keep_promise(payment, promise, at=at, authorised_cents=cents)


def _raise_held_credit(payment: Payment, *, cents: int, at: datetime.datetime) -> Payment:
    """Set more aside, unless the ride is over or another has done so meanwhile."""
    with transaction.atomic():
        mine = Payment.objects.with_method().select_for_update(of=("self",)).get(pk=payment.pk)
        if mine.state == PaymentState.AUTHORISED and cents > mine.authorised_cents:
            hold_credit(payment=mine, at=at, up_to=cents)
            mine.authorised_cents = cents
            mine.save(update_fields=["authorised_cents"])
    return mine


def renew_promise(*, payment: Payment, at: datetime.datetime) -> None:
    """Get a new promise before the old one lapses, then release the old one.

    A refusal is told once (`PromiseMissing`) and asked again every day; the ride goes on.
    """
    number = payment.renewals + 1
    provider = provider_named(payment.provider)
    try:
        if payment.method is None:
            raise Declined("card_removed")
        promise = provider.authorise(
            key=f"{payment.public_id}:renew:{number}",
            token=payment.method.token,
            cents=payment.authorised_cents,
            currency=payment.currency,
            since=payment.created_at,
            at=at,
        )
    except (Declined, ActionRequired):
        _note_uncovered(payment, failure="not_renewed", at=at, again=at + RENEW_AGAIN)
    except ProviderUnavailable:
        Payment.objects.filter(pk=payment.pk).update(next_attempt_at=at + SILENCE)
    else:
        _swap_promise(payment, promise, old=payment.provider_ref, at=at)


def _swap_promise(
    payment: Payment, promise: Authorisation, *, old: str, at: datetime.datetime
) -> None:
    """Keep the new promise and release the old one; or the other way round if the ride is over."""
    number, needless = payment.renewals + 1, old
    try:
        _keep_promise(payment, promise, at=at, uncovered_since=None)
    except LostRace:
        needless = promise.reference
    try:
        provider_named(payment.provider).void(
            key=f"{payment.public_id}:void:{number}", reference=needless, at=at
        )
    except (Declined, ProviderUnavailable) as problem:
        name = str(payment.public_id)
        log.warning("bookings.promise_not_released", payment=name, problem=repr(problem))


def _keep_promise(
    payment: Payment, promise: Authorisation, *, at: datetime.datetime, **changes: object
) -> None:
    """Write a promise over the old one, unless the payment has moved on with the old one."""
    known = Payment.objects.filter(
        pk=payment.pk, state=PaymentState.AUTHORISED, renewals=payment.renewals
    )
    written = {
        "provider_ref": promise.reference,
        "expires_at": promise.expires_at,
        "renewals": payment.renewals + 1,
        "next_attempt_at": _renewal(promise, at=at),
        **changes,
    }
    if not known.update(**written):
        raise LostRace
    for name, value in written.items():
        setattr(payment, name, value)


def _note_uncovered(
    payment: Payment, *, failure: str, at: datetime.datetime, again: datetime.datetime | None
) -> None:
    """Note that the ride is longer than its promise; say so the first time."""
    with transaction.atomic():
        mine = Payment.objects.filter(pk=payment.pk, state=PaymentState.AUTHORISED)
        mine.update(renewals=payment.renewals + 1, next_attempt_at=again)
        if mine.filter(uncovered_since__isnull=True).update(uncovered_since=at):
            outbox.publish(
                PromiseMissing(
                    payment_id=str(payment.public_id),
                    purpose=payment.purpose,
                    purpose_ref=str(payment.purpose_ref),
                    cents=payment.authorised_cents,
                    currency=payment.currency,
                    failure=failure,
                    payer=payment.payer.principal,
                ),
                at=at,
            )


def _renewal(promise: Authorisation, *, at: datetime.datetime) -> datetime.datetime | None:
    if promise.expires_at is None:
        return None
    return max(promise.expires_at - RENEW_AHEAD, at + (promise.expires_at - at) / 2)
