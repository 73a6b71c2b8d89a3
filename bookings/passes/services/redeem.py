"""A code is typed in, once; the database decides who was the last."""

import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from psycopg.errors import UniqueViolation

from bookings.passes.events import PromoRedeemed
from bookings.passes.models import PromoCode, PromoRedemption
from mobility.accounts.models import User
from mobility.core import outbox
from mobility.core.errors import Conflict, Gone, NotFound


class CodeUnknown(NotFound):
    """No such code."""

    code = "promo_code_unknown"
    message = _("We do not know this code. Please check how it is spelled.")


class CodeOver(Gone):
    """Its time has not come or is over."""

    code = "promo_code_over"
    message = _("This code cannot be redeemed at present.")


class CodeExhausted(Gone):
    """The last one has been redeemed, or its budget is spent."""

    code = "promo_code_exhausted"
    message = _("This code has been used up.")


class CodeRedeemed(Conflict):
    """The person has redeemed it as often as they may."""

    code = "promo_code_redeemed"
    message = _("You have redeemed this code already.")


def redeem_code(*, code: str, user: User, at: datetime.datetime) -> PromoRedemption:
    """Redeem `code` for the person's next ride.

    1. It must exist and be valid (`CodeUnknown`, `CodeOver`), and not yet be redeemed as often as one
       person may (`CodeRedeemed`; a unique number per person decides between two taps).
    2. One conditional UPDATE takes the next redemption and sets its budget aside; when there is none
       left, `CodeExhausted`. A check of the database holds the same line.
    """
    promo = PromoCode.objects.filter(code__iexact=code.strip()).first()
    if promo is None:
        raise CodeUnknown
    if not _holds(promo, at):
        raise CodeOver
    try:
        with transaction.atomic():
            return _redeem(promo, user=user, at=at)
    except IntegrityError as problem:
        if isinstance(problem.__cause__, UniqueViolation):
            raise CodeRedeemed from problem
        raise


def _holds(promo: PromoCode, at: datetime.datetime) -> bool:
    begins, ends = promo.valid.lower, promo.valid.upper
    return (begins is None or begins <= at) and (ends is None or at < ends)


def _redeem(promo: PromoCode, *, user: User, at: datetime.datetime) -> PromoRedemption:
    number = PromoRedemption.objects.filter(promo=promo, user=user).count() + 1
    if number > promo.per_person_max:
        raise CodeRedeemed
    take_redemption(promo)
    redemption = PromoRedemption.objects.create(
        promo=promo,
        user=user,
        number=number,
        redeemed_at=at,
        valid_until=promo.valid.upper,
        promised_cents=promo.worth_cents,
    )
    event = PromoRedeemed(
        redemption_id=str(redemption.public_id),
        user=user.principal,
        organisation_id=promo.organisation_id,
        code=promo.code,
    )
    outbox.publish(event, at=at)
    return redemption


def take_redemption(promo: PromoCode) -> None:
    """Count one more redemption of a code, if there is one left (`CodeExhausted`)."""
    free = Q(redemptions_max=None) | Q(redeemed__lt=F("redemptions_max"))
    paid = Q(budget_cents=None) | Q(
        budget_cents__gte=F("promised_cents") + F("spent_cents") + promo.worth_cents
    )
    taken = PromoCode.objects.filter(free, paid, pk=promo.pk).update(
        redeemed=F("redeemed") + 1, promised_cents=F("promised_cents") + promo.worth_cents
    )
    if not taken:
        raise CodeExhausted
