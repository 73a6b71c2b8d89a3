"""A correction came to nothing: the ride uses again what it had used before it."""

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q

from bookings.passes.models import Pass, PassUse, PerkUse, PromoCode, PromoRedemption
from bookings.passes.services.sell import perks_lock
from bookings.passes.services.use import codes_in, granted_by, minutes_by_ref, spend_code
from bookings.passes.states import RedemptionState
from bookings.pricing.rules import time_cents
from bookings.rewards.services import correct_rewards
from mobility.core import locks
from mobility.core.money import PriceLine


def restore_perks(*, ref: str, lines: Sequence[PriceLine], at: datetime.datetime) -> None:
    """Take back what a ride's correction had given to its rider; `lines` are its price before that.

    Minutes are taken off a bundle again as far as they are still on it, and a code is used again if
    it still waits: what its rider used for another ride meanwhile stays with that ride. Rewards
    count as the lines say. A ride without perks is left alone.
    """
    use = PerkUse.objects.filter(ref=ref).first()
    if use is None:
        return
    with transaction.atomic(savepoint=False):
        locks.advisory(perks_lock(use.user_id))
        use.refresh_from_db()
        _take_minutes(use, lines)
        for code, saved in codes_in(lines).items():
            _take_code(use, code, saved=saved, at=at)
        correct_rewards(perks=granted_by(use), lines=lines)
        use.lines = [line.as_json() for line in lines]
        use.time_cents = time_cents(lines)
        use.save(update_fields=["lines", "time_cents"])


def _take_minutes(use: PerkUse, lines: Sequence[PriceLine]) -> None:
    passes = [line.params["ref"] for line in lines if line.kind == "pass"]
    wanted = minutes_by_ref(lines)
    has = dict(use.passes.values_list("bought", "minutes"))
    for bought in Pass.objects.select_for_update().filter(public_id__in=passes).order_by("pk"):
        had = has.get(bought.pk, 0)
        more = max(0, wanted[str(bought.public_id)] - had)
        left = {}
        if bought.minutes_left is not None:
            more = min(more, bought.minutes_left)
            left = {"minutes_left": bought.minutes_left - more}
        uses = bought.uses + int(bought.pk not in has)
        Pass.objects.filter(pk=bought.pk).update(uses=uses, **left)
        PassUse.objects.update_or_create(
            perk_use=use, bought=bought, defaults={"minutes": had + more}
        )


def _take_code(use: PerkUse, code: str, *, saved: int, at: datetime.datetime) -> None:
    redemption = PromoRedemption.objects.select_for_update().get(public_id=code)
    if redemption.state == RedemptionState.REDEEMED:
        spend_code(code, saved=saved, use=use, at=at)
        return
    if redemption.used_ref != use.ref or redemption.saved_cents >= saved:
        return
    more = saved - redemption.saved_cents
    paid = Q(budget_cents=None) | Q(budget_cents__gte=F("promised_cents") + F("spent_cents") + more)
    promo = PromoCode.objects.filter(paid, pk=redemption.promo_id)
    if promo.update(spent_cents=F("spent_cents") + more):
        PromoRedemption.objects.filter(pk=redemption.pk).update(saved_cents=saved)
