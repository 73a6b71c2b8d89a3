"""Cards on file."""

import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import LedgerAccount, PaymentMethod
from bookings.payments.providers import provider_for_new_cards, provider_named
from bookings.payments.providers.wire import CardSetup, ProviderUnavailable, TokenUnknown
from bookings.payments.states import CREDIT_ACCOUNTS
from mobility.core import audit, locks
from mobility.core.errors import Conflict, Invalid, Unavailable
from mobility.core.money import EUR
from mobility.core.principals import Principal


class CardUnknown(Invalid):
    """The provider knows no such card."""

    code = "card_unknown"
    message = _("The payment provider does not know this card. Please check it or use another one.")


class CardNotChecked(Unavailable):
    """The provider does not answer."""

    code = "card_not_checked"
    message = _("The payment provider does not answer. Please try again in a moment.")


class CreditLeft(Conflict):
    """Credit goes by being spent or given back, not by being taken off the list."""

    code = "credit_left"
    message = _("There is credit left in your wallet; use it or ask to have it back.")


def card_owner(user_id: int) -> str:
    """The name by which providers know a person: stable, and of no use to anybody else."""
    return f"user-{user_id}"


def begin_card_setup(
    *, user_id: int, return_url: str, at: datetime.datetime, currency: str = EUR
) -> CardSetup:
    """Let a person put a card on file with the provider of new cards; it holds nothing of ours yet.

    With a `return_url` the provider's own page asks for the card and comes back there. Outside of
    any transaction. Raises `CardNotChecked` if it does not answer, and `PaymentsNotSetUp`.
    """
    locks.refuse_transaction("beginning to put a card on file")
    provider = provider_named(provider_for_new_cards())
    try:
        return provider.begin_setup(
            owner=card_owner(user_id), currency=currency, return_url=return_url, at=at
        )
    except ProviderUnavailable as problem:
        raise CardNotChecked from problem


def add_payment_method(
    *, user_id: int, token: str, at: datetime.datetime, by: Principal, provider: str = ""
) -> PaymentMethod:
    """Put a card on file and make it the default one; the same card twice is one row.

    Without a `provider` it is the one that serves new cards. It is asked, so outside of any
    transaction. Raises `CardUnknown` if it has no card of this person behind the token,
    `CardNotChecked` if it does not answer, and `PaymentsNotSetUp`.
    """
    locks.refuse_transaction("putting a card on file")
    provider = provider or provider_for_new_cards()
    try:
        card = provider_named(provider).card(token=token, owner=card_owner(user_id))
    except TokenUnknown as problem:
        raise CardUnknown from problem
    except ProviderUnavailable as problem:
        raise CardNotChecked from problem
    with transaction.atomic():
        locks.advisory(f"payment_methods:{user_id}")
        mine = PaymentMethod.objects.filter(user_id=user_id, removed_at__isnull=True)
        mine.update(is_default=False)
        method, fresh = mine.get_or_create(
            provider=provider,
            token=card.token,
            defaults={
                "user_id": user_id,
                "label": card.label,
                "created_at": at,
                "is_default": True,
            },
        )
        if not fresh:
            PaymentMethod.objects.filter(pk=method.pk).update(is_default=True)
            method.is_default = True
        audit.record(by=by, action="payment_method:added", row=method, at=at)
    return method


def remove_payment_method(*, method_id: int, at: datetime.datetime, by: Principal) -> None:
    """Take a card off the file; another one becomes the default. Doing it twice is doing it once.

    Raises `CreditLeft` for credit that could not be spent any more then.
    """
    with transaction.atomic():
        method = PaymentMethod.objects.get(pk=method_id)
        if method.organisation_id is not None:
            _refuse_credit(method.user_id, method.organisation_id)
        locks.advisory(f"payment_methods:{method.user_id}")
        mine = PaymentMethod.objects.filter(user_id=method.user_id, removed_at__isnull=True)
        if not mine.filter(pk=method_id).update(removed_at=at, is_default=False):
            return
        heir = mine.usable().first()
        if heir is not None and not heir.is_default:
            PaymentMethod.objects.filter(pk=heir.pk).update(is_default=True)
        audit.record(by=by, action="payment_method:removed", row=method, at=at)


def _refuse_credit(user_id: int, organisation_id: int) -> None:
    left = LedgerAccount.objects.filter(
        user_id=user_id,
        organisation_id=organisation_id,
        kind__in=CREDIT_ACCOUNTS,
        balance_cents__gt=0,
    )
    if left.exists():
        raise CreditLeft
