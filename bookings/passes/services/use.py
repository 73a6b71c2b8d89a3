"""Perks are spent when a ride is priced: once for each ride, and never more than there is."""

import dataclasses
import datetime
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Q, Sum

from bookings.passes import rules
from bookings.passes.models import Pass, PassUse, PerkUse, PromoCode, PromoRedemption
from bookings.passes.services.sell import CASHIER, perks_lock
from bookings.passes.states import PassState, RedemptionState
from bookings.pricing.rules import (
    Fare,
    Perk,
    PerkKind,
    Segment,
    ZoneMark,
    lowered,
    price_trip,
    reward_lines,
    time_cents,
)
from bookings.rewards.services import correct_rewards, earned_perks, grant_rewards
from mobility.core import locks
from mobility.core.money import PriceLine
from mobility.core.transitions import move


def use_perks(
    *,
    user_id: int,
    organisation_id: int,
    ref: str,
    fare: Fare,
    segments: Sequence[Segment],
    perks: Sequence[Perk],
    at: datetime.datetime,
    hold_s: int = 0,
    distance_m: int = 0,
    zones: Sequence[ZoneMark] = (),
) -> tuple[PriceLine, ...]:
    """Price a ride with the `perks` frozen at its claim, and spend what it takes of them.

    1. Without perks, and without a cap on the person's day, this is `price_trip` and nothing more.
    2. One ride of a person at a time; the same `ref` again gets the same lines and spends nothing.
    3. What another ride has spent or the person has given back since the claim is not there any more.
    4. Price; take minutes off bundles and codes off their budgets; write down what was granted.
    5. A reward counts once it was earned; one that was not is released.
    """
    ride = _Ride(fare, segments, hold_s=hold_s, distance_m=distance_m, zones=zones)
    if not perks and fare.person_day_cap_cents is None:
        return ride.price(())
    with transaction.atomic(savepoint=False):
        locks.advisory(perks_lock(user_id))
        earlier = PerkUse.objects.filter(ref=ref).first()
        if earlier is not None:
            return tuple(PriceLine.from_json(line) for line in earlier.lines)
        granted = [*_still_there(perks), *_rest_of_day(fare, user_id, segments, perks)]
        granted += earned_perks(perks=perks)
        lines = ride.price(granted)
        use = PerkUse.objects.create(
            ref=ref,
            user_id=user_id,
            organisation_id=organisation_id,
            tariff_id=fare.tariff_id or None,
            started_at=segments[0].start if segments else at,
            at=at,
            granted=[perk.as_json() for perk in granted],
            lines=[line.as_json() for line in lines],
            time_cents=time_cents(lines),
        )
        _spend(use, lines, at=at)
        grant_rewards(perks=perks, lines=lines, at=at)
    return lines


def reprice_with_perks(
    *,
    ref: str,
    fare: Fare,
    segments: Sequence[Segment],
    at: datetime.datetime,
    hold_s: int = 0,
    distance_m: int = 0,
    zones: Sequence[ZoneMark] = (),
) -> tuple[PriceLine, ...]:
    """Price a corrected ride with what it was granted; no segments give everything back.

    Never spends more than the ride has spent: minutes of a bundle that it needs no more go back to
    the pass, and a code that it needs no more waits for the next ride.
    """
    ride = _Ride(fare, segments, hold_s=hold_s, distance_m=distance_m, zones=zones)
    use = PerkUse.objects.filter(ref=ref).first()
    if use is None:
        return ride.price(())
    with transaction.atomic(savepoint=False):
        locks.advisory(perks_lock(use.user_id))
        use.refresh_from_db()
        granted = _granted_again(use)
        lines = ride.price(granted)
        _give_back(use, lines, at=at)
        correct_rewards(perks=granted, lines=lines)
        use.lines = [line.as_json() for line in lines]
        use.time_cents = time_cents(lines)
        use.save(update_fields=["lines", "time_cents"])
    return lines


