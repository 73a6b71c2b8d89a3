"""What organisations of the city owe each other: energy for a fleet, for instance."""

import dataclasses
import datetime
from collections.abc import Sequence

from django.db import transaction

from bookings.payments.models import LedgerTransaction
from bookings.payments.rules import (
    Posting,
    internal_cost_postings,
    internal_sale_postings,
    own_use_postings,
)
from bookings.payments.services.ledger import post_entries
from mobility.core import locks
from mobility.core.money import PriceLine, VatPart, vat_split
from mobility.core.principals import Principal

SOLD, BOUGHT, USED = "internal_sale", "internal_cost", "own_use"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InternalCost:
    """What one organisation bought from another, as it is booked."""

    buyer_id: int
    seller_id: int
    currency: str


def book_internal_cost(
    *,
    buyer_id: int,
    seller_id: int,
    ref: str,
    lines: Sequence[PriceLine],
    currency: str,
    at: datetime.datetime,
    by: Principal,
) -> None:
    """Book what one organisation bought from another, once per `ref`, on both sides.

    1. The seller is owed the gross by other organisations, has earned the net and owes the VAT.
    2. The buyer bears the net as cost, may deduct the VAT, and owes the gross.
    3. Where both are the same, it is a cost against revenue, without VAT.

    No provider moves this money and no receipt is issued: organisations invoice each other.
    """
    del by  # The ledger keeps what and when; the charge itself says who.
    vat = vat_split(lines)
    with transaction.atomic():
        locks.advisory(f"internal:{ref}")
        if LedgerTransaction.objects.filter(deed__in=[SOLD, USED], ref=ref).exists():
            return
        cost = InternalCost(buyer_id=buyer_id, seller_id=seller_id, currency=currency)
        _book(cost, ref, vat, at=at)


def correct_internal_cost(
    *,
    cost: InternalCost,
    ref: str,
    before: Sequence[PriceLine],
    after: Sequence[PriceLine],
    at: datetime.datetime,
) -> None:
    """Book the difference when what was bought turns out to come to something else, once per `ref`.

    By VAT rate, so that both bookings together are to the cent what the right one alone would be.
    """
    vat = _difference(vat_split(before), vat_split(after))
    if not vat:
        return
    with transaction.atomic():
        locks.advisory(f"internal:{ref}")
        if LedgerTransaction.objects.filter(deed__in=[SOLD, USED], ref=ref).exists():
            return
        _book(cost, ref, vat, at=at)


def _difference(before: Sequence[VatPart], after: Sequence[VatPart]) -> tuple[VatPart, ...]:
    old, new = {part.rate: part for part in before}, {part.rate: part for part in after}
    parts = []
    for rate in sorted({*old, *new}):
        nothing = VatPart(rate, 0, 0, 0)
        was, now = old.get(rate, nothing), new.get(rate, nothing)
        part = VatPart(
            rate=rate,
            net_cents=now.net_cents - was.net_cents,
            vat_cents=now.vat_cents - was.vat_cents,
            gross_cents=now.gross_cents - was.gross_cents,
        )
        parts += [part] if part.gross_cents else []
    return tuple(parts)


def _book(cost: InternalCost, ref: str, vat: Sequence[VatPart], *, at: datetime.datetime) -> None:
    if cost.buyer_id == cost.seller_id:
        sides = [(cost.seller_id, USED, own_use_postings(vat))]
    else:
        sides = [
            (cost.seller_id, SOLD, internal_sale_postings(vat)),
            (cost.buyer_id, BOUGHT, internal_cost_postings(vat)),
        ]
    for organisation_id, deed, postings in sides:
        _post(organisation_id, deed, ref, postings, currency=cost.currency, at=at)


def _post(
    organisation_id: int,
    deed: str,
    ref: str,
    postings: tuple[Posting, ...],
    *,
    currency: str,
    at: datetime.datetime,
) -> None:
    post_entries(
        organisation_id=organisation_id,
        currency=currency,
        deed=deed,
        ref=ref,
        postings=postings,
        at=at,
    )
