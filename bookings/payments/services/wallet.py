"""A person's credit at one organisation: set aside, spent, set free. It stops at zero."""

import datetime
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import LedgerAccount, LedgerEntry, Payment, PaymentMethod, Receipt
from bookings.payments.rules import (
    Posting,
    credit_buys,
    prepaid_vat_used,
    promise_postings,
    spend_postings,
)
from bookings.payments.services.ledger import post_entries
from bookings.payments.states import CREDIT_ACCOUNTS, WALLET, AccountKind, DocumentKind
from mobility.accounts.models import Organisation
from mobility.core import locks
from mobility.core.errors import Conflict

# In place of a provider's reference: this payment has credit set aside.
HELD = "held"


class CreditTooLow(Conflict):
    """The credit does not reach."""

    code = "credit_too_low"
    message = _("Your credit is not enough for this. Top it up or use a card.")


class CreditNotForThis(CreditTooLow):
    """Some of it has another VAT rate than credit was sold with."""

    code = "credit_not_for_this"
    message = _("Credit cannot pay for this. Use a card.")


def hold_credit(*, payment: Payment, at: datetime.datetime, up_to: int | None = None) -> None:
    """Set the promised cents aside, or as much more as reaches `up_to`; raises `CreditTooLow`.

    Runs in the caller's transaction and keeps the person's credit locked until it ends.
    """
    cents = payment.authorised_cents if up_to is None else up_to - payment.authorised_cents
    if cents > locked_credit(payment=payment)[AccountKind.WALLET]:
        raise CreditTooLow
    deed, suffix = ("promise", "") if up_to is None else ("promise_raised", f":{up_to}")
    post_credit(payment, deed=deed, suffix=suffix, postings=promise_postings(cents), at=at)


def release_credit(*, payment: Payment, at: datetime.datetime) -> None:
    """Set free what was set aside for a payment that takes nothing, in the caller's transaction."""
    held = held_cents(payment)
    locked_credit(payment=payment)
    suffix = f":{payment.attempts}"
    post_credit(payment, deed="release", suffix=suffix, postings=promise_postings(-held), at=at)


def spend_credit(*, payment: Payment, at: datetime.datetime) -> None:
    """Pay the payment's amount out of what was set aside and what is free.

    Raises `CreditTooLow`, and `CreditNotForThis` for what was sold at another VAT rate. In the caller's transaction; the part of the VAT that was paid at the top-up is not owed again.
    """
    held, credit = held_cents(payment), locked_credit(payment=payment)
    if payment.amount_cents > credit[AccountKind.WALLET] + held:
        raise CreditTooLow
    sold = Receipt.objects.filter(payment=payment, kind=DocumentKind.RECEIPT).values_list("vat")
    if not credit_buys(Decimal(part["rate"]) for (parts,) in sold for part in parts):
        raise CreditNotForThis
    vat = prepaid_vat_used(
        prepaid_cents=prepaid_vat_cents(payment),
        credit_cents=sum(credit.values()),
        spent_cents=payment.amount_cents,
    )
    postings = spend_postings(cents=payment.amount_cents, held_cents=held, vat_cents=vat)
    post_credit(payment, deed="capture", postings=postings, at=at)


def held_cents(payment: Payment) -> int:
    """What is set aside for a payment."""
    mine = payment.provider == WALLET and payment.provider_ref == HELD
    return payment.authorised_cents if mine else 0


def locked_credit(*, payment: Payment) -> dict[str, int]:
    """The payer's free and set-aside cents at the organisation, locked until the transaction ends."""
    accounts = (
        LedgerAccount.objects.select_for_update()
        .filter(
            organisation_id=payment.organisation_id,
            user_id=payment.payer_id,
            currency=payment.currency,
            kind__in=CREDIT_ACCOUNTS,
        )
        .order_by("id")
    )
    found = dict(accounts.values_list("kind", "balance_cents"))
    return {str(kind): found.get(kind, 0) for kind in sorted(CREDIT_ACCOUNTS)}


def prepaid_vat_cents(payment: Payment) -> int:
    """The VAT that the payer has paid ahead on the credit at the organisation."""
    entries = LedgerEntry.objects.filter(
        account__organisation_id=payment.organisation_id,
        account__user_id=payment.payer_id,
        account__currency=payment.currency,
        account__kind=AccountKind.PREPAID_VAT,
    )
    return int(entries.aggregate(cents=Sum("cents"))["cents"] or 0)


def post_credit(
    payment: Payment,
    *,
    deed: str,
    postings: tuple[Posting, ...],
    at: datetime.datetime,
    suffix: str = "",
) -> None:
    """Book a deed on the payer's own accounts."""
    post_entries(
        organisation_id=payment.organisation_id,
        currency=payment.currency,
        deed=deed,
        ref=f"{payment.public_id}{suffix}",
        postings=postings,
        at=at,
        user_id=payment.payer_id,
        provider=payment.provider,
    )


def open_wallet(payment: Payment, *, at: datetime.datetime) -> None:
    """Put the payer's credit among their methods; it pays only this organisation.

    In the caller's transaction; doing it twice is doing it once.
    """
    organisation = Organisation.objects.get(pk=payment.organisation_id)
    locks.advisory(f"payment_methods:{payment.payer_id}")
    method, fresh = PaymentMethod.objects.get_or_create(
        user_id=payment.payer_id,
        organisation=organisation,
        defaults={
            "provider": WALLET,
            "token": organisation.slug[:80],
            "label": str(organisation)[:60],
            "created_at": at,
        },
    )
    if not fresh and method.removed_at is not None:
        PaymentMethod.objects.filter(pk=method.pk).update(removed_at=None)
