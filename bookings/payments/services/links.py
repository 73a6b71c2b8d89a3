"""Paying a debt without an account: a secret address, sent to the person."""

import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import PayLink, Payment, PaymentMethod
from bookings.payments.providers import provider_for_new_cards, provider_named
from bookings.payments.providers.wire import ProviderUnavailable, TokenUnknown
from bookings.payments.queries import policy_of
from bookings.payments.services.capture import NothingDue, collect_from
from bookings.payments.services.methods import (
    CardNotChecked,
    CardUnknown,
    begin_card_setup,
    card_owner,
)
from bookings.payments.states import PaymentState
from mobility.core import ids, locks
from mobility.core.errors import Gone, NotFound
from mobility.core.principals import system_principal

# So long an address that has expired still says so; afterwards nobody knows it.
KEPT = datetime.timedelta(days=90)
LINK = system_principal("pay-link")


class PayLinkUnknown(NotFound):
    """Nobody was given this address."""

    code = "pay_link_unknown"
    message = _("This payment link is not valid.")


class PayLinkExpired(Gone):
    """Its time is over; a new one comes with the next reminder."""

    code = "pay_link_expired"
    message = _("This payment link has expired. Please log in to pay, or ask us for a new one.")


def create_pay_link(*, payment: Payment, at: datetime.datetime) -> str:
    """A new secret address for a debt, good for the organisation's days; only its hash is kept."""
    days = policy_of(organisation_id=payment.organisation_id).link_days
    token = ids.secret(32)
    PayLink.objects.create(
        payment=payment,
        token_hash=ids.hash_secret(token),
        created_at=at,
        expires_at=at + datetime.timedelta(days=days),
    )
    return token


def forget_links(*, at: datetime.datetime) -> int:
    """Delete addresses that expired long ago, and those of what is paid; returns how many."""
    expired = Q(expires_at__lt=at - KEPT)
    paid = Q(expires_at__lt=at) & ~Q(payment__state__in=[PaymentState.DUE, PaymentState.CAPTURING])
    return PayLink.objects.filter(expired | paid).delete()[0]


def payment_of_link(*, token: str, at: datetime.datetime) -> Payment:
    """The payment behind an address; raises `PayLinkUnknown`, `PayLinkExpired`."""
    link = (
        PayLink.objects.select_related("payment__organisation", "payment__method")
        .filter(token_hash=ids.hash_secret(token))
        .first()
    )
    if link is None:
        raise PayLinkUnknown
    if at >= link.expires_at:
        raise PayLinkExpired
    return link.payment


def card_page_of_link(*, token: str, return_url: str, at: datetime.datetime) -> str:
    """The provider's page on which whoever has the address enters a card, to come back with it.

    Outside of any transaction. Raises what `payment_of_link` does, and `CardNotChecked`.
    """
    payment = payment_of_link(token=token, at=at)
    setup = begin_card_setup(user_id=payment.payer_id, return_url=return_url, at=at)
    return setup.url


def pay_by_link(*, token: str, card: str, at: datetime.datetime) -> Payment:
    """Have a debt collected from a card that is used this once and not put on file.

    `card` is the provider's token for it, which is asked first, so outside of any transaction.
    Whoever has the address may pay; it shows and changes nothing else. Raises `PayLinkUnknown`,
    `PayLinkExpired`, `NothingDue`, `CardUnknown`, `CardNotChecked`, `LostRace`.
    """
    locks.refuse_transaction("paying by link")
    payment = payment_of_link(token=token, at=at)
    if payment.state != PaymentState.DUE:
        raise NothingDue
    provider = provider_for_new_cards()
    try:
        known = provider_named(provider).card(token=card, owner=card_owner(payment.payer_id))
    except TokenUnknown as problem:
        raise CardUnknown from problem
    except ProviderUnavailable as problem:
        raise CardNotChecked from problem
    with transaction.atomic():
        method = PaymentMethod.objects.create(
            user_id=payment.payer_id,
            provider=provider,
            token=known.token,
            label=known.label,
            created_at=at,
            removed_at=at,
        )
        return collect_from(payment=payment, method_id=method.pk, provider=provider, at=at, by=LINK)
