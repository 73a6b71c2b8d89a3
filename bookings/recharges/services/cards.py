"""People's own RFID cards at chargers, and what a debt does to them."""

import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Payment
from bookings.payments.services import refuse_debtor
from bookings.recharges.services.purpose import KEEPER
from charging.sessions.models import Token
from charging.sessions.rules import normal_uid
from charging.sessions.services import (
    TokenTaken,
    block_token,
    block_tokens_of,
    ensure_token,
    unblock_token,
    unblock_tokens_of,
)
from charging.sessions.services.tokens import DEBT
from charging.sessions.states import TokenKind, TokenState
from mobility.accounts.models import User
from mobility.core import audit
from mobility.core.errors import Conflict
from mobility.core.principals import Principal

MOST_CARDS = 5
LOST = "lost"
GIVEN_BACK = "given_back"


class TooManyCards(Conflict):
    """More cards than one person carries."""

    code = "too_many_charging_cards"
    message = _("You can register at most %(most)s cards. Remove one first.")


class CardInDebt(Conflict):
    """The card opens by itself when the debt is paid."""

    code = "charging_card_in_debt"
    message = _("This card is blocked until what is due is paid.")


class CardBlocked(Conflict):
    """Somebody else has blocked the card, not its owner."""

    code = "charging_card_blocked"
    message = _("This card was blocked by the operator. Please write to support.")


def add_card(*, user: User, uid: str, label: str, at: datetime.datetime) -> Token:
    """Let a person's own RFID card charge in their name, at once and everywhere.

    A card that nobody has is theirs; an operator's own cards are not to be had. Somebody in debt
    gets it blocked until the debt is paid. Raises `TooManyCards`, `TokenMalformed`, `TokenTaken`.
    """
    by = user.principal
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        known = Token.objects.select_for_update().filter(uid=normal_uid(uid)).first()
        if known is None or known.owner_ref != by:
            _refuse_another(user)
            _refuse_taken(known)
        if known is not None and not known.owner_ref:
            Token.objects.filter(pk=known.pk).update(owner_ref=by)
            audit.record(by=by, action="claim_token", row=known, at=at)
        token = ensure_token(uid=uid, kind=TokenKind.RFID, owner_ref=by, label=label, at=at, by=by)
        if Payment.objects.owed_by(user.pk).exists():
            block_tokens_of(owner_ref=by, at=at, by=KEEPER)
            token.refresh_from_db()
    return token


def block_card(*, token: Token, at: datetime.datetime, by: Principal) -> Token:
    """A lost card charges no more, from the next tap on."""
    return block_token(uid=token.uid, reason=LOST, at=at, by=by)


def unblock_card(*, token: Token, user: User, at: datetime.datetime) -> Token:
    """A card that was found again; not for who owes money (`CardInDebt`, `DebtOutstanding`).

    What others have blocked for their own reasons is theirs to open (`CardBlocked`).
    """
    if token.state == TokenState.BLOCKED and token.block_reason == DEBT:
        raise CardInDebt
    if token.state == TokenState.BLOCKED and token.block_reason != LOST:
        raise CardBlocked
    refuse_debtor(payer_id=user.pk)
    return unblock_token(uid=token.uid, reason="found", at=at, by=user.principal)


def remove_card(*, token: Token, at: datetime.datetime, by: Principal) -> None:
    """The card is nobody's any more, and blocked: who finds it does not charge for free."""
    with transaction.atomic():
        block_token(uid=token.uid, reason=GIVEN_BACK, at=at, by=by)
        Token.objects.filter(pk=token.pk).update(owner_ref="", label="")
        audit.record(by=by, action="give_back_token", row=token, at=at)


def note_debt(*, payer: str, at: datetime.datetime) -> None:
    """Who owes money charges no more, with the app or any card; a charge under way goes on.

    Told late, it looks first: who has paid meanwhile is never told again that the debt is gone.
    """
    user = _payer(payer)
    if user is not None and Payment.objects.owed_by(user.pk).exists():
        block_tokens_of(owner_ref=payer, at=at, by=KEEPER)


def note_debt_paid(*, payer: str, at: datetime.datetime) -> None:
    """When nothing is owed any more, the tokens open by themselves."""
    user = _payer(payer)
    if user is not None and not Payment.objects.owed_by(user.pk).exists():
        unblock_tokens_of(owner_ref=payer, at=at, by=KEEPER)


def _payer(payer: str) -> User | None:
    return User.objects.filter(public_id=payer.removeprefix("user:")).first() if payer else None


def _refuse_another(user: User) -> None:
    cards = Token.objects.filter(owner_ref=user.principal, kind=TokenKind.RFID)
    if cards.count() >= MOST_CARDS:
        raise TooManyCards(most=MOST_CARDS)


def _refuse_taken(token: Token | None) -> None:
    """Somebody's, an operator's, a vehicle's, or blocked by whoever had it: not to be claimed."""
    if token is None:
        return
    free = not token.owner_ref and token.organisation_id is None and token.kind == TokenKind.RFID
    if not free or token.state == TokenState.BLOCKED:
        raise TokenTaken
