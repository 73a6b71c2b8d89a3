"""The arithmetic of the ledger: which accounts a deed touches, debit positive; sums are always zero."""

import dataclasses
from collections.abc import Sequence
from decimal import Decimal

from bookings.payments.states import AccountKind
from mobility.core.money import VatPart

# After a refused card: again after one, three and seven days; then a person decides.
RETRY_DAYS = (1, 3, 7)


@dataclasses.dataclass(frozen=True, slots=True)
class Posting:
    """One entry to be: `cents` on an account, debit positive."""

    account: AccountKind
    cents: int
    vat_rate: Decimal | None = None


def sale_postings(vat: Sequence[VatPart]) -> tuple[Posting, ...]:
    """A price became due: the customer owes the gross, we earned the net and owe the VAT."""
    gross = sum(part.gross_cents for part in vat)
    postings = [Posting(AccountKind.RECEIVABLE, gross)]
    for part in vat:
        postings.append(Posting(AccountKind.REVENUE, -part.net_cents, part.rate))
        postings.append(Posting(AccountKind.VAT, -part.vat_cents, part.rate))
    return _without_zeros(postings)


def capture_postings(cents: int) -> tuple[Posting, ...]:
    """The provider holds the money that the customer owed."""
    return _without_zeros(
        [Posting(AccountKind.CLEARING, cents), Posting(AccountKind.RECEIVABLE, -cents)]
    )


def refund_postings(vat: Sequence[VatPart]) -> tuple[Posting, ...]:
    """Money goes back: revenue and VAT shrink, and so does what the provider holds.

    `vat` splits the positive amount given back.
    """
    gross = sum(part.gross_cents for part in vat)
    postings = [Posting(AccountKind.CLEARING, -gross)]
    for part in vat:
        postings.append(Posting(AccountKind.REVENUE, part.net_cents, part.rate))
        postings.append(Posting(AccountKind.VAT, part.vat_cents, part.rate))
    return _without_zeros(postings)


def write_off_postings(cents: int) -> tuple[Posting, ...]:
    """We give up on a debt."""
    return _without_zeros(
        [Posting(AccountKind.WRITTEN_OFF, cents), Posting(AccountKind.RECEIVABLE, -cents)]
    )


def retry_after_days(attempts: int) -> int | None:
    """Days until the card is asked again after `attempts` refusals; `None` when it is not."""
    return RETRY_DAYS[attempts - 1] if 1 <= attempts <= len(RETRY_DAYS) else None


def _without_zeros(postings: Sequence[Posting]) -> tuple[Posting, ...]:
    return tuple(posting for posting in postings if posting.cents)
