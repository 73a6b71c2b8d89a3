"""Passes end, renew themselves, and codes lapse."""

import datetime

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Sum

from bookings.passes import rules
from bookings.passes.events import PassEnded, PassNotRenewed
from bookings.passes.models import Pass, PromoCode, PromoRedemption
from bookings.passes.services.sell import CASHIER, sell_pass
from bookings.passes.states import PassState, RedemptionState
from bookings.payments.services import PaymentMethodRequired
from mobility.core import locks, outbox
from mobility.core.errors import DomainError
from mobility.core.transitions import move_many

log = structlog.get_logger(__name__)

LIMIT = 500


def sweep_passes(*, at: datetime.datetime) -> dict[str, int]:
    """Renew what is about to end, end what is over, and let codes lapse; returns how many of each."""
    with locks.try_advisory("bookings.passes") as mine:
        if not mine:
            return {"renewed": 0, "ended": 0, "lapsed": 0}
        return {
            "renewed": _renew_due(at=at),
            "ended": _end_over(at=at),
            "lapsed": _lapse(at=at),
        }


def _renew_due(*, at: datetime.datetime) -> int:
    due = (
        Pass.objects.filter(
            state=PassState.ACTIVE,
            auto_renew=True,
            ends_at__lte=at + rules.RENEW_AHEAD,
            renewed_by__isnull=True,
        )
        .select_related("user", "product")
        .order_by("ends_at")
    )
    return sum(_renew(old, at=at) for old in due[:LIMIT])


def _renew(old: Pass, *, at: datetime.datetime) -> bool:
    """Sell the next pass at the price of the old one, or say why not; whether it was sold.

    Nobody is charged other terms than they agreed to: a product that changed is not renewed.
    """
    try:
        with transaction.atomic():
            reason = _hindrance(old)
            if reason:
                return _not_renewed(old, reason=reason, at=at)
            following = Pass(
                user=old.user,
                product=old.product,
                renews=old,
                starts_at=old.ends_at,
                auto_renew=True,
            )
            sell_pass(following, at=at, by=CASHIER)
    except PaymentMethodRequired:
        with transaction.atomic():
            return _not_renewed(old, reason="no_card", at=at)
    except DomainError as problem:
        # The next round asks again, until the old pass ends; the others are renewed meanwhile.
        log.warning("passes.not_renewed_yet", bought=str(old.public_id), code=problem.code)
        return False
    except IntegrityError:
        # Another sweep has sold it; the unique link between the two decided.
        log.info("passes.renewed_already", bought=str(old.public_id))
        return False
    return True


def _hindrance(old: Pass) -> str:
    if not (old.product.on_sale and old.product.renewable):
        return "off_sale"
    return "terms_changed" if old.product.terms() != old.terms else ""


def _not_renewed(old: Pass, *, reason: str, at: datetime.datetime) -> bool:
    Pass.objects.filter(pk=old.pk).update(auto_renew=False)
    event = PassNotRenewed(
        pass_id=str(old.public_id),
        user=old.user.principal,
        organisation_id=old.organisation_id,
        reason=reason,
    )
    outbox.publish(event, at=at)
    return False


def _end_over(*, at: datetime.datetime) -> int:
    over = Pass.objects.filter(state=PassState.ACTIVE, ends_at__lte=at).select_related("user")
    with transaction.atomic():
        ended = move_many(over[:LIMIT], to=PassState.ENDED, at=at, by=CASHIER)
        events = [
            PassEnded(
                pass_id=str(row.public_id),
                user=row.user.principal,
                organisation_id=row.organisation_id,
            )
            for row in ended
        ]
        if events:
            outbox.publish(*events, at=at)
    return len(ended)


def _lapse(*, at: datetime.datetime) -> int:
    """Codes nobody rode on free the budget that was promised for them."""
    late = PromoRedemption.objects.filter(
        state=RedemptionState.REDEEMED, valid_until__lte=at - rules.LAPSE_MARGIN
    )
    with transaction.atomic():
        lapsed = move_many(late[:LIMIT], to=RedemptionState.LAPSED, at=at, by=CASHIER)
        freed = PromoRedemption.objects.filter(pk__in=[row.pk for row in lapsed])
        for promo_id, cents in (
            freed.order_by().values_list("promo").annotate(Sum("promised_cents"))
        ):
            PromoCode.objects.filter(pk=promo_id).update(promised_cents=F("promised_cents") - cents)
    return len(lapsed)
