"""Booking into the ledger."""

import datetime
from collections.abc import Sequence

from bookings.payments.models import LedgerAccount, LedgerEntry, LedgerTransaction
from bookings.payments.rules import Posting


def post_entries(
    *,
    organisation_id: int,
    currency: str,
    deed: str,
    ref: str,
    postings: Sequence[Posting],
    at: datetime.datetime,
) -> None:
    """Write balanced `postings` of one deed; the same (deed, ref) twice violates a constraint.

    Runs in the caller's transaction; the database checks the balance when it commits.
    """
    if not postings:
        return
    accounts = _accounts(organisation_id, currency, postings)
    booked = LedgerTransaction.objects.create(
        organisation_id=organisation_id, deed=deed, ref=ref, at=at
    )
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            transaction=booked,
            account_id=accounts[posting.account],
            cents=posting.cents,
            vat_rate=posting.vat_rate,
        )
        for posting in postings
    )


def _accounts(organisation_id: int, currency: str, postings: Sequence[Posting]) -> dict[str, int]:
    """Account ids by kind, opening those that are missing."""
    mine = LedgerAccount.objects.filter(organisation_id=organisation_id, currency=currency)
    known = dict(mine.values_list("kind", "id"))
    missing = {posting.account for posting in postings} - known.keys()
    if missing:
        LedgerAccount.objects.bulk_create(
            [
                LedgerAccount(organisation_id=organisation_id, kind=kind, currency=currency)
                for kind in sorted(missing)
            ],
            ignore_conflicts=True,
        )
        known = dict(mine.values_list("kind", "id"))
    return known
