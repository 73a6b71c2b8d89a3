"""Beginning a payment: who may, and with what."""

import datetime
import uuid
from collections.abc import Collection
from decimal import Decimal
from typing import ClassVar

from django.db.models import Exists, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Payment, PaymentMethod
from bookings.payments.providers import provider_named
from bookings.payments.rules import credit_buys
from bookings.payments.states import WALLET, PaymentState, Purpose
from mobility.core.errors import DomainError, Unavailable
from mobility.core.prepared import insert, prepared

# Whoever opened a payment and never came back: the collector releases what was promised.
ABANDONED = datetime.timedelta(minutes=20)


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


class PaymentActionRequired(PaymentRequired):
    """The bank wants to hear from the person first; `extra["action"]` says how."""

    code = "payment_action_required"
    message = _("Your bank asks you to confirm this payment. Confirm it and try again.")


class DebtOutstanding(PaymentRequired):
    """An earlier ride is still to be paid."""

    code = "payment_due"
    message = _("An earlier trip is not paid yet. Pay it, and you can ride again.")


class PaymentsUnavailable(Unavailable):
    """The provider does not answer."""

    code = "payments_unavailable"


def open_payment(
    *,
    payer_id: int,
    organisation_id: int,
    purpose: Purpose,
    purpose_ref: uuid.UUID,
    cents: int,
    currency: str,
    at: datetime.datetime,
    method_id: int | None = None,
    vat_rates: Collection[Decimal] = (),
) -> Payment:
    """Write down that `cents` are to be promised; nobody is asked yet, so it joins any transaction.

    1. Nobody who owes an earlier trip starts another (`DebtOutstanding`, with the payments).
    2. Without a card or credit there is no ride (`PaymentMethodRequired`); it is the default one
       unless `method_id` names another of the person's. Credit does not pay for what is sold at
       another VAT rate than it was (`vat_rates`, as far as they are known).

    `authorise_payment` asks, once this has committed. Raises `PaymentsNotSetUp` where the method's
    provider does not serve.
    """
    method = method_for(
        payer_id=payer_id,
        organisation_id=organisation_id,
        method_id=method_id,
        # Credit is not bought with credit.
        cards_only=purpose == Purpose.TOP_UP or not credit_buys(vat_rates),
        debtors=False,
    )
    payment = Payment(
        organisation_id=organisation_id,
        payer_id=payer_id,
        method=method,
        purpose=purpose,
        purpose_ref=purpose_ref,
        state=PaymentState.OPENING,
        currency=currency,
        authorised_cents=cents,
        provider=method.provider,
        created_at=at,
        next_attempt_at=at + ABANDONED,
    )
    return insert(payment)


def method_for(
    *,
    payer_id: int,
    organisation_id: int,
    method_id: int | None = None,
    cards_only: bool = False,
    debtors: bool = True,
) -> PaymentMethod:
    """What the person pays this organisation with; raises `PaymentMethodRequired`.

    Without `debtors`, who owes an earlier payment is refused first (`DebtOutstanding`), in the
    same query: every start comes by here.
    """
    found = (_card if cards_only else _method).first(
        payer_id=payer_id, organisation_id=organisation_id, method_id=method_id
    )
    if not debtors and (found is None or getattr(found, "owes", False)):
        refuse_debtor(payer_id=payer_id)
    if found is None:
        raise PaymentMethodRequired
    if found.provider != WALLET:
        provider_named(found.provider)
    return found


@prepared
def _method(
    *, payer_id: int, organisation_id: int, method_id: int | None
) -> "QuerySet[PaymentMethod]":
    return _paying(payer_id, organisation_id, method_id)[:1]


@prepared
def _card(
    *, payer_id: int, organisation_id: int, method_id: int | None
) -> "QuerySet[PaymentMethod]":
    cards = _paying(payer_id, organisation_id, method_id).filter(organisation__isnull=True)
    return cards[:1]


def _paying(
    payer_id: int, organisation_id: int, method_id: int | None
) -> "QuerySet[PaymentMethod]":
    """What the person can pay with, the one named or else all; and whether they owe."""
    mine = PaymentMethod.objects.filter(user_id=payer_id).paying(organisation_id)
    named = mine.filter(pk=Coalesce(method_id, "pk"))
    return named.annotate(owes=Exists(Payment.objects.owed_by(payer_id)))


def refuse_debtor(*, payer_id: int) -> None:
    """Raise `DebtOutstanding` if the person owes an earlier payment."""
    owed = list(Payment.objects.owed_by(payer_id).values_list("public_id", "amount_cents"))
    if owed:
        payments = [{"id": str(public_id), "cents": cents} for public_id, cents in owed]
        raise DebtOutstanding(extra={"payments": payments})
