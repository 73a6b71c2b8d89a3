"""Booking into the ledger."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.db import connection

from bookings.payments.models import LedgerAccount
from bookings.payments.rules import Posting
from bookings.payments.states import PERSONAL_ACCOUNTS, AccountKind

# Accounts, transaction and entries in one round trip: every sale and every capture comes by here.
# Where an account is missing nothing is written, and the caller opens it first.
_POST = """
WITH wanted (place, kind, cents, vat_rate, personal, provider) AS (VALUES {rows}),
found AS (
    SELECT wanted.place, account.id, wanted.cents, wanted.vat_rate
    FROM wanted JOIN bookings_ledgeraccount account
      ON account.kind = wanted.kind AND account.provider = wanted.provider
     AND (account.user_id IS NOT NULL) = wanted.personal
    WHERE account.organisation_id = %s AND account.currency = %s
      AND (account.user_id IS NULL OR account.user_id = %s::bigint)
),
booked AS (
    INSERT INTO bookings_ledgertransaction (organisation_id, deed, ref, at)
    SELECT %s::bigint, %s::text, %s::text, %s::timestamptz WHERE (SELECT count(*) FROM found) = %s
    RETURNING id
)
INSERT INTO bookings_ledgerentry (transaction_id, account_id, cents, vat_rate)
SELECT booked.id, found.id, found.cents, found.vat_rate
FROM booked CROSS JOIN found ORDER BY found.place
"""
_ROW = "(%s::integer, %s::text, %s::integer, %s::numeric, %s::boolean, %s::text)"


def post_entries(
    *,
    organisation_id: int,
    currency: str,
    deed: str,
    ref: str,
    postings: Sequence[Posting],
    at: datetime.datetime,
    user_id: int | None = None,
    provider: str = "",
) -> None:
    """Write balanced `postings` of one deed; the same (deed, ref) twice violates a constraint.

    Entries on personal accounts go to those of the customer `user_id`, those on clearing accounts
    to the one of `provider`. Runs in the caller's transaction; the database checks the balance
    when it commits, and at once that no credit falls below zero.
    """
    if not postings:
        return
    owners = [_owner(posting.account, user_id, provider) for posting in postings]
    values: list[Any] = []
    for place, (posting, (owner, name)) in enumerate(zip(postings, owners, strict=True)):
        values += [place, posting.account, posting.cents, posting.vat_rate]
        values += [owner is not None, name]
    values += [organisation_id, currency, user_id, organisation_id, deed, ref, at, len(postings)]
    statement = _POST.format(rows=", ".join([_ROW] * len(postings)))
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        if cursor.rowcount == 0:
            _open_accounts(organisation_id, currency, postings, owners)
            cursor.execute(statement, values)


def _owner(kind: AccountKind, user_id: int | None, provider: str) -> tuple[int | None, str]:
    return (
        user_id if kind in PERSONAL_ACCOUNTS else None,
        provider if kind is AccountKind.CLEARING else "",
    )


def _open_accounts(
    organisation_id: int,
    currency: str,
    postings: Sequence[Posting],
    owners: Sequence[tuple[int | None, str]],
) -> None:
    """Open those that are missing; somebody else may do so at the same moment."""
    wanted = {(posting.account, owner) for posting, owner in zip(postings, owners, strict=True)}
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(
                organisation_id=organisation_id,
                kind=kind,
                currency=currency,
                user_id=owner,
                provider=name,
            )
            for kind, (owner, name) in sorted(wanted, key=str)
        ],
        ignore_conflicts=True,
    )
