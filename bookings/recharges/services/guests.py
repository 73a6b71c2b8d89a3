"""Charging without an account: a person of one charge, and the key to it."""

import dataclasses
import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.services import add_payment_method, begin_card_setup, pay_debt
from bookings.payments.states import PaymentState
from bookings.recharges import rules
from bookings.recharges.models import GuestPass, Recharge
from bookings.recharges.queries import connector_by_code
from bookings.recharges.services.start import claim_recharge, continue_start, refuse_unusable
from bookings.recharges.states import Origin
from mobility.accounts.models import User
from mobility.core import audit, ids, locks
from mobility.core.errors import Conflict
from mobility.core.principals import system_principal

GUESTS = system_principal("guests")
# Nobody can receive mail there: RFC 2606 keeps the name free for ever.
NOBODY = "guest.invalid"
_PATIENCE_S = 20.0


class StartUnderway(Conflict):
    """The first tap is still being worked on."""

    code = "request_in_progress"
    message = _("This request is being worked on already. Please look again in a moment.")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestOrder:
    """What a driver at a charger gives us: the sticker's code, a card, perhaps an address."""

    code: str
    card_token: str
    limit_cents: int | None = None
    email: str = ""
    language: str = "it"


def start_guest_recharge(
    *, order: GuestOrder, secret: str, at: datetime.datetime, guest: User | None = None
) -> Recharge:
    """Charge at the connector with this code, paid by this card; `secret` opens it from then on.

    1. A person is made for this one charge, who cannot log in, with the card as the only one
       (`guest`, where the provider's own page has asked for the card already).
    2. The start is that of any recharge.
    3. The same secret again is the same charge: a second tap on the button starts nothing.

    Raises `CodeNotFound`, `StartUnderway`, and what `start_recharge` and payments raise. Never
    inside a transaction.
    """
    try:
        with locks.turn(f"guest:{ids.hash_secret(secret)}", patience_s=_PATIENCE_S):
            recharge = _known(secret) or _claim(order, secret, guest=guest, at=at)
            return continue_start(recharge=recharge, at=at)
    except locks.StillHeld as problem:
        raise StartUnderway from problem


def welcome_guest(*, language: str, at: datetime.datetime) -> User:
    """A person without name, address or password; the account is closed from its first moment."""
    with transaction.atomic():
        guest = User.objects.create_user(
            f"{ids.uuid7()}@{NOBODY}", language=language, is_active=False
        )
        audit.record(by=GUESTS, action="welcome_guest", row=guest, at=at)
    return guest


def card_page(*, guest: User, return_url: str, at: datetime.datetime) -> str:
    """Where the provider asks for the guest's card; it comes back with the token as `setup`.

    Raises `CardNotChecked`, `PaymentsNotSetUp`.
    """
    return begin_card_setup(user_id=guest.pk, return_url=return_url, at=at).url


def pay_guest_debt(*, recharge: Recharge, card_token: str, at: datetime.datetime) -> None:
    """Another card for a charge whose first one refused in the end; the collector comes in seconds.

    Raises `NothingDue` and what a new card may raise.
    """
    # A guest's charge always has its payment, opened with the claim; this narrows the type.
    assert recharge.payment is not None
    by = recharge.user.principal
    if recharge.payment.state == PaymentState.DUE:
        add_payment_method(user_id=recharge.user_id, token=card_token, at=at, by=by)
    pay_debt(payment_id=recharge.payment.pk, at=at, by=by)


def forget_guests(*, at: datetime.datetime) -> dict[str, int]:
    """Drop what guests need no more: addresses of sent receipts, and people who never charged."""
    old = at - rules.GUEST_KEPT
    sent = GuestPass.objects.exclude(email="").filter(receipt_sent_at__lt=old)
    stray = User.objects.filter(
        email__endswith=f"@{NOBODY}", date_joined__lt=at - rules.STRAY_GUEST_KEPT
    ).filter(recharges__isnull=True, payments__isnull=True)
    return {"addresses": sent.update(email=""), "people": stray.delete()[1].get("mobility.User", 0)}


def _known(secret: str) -> Recharge | None:
    return (
        Recharge.objects.with_story()
        .filter(guest_pass__secret_hash=ids.hash_secret(secret))
        .first()
    )


def _claim(
    order: GuestOrder, secret: str, *, guest: User | None, at: datetime.datetime
) -> Recharge:
    connector = connector_by_code(code=order.code, at=at)
    refuse_unusable(connector=connector, at=at)
    guest = guest or welcome_guest(language=order.language, at=at)
    method = add_payment_method(user_id=guest.pk, token=order.card_token, at=at, by=guest.principal)
    with transaction.atomic():
        recharge = claim_recharge(
            user=guest,
            connector=connector,
            limit_cents=order.limit_cents,
            method_id=method.pk,
            origin=Origin.AD_HOC,
            at=at,
        )
        GuestPass.objects.create(
            recharge=recharge,
            secret_hash=ids.hash_secret(secret),
            email=order.email,
            language=order.language,
            created_at=at,
        )
    return recharge