def price_as_granted(
    *,
    ref: str,
    fare: Fare,
    segments: Sequence[Segment],
    hold_s: int = 0,
    distance_m: int = 0,
    zones: Sequence[ZoneMark] = (),
) -> tuple[PriceLine, ...]:
    """What `reprice_with_perks` would come to; nothing is written."""
    ride = _Ride(fare, segments, hold_s=hold_s, distance_m=distance_m, zones=zones)
    use = PerkUse.objects.filter(ref=ref).first()
    return ride.price(() if use is None else _granted_again(use))


@dataclasses.dataclass(frozen=True)
class _Ride:
    """What is to be priced."""

    fare: Fare
    segments: Sequence[Segment]
    hold_s: int
    distance_m: int
    zones: Sequence[ZoneMark]

    def price(self, perks: Sequence[Perk]) -> tuple[PriceLine, ...]:
        lines = price_trip(
            fare=self.fare,
            segments=self.segments,
            hold_s=self.hold_s,
            distance_m=self.distance_m,
            zones=self.zones,
            perks=perks,
        )
        return (*lines, *reward_lines(fare=self.fare, perks=perks, lines=lines))


def _still_there(perks: Sequence[Perk]) -> list[Perk]:
    """The perks as they are now: bundles with what is left of them, no code that was used."""
    refs = [perk.ref for perk in perks if perk.kind is PerkKind.PASS]
    kept = Pass.objects.filter(public_id__in=refs).exclude(state=PassState.REFUNDED)
    left = {str(ref): minutes for ref, minutes in kept.values_list("public_id", "minutes_left")}
    there = []
    for perk in perks:
        if perk.kind is PerkKind.PASS and perk.ref in left:
            minutes = min(perk.minutes, left[perk.ref] or 0) if perk.bundle else perk.minutes
            there.append(dataclasses.replace(perk, minutes=minutes))
        elif perk.kind is PerkKind.DISCOUNT or _is_waiting(perk):
            there.append(perk)
    return there


def _is_waiting(perk: Perk) -> bool:
    return (
        perk.kind is PerkKind.PROMO
        and PromoRedemption.objects.filter(
            public_id=perk.ref, state=RedemptionState.REDEEMED
        ).exists()
    )


def _rest_of_day(
    fare: Fare, user_id: int, segments: Sequence[Segment], perks: Sequence[Perk]
) -> list[Perk]:
    """What rides under this tariff may still cost the person in the 24 hours before this one began."""
    if fare.person_day_cap_cents is None or not segments:
        return []
    verified = any(perk.kind is PerkKind.DISCOUNT for perk in perks)
    cap = lowered(fare.person_day_cap_cents, fare.discount_pct if verified else 0) or 0
    earlier = PerkUse.objects.filter(
        user=user_id,
        tariff=fare.tariff_id or None,
        started_at__gt=segments[0].start - rules.ROLLING,
    )
    spent = earlier.aggregate(cents=Sum("time_cents"))["cents"] or 0
    return [Perk(kind=PerkKind.DAY_CAP, cents=max(0, cap - spent))]


def _spend(use: PerkUse, lines: Sequence[PriceLine], *, at: datetime.datetime) -> None:
    minutes = minutes_by_ref(lines)
    passes = {line.params["ref"] for line in lines if line.kind == "pass"}
    for bought in Pass.objects.filter(public_id__in=passes):
        taken = minutes[str(bought.public_id)]
        PassUse.objects.create(perk_use=use, bought=bought, minutes=taken)
        off = taken if bought.minutes_left is not None else 0
        # A column that cannot be negative keeps the last word.
        Pass.objects.filter(pk=bought.pk).update(
            uses=F("uses") + 1, minutes_left=F("minutes_left") - off
        )
    for ref, saved in codes_in(lines).items():
        spend_code(ref, saved=saved, use=use, at=at)


