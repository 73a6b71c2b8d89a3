"""A promise of money before the ride, and its release."""

import datetime
import uuid
from typing import ClassVar

import structlog
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Payment, PaymentMethod
from bookings.payments.providers import provider_named
from bookings.payments.providers.wire import Declined, ProviderUnavailable
from bookings.payments.states import PaymentState, Purpose
from mobility.core.errors import DomainError, Unavailable
from mobility.core.principals import Principal
from mobility.core.transitions import move

log = structlog.get_logger(__name__)


class PaymentRequired(DomainError):
    """Money stands between the person and the ride (402)."""

    code = "payment_required"
    status: ClassVar[int] = 402


class PaymentMethodRequired(PaymentRequired):
    """No card on file."""

    code = "payment_method_required"
    message = _("Please add a payment method first.")


class PaymentDeclined(PaymentRequired):
    """The card refused the promise."""

    code = "payment_declined"
    message = _("Your card was declined. Please use another payment method.")


class DebtOutstanding(PaymentRequired):
    """An earlier ride is still to be paid."""

    code = "payment_due"
    message = _("An earlier trip is not paid yet. Pay it, and you can ride again.")


class PaymentsUnavailable(Unavailable):
    """The provider does not answer."""

    code = "payments_unavailable"


def authorise_payment(
    *,
    payer_id: int,
    organisation_id: int,
    purpose: Purpose,
    purpose_ref: uuid.UUID,
    cents: int,
    currency: str,
    at: datetime.datetime,
) -> Payment:
    """Have `cents` promised on the person's default card.

    1. Nobody who owes an earlier trip starts another (`DebtOutstanding`, with the payments).
    2. Without a card there is no ride (`PaymentMethodRequired`).
    3. The provider promises, refuses (`PaymentDeclined`) or is silent (`PaymentsUnavailable`).
    """
    refuse_debtor(payer_id=payer_id)
    method = PaymentMethod.objects.filter(user_id=payer_id).usable().first()
    if method is None:
        raise PaymentMethodRequired
    try:
        reference = provider_named(method.provider).authorise(
            key=f"{purpose}:{purpose_ref}:authorise", token=method.token, cents=cents, at=at
        )
    except Declined as problem:
        raise PaymentDeclined(extra={"reason": problem.reason}) from problem
    except ProviderUnavailable as problem:
        raise PaymentsUnavailable from problem
    return Payment.objects.create(
        organisation_id=organisation_id,
        payer_id=payer_id,
        method=method,
        purpose=purpose,
        purpose_ref=purpose_ref,
        currency=currency,
        authorised_cents=cents,
        provider=method.provider,
        provider_ref=reference,
        created_at=at,
    )


def refuse_debtor(*, payer_id: int) -> None:
    """Raise `DebtOutstanding` if the person owes an earlier payment."""
    owed = list(Payment.objects.owed_by(payer_id).values_list("public_id", "amount_cents"))
    if owed:
        payments = [{"id": str(public_id), "cents": cents} for public_id, cents in owed]
        raise DebtOutstanding(extra={"payments": payments})


def void_payment(
    *, payment: Payment, at: datetime.datetime, by: Principal, reason: str = ""
) -> None:
    """Release a promise that nothing came of; one that the provider does not release lapses by itself."""
    with transaction.atomic(savepoint=False):
        move(payment, to=PaymentState.VOIDED, at=at, by=by, reason=reason)
    try:
        provider_named(payment.provider).void(
            key=f"{payment.public_id}:void", reference=payment.provider_ref, at=at
        )
    except (Declined, ProviderUnavailable) as problem:
        name = str(payment.public_id)
        log.warning("bookings.promise_not_released", payment=name, problem=repr(problem))
