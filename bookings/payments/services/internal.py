"""What organisations of the city owe each other: energy for a fleet, for instance."""

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
from mobility.core.money import PriceLine, vat_split
from mobility.core.principals import Principal

SOLD, BOUGHT, USED = "internal_sale", "internal_cost", "own_use"


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
        if buyer_id == seller_id:
            sides = [(seller_id, USED, own_use_postings(vat))]
        else:
            sides = [
                (seller_id, SOLD, internal_sale_postings(vat)),
                (buyer_id, BOUGHT, internal_cost_postings(vat)),
            ]
        for organisation_id, deed, postings in sides:
            _post(organisation_id, deed, ref, postings, currency=currency, at=at)


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