def spend_code(ref: str, *, saved: int, use: PerkUse, at: datetime.datetime) -> None:
    """Use a code that waits for a ride, in cents saved. Raises `LostRace`."""
    redemption = PromoRedemption.objects.get(public_id=ref)
    move(
        redemption,
        to=RedemptionState.USED,
        at=at,
        by=CASHIER,
        saved_cents=saved,
        used_ref=use.ref,
    )
    PromoCode.objects.filter(pk=redemption.promo_id).update(
        promised_cents=F("promised_cents") - redemption.promised_cents,
        spent_cents=F("spent_cents") + saved,
    )


def _give_back(use: PerkUse, lines: Sequence[PriceLine], *, at: datetime.datetime) -> None:
    minutes = minutes_by_ref(lines)
    kept = {line.params["ref"] for line in lines if line.kind == "pass"}
    for ride in use.passes.select_related("bought"):
        ref = str(ride.bought.public_id)
        changes: dict[str, Any] = {"uses": F("uses") - int(ref not in kept)}
        if ride.bought.minutes_left is not None:
            # A ride whose correction was withdrawn may have found fewer than its price says.
            changes["minutes_left"] = F("minutes_left") + max(0, ride.minutes - minutes[ref])
        Pass.objects.filter(pk=ride.bought_id).update(**changes)
        if ref in kept:
            PassUse.objects.filter(pk=ride.pk).update(minutes=min(ride.minutes, minutes[ref]))
        else:
            ride.delete()
    codes = codes_in(lines)
    for redemption in PromoRedemption.objects.filter(used_ref=use.ref):
        _return_code(redemption, saved=codes.get(str(redemption.public_id)), at=at)


def _return_code(redemption: PromoRedemption, *, saved: int | None, at: datetime.datetime) -> None:
    """Less was saved than before, or nothing: then the code waits for the next ride.

    It lapses if others have been promised what is left of its budget.
    """
    promo = PromoCode.objects.filter(pk=redemption.promo_id)
    promo.update(spent_cents=F("spent_cents") - redemption.saved_cents + (saved or 0))
    if saved is not None:
        PromoRedemption.objects.filter(pk=redemption.pk).update(saved_cents=saved)
        return
    move(
        redemption,
        to=RedemptionState.REDEEMED,
        at=at,
        by=CASHIER,
        saved_cents=0,
        used_ref="",
    )
    paid = Q(budget_cents=None) | Q(
        budget_cents__gte=F("promised_cents") + F("spent_cents") + redemption.promised_cents
    )
    promised = promo.filter(paid).update(
        promised_cents=F("promised_cents") + redemption.promised_cents
    )
    if not promised:
        move(redemption, to=RedemptionState.LAPSED, at=at, by=CASHIER, reason="budget")


def _granted_again(use: PerkUse) -> list[Perk]:
    """What a ride was granted, with no more minutes than it has spent."""
    spent = minutes_by_ref([PriceLine.from_json(line) for line in use.lines])
    return [
        dataclasses.replace(perk, minutes=min(perk.minutes, spent[perk.ref]))
        for perk in granted_by(use)
    ]


def granted_by(use: PerkUse) -> list[Perk]:
    """What a ride was granted when it was priced first."""
    return [Perk.from_json(row) for row in use.granted]


def minutes_by_ref(lines: Sequence[PriceLine]) -> Counter[str]:
    """Minutes that each pass or code takes off in a price."""
    minutes: Counter[str] = Counter()
    for line in lines:
        if line.kind in {"pass", "promo"} and line.unit == "min":
            minutes[line.params["ref"]] += int(line.quantity)
    return minutes


def codes_in(lines: Sequence[PriceLine]) -> dict[str, int]:
    """What each code saves in a price, in cents."""
    saved: Counter[str] = Counter()
    for line in lines:
        if line.kind == "promo":
            saved[line.params["ref"]] -= line.cents
    return dict(saved)
