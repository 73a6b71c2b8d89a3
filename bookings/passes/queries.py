"""Reads of passes: what makes a person's next ride cheaper."""

import datetime
from typing import Any

from django.db.models import DateTimeField, JSONField, Q, UUIDField, Value
from django.db.models.functions import Cast, JSONObject

from bookings.passes.models import DiscountStatus, Pass, PromoRedemption
from bookings.passes.rules import perk_of_code, perk_of_pass
from bookings.passes.states import RedemptionState
from bookings.pricing.rules import Perk, PerkKind
from mobility.accounts.states import OrganisationKind
from mobility.core.prepared import prepared


def perks_of(
    *, user_id: int, organisation_id: int, kind: str, at: datetime.datetime
) -> tuple[Perk, ...]:
    """What the person has for a ride on a `kind` of vehicle that is claimed `at`, in one query.

    Passes, of which those that end first are spent first, then the code redeemed first, then a
    verified discount.
    """
    rows = _credits.all(user_id=user_id, organisation_id=organisation_id, kind=kind, at=at)
    rows.sort(key=lambda row: row[4])
    found = {name: [row for row in rows if row[0] == name] for name in PerkKind}
    perks = [
        perk_of_pass(ref=ref, terms=terms, minutes_left=left["minutes"])
        for _, ref, terms, left, _ in found[PerkKind.PASS]
    ]
    perks += [
        perk_of_code(ref=ref, terms=terms) for _, ref, terms, _, _ in found[PerkKind.PROMO][:1]
    ]
    perks += [Perk(kind=PerkKind.DISCOUNT) for _ in found[PerkKind.DISCOUNT][:1]]
    return tuple(perks)


@prepared
def _credits(*, user_id: int, organisation_id: int, kind: str, at: datetime.datetime) -> Any:
    """What there is, of all three kinds, in the columns of `_what`."""
    return _passes(user_id, organisation_id, kind, at).union(
        _codes(user_id, organisation_id, kind, at),
        _discounts(user_id, organisation_id, at),
        all=True,
    )


def _passes(user_id: int, organisation_id: int, kind: str, at: datetime.datetime) -> Any:
    mine = Pass.objects.valid_at(at).filter(
        user=user_id, organisation=organisation_id, vehicle_kinds__contains=[kind]
    )
    left = JSONObject(minutes="minutes_left")
    return mine.order_by().values_list(_what(PerkKind.PASS), "public_id", "terms", left, "ends_at")


def _codes(user_id: int, organisation_id: int, kind: str, at: datetime.datetime) -> Any:
    mine = PromoRedemption.objects.filter(
        user=user_id,
        state=RedemptionState.REDEEMED,
        promo__organisation=organisation_id,
        promo__valid__contains=at,
        promo__vehicle_kinds__contains=[kind],
    )
    terms = JSONObject(
        minutes="promo__minutes",
        percent="promo__percent",
        cents="promo__cents",
        most_cents="promo__most_cents",
    )
    nothing = Value({}, output_field=JSONField())
    return mine.values_list(_what(PerkKind.PROMO), "public_id", terms, nothing, "redeemed_at")


def _discounts(user_id: int, organisation_id: int, at: datetime.datetime) -> Any:
    verified = DiscountStatus.objects.filter(
        Q(organisation=organisation_id) | Q(organisation__kind=OrganisationKind.CITY),
        user=user_id,
        verified_until__gt=at,
    )
    nothing = Value({}, output_field=JSONField())
    nobody = Cast(Value(None), UUIDField())
    until = Cast("verified_until", DateTimeField())
    return verified.values_list(_what(PerkKind.DISCOUNT), nobody, nothing, nothing, until)


def _what(kind: PerkKind) -> Value:
    return Value(str(kind))
