"""The arithmetic of the ledger: which accounts a deed touches, debit positive; sums are always zero."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from bookings.payments.states import AccountKind
from mobility.core.money import VatPart, round_cents

# Credit is taxed when it is bought, at this rate, and so buys only what has it: a single-purpose
# voucher (directive 2006/112/EC art. 30a).
CREDIT_VAT_RATE = Decimal("0.22")
# Days after the first refusal on which the card is asked again; then a person decides.
RETRY_DAYS = (1, 3, 7)


@dataclasses.dataclass(frozen=True, slots=True)
class Posting:
    """One entry to be: `cents` on an account, debit positive."""

    account: AccountKind
    cents: int
    vat_rate: Decimal | None = None


def credit_buys(rates: Iterable[Decimal]) -> bool:
    """Whether prepaid credit may pay for what is sold at these VAT rates."""
    return all(rate == CREDIT_VAT_RATE for rate in rates)


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


def refund_postings(
    vat: Sequence[VatPart], *, source: AccountKind = AccountKind.CLEARING
) -> tuple[Posting, ...]:
    """Money goes back: revenue and VAT shrink, and so does `source`: what the provider holds, or
    what the customer owes.

    `vat` splits the positive amount given back.
    """
    gross = sum(part.gross_cents for part in vat)
    postings = [Posting(source, -gross)]
    for part in vat:
        postings.append(Posting(AccountKind.REVENUE, part.net_cents, part.rate))
        postings.append(Posting(AccountKind.VAT, part.vat_cents, part.rate))
    return _without_zeros(postings)


def credit_postings(vat: Sequence[VatPart]) -> tuple[Posting, ...]:
    """Money goes back as credit: revenue shrinks, and the VAT on it stays paid, ahead of its use."""
    gross = sum(part.gross_cents for part in vat)
    postings = [Posting(AccountKind.WALLET, -gross)]
    for part in vat:
        postings.append(Posting(AccountKind.REVENUE, part.net_cents, part.rate))
        postings.append(Posting(AccountKind.PREPAID_VAT, part.vat_cents))
    return _without_zeros(postings)


def top_up_postings(vat: Sequence[VatPart]) -> tuple[Posting, ...]:
    """Credit is bought: the customer owes the gross and has it as credit; its VAT is due at once.

    A single-purpose voucher is taxed when it is sold (directive 2006/112/EC art. 30b).
    """
    gross = sum(part.gross_cents for part in vat)
    postings = [Posting(AccountKind.RECEIVABLE, gross), Posting(AccountKind.WALLET, -gross)]
    for part in vat:
        postings.append(Posting(AccountKind.PREPAID_VAT, part.vat_cents))
        postings.append(Posting(AccountKind.VAT, -part.vat_cents, part.rate))
    return _without_zeros(postings)


def promise_postings(cents: int) -> tuple[Posting, ...]:
    """Credit is set aside for a price to come; negative `cents` release it again."""
    return _without_zeros(
        [Posting(AccountKind.WALLET, cents), Posting(AccountKind.WALLET_HELD, -cents)]
    )


def spend_postings(*, cents: int, held_cents: int, vat_cents: int) -> tuple[Posting, ...]:
    """Credit pays a price of `cents`; what was set aside beyond it is free again.

    The sale has booked its VAT, of which `vat_cents` were paid when the credit was bought.
    """
    return _without_zeros(
        [
            Posting(AccountKind.WALLET_HELD, held_cents),
            Posting(AccountKind.WALLET, cents - held_cents),
            Posting(AccountKind.RECEIVABLE, -cents),
            Posting(AccountKind.VAT, vat_cents),
            Posting(AccountKind.PREPAID_VAT, -vat_cents),
        ]
    )


def payout_postings(*, cents: int, vat_cents: int) -> tuple[Posting, ...]:
    """Credit that was set aside goes back to the card it was bought with, and its VAT with it."""
    return _without_zeros(
        [
            Posting(AccountKind.WALLET_HELD, cents),
            Posting(AccountKind.CLEARING, -cents),
            Posting(AccountKind.VAT, vat_cents),
            Posting(AccountKind.PREPAID_VAT, -vat_cents),
        ]
    )


def write_off_postings(
    cents: int, *, kind: AccountKind = AccountKind.WRITTEN_OFF
) -> tuple[Posting, ...]:
    """We give up on a debt: waived by us, or lost."""
    return _without_zeros([Posting(kind, cents), Posting(AccountKind.RECEIVABLE, -cents)])


def internal_sale_postings(vat: Sequence[VatPart]) -> tuple[Posting, ...]:
    """An organisation sells to another one of the city: owed by it rather than by a customer."""
    return tuple(
        dataclasses.replace(posting, account=AccountKind.INTERNAL_OWED)
        if posting.account is AccountKind.RECEIVABLE
        else posting
        for posting in sale_postings(vat)
    )


def internal_cost_postings(vat: Sequence[VatPart]) -> tuple[Posting, ...]:
    """The other side of `internal_sale_postings`: a cost, VAT to be deducted, and a debt."""
    gross = sum(part.gross_cents for part in vat)
    postings = [Posting(AccountKind.INTERNAL_OWING, -gross)]
    for part in vat:
        postings.append(Posting(AccountKind.INTERNAL_COST, part.net_cents, part.rate))
        postings.append(Posting(AccountKind.INPUT_VAT, part.vat_cents, part.rate))
    return _without_zeros(postings)


def own_use_postings(vat: Sequence[VatPart]) -> tuple[Posting, ...]:
    """An organisation uses what it sells: a cost against revenue, and no VAT."""
    net = sum(part.net_cents for part in vat)
    return _without_zeros(
        [Posting(AccountKind.INTERNAL_COST, net), Posting(AccountKind.REVENUE, -net)]
    )


def prepaid_vat_used(*, prepaid_cents: int, credit_cents: int, spent_cents: int) -> int:
    """How much of the VAT paid ahead belongs to `spent_cents` of the credit; the last cent takes all."""
    if spent_cents >= credit_cents:
        return prepaid_cents
    return round_cents(Decimal(prepaid_cents) * spent_cents / credit_cents)


def spread_cents(cents: int, shares: Mapping[Decimal, int]) -> dict[Decimal, int]:
    """Split `cents` in proportion to `shares` without losing one: the largest remainders get the rest.

    `cents` must not exceed the sum of the shares; then no part exceeds its share.
    """
    whole = sum(shares.values())
    if not 0 <= cents <= whole:
        raise ValueError(f"{cents} cents cannot be spread over {whole}")
    if whole == 0:
        return dict.fromkeys(shares, 0)
    parts = {rate: cents * share // whole for rate, share in shares.items()}
    by_remainder = sorted(shares, key=lambda rate: (-(cents * shares[rate] % whole), rate))
    for rate in by_remainder[: cents - sum(parts.values())]:
        parts[rate] += 1
    return parts


def credit_parts(
    *, left: Mapping[Decimal, int], given: Mapping[Decimal, int]
) -> tuple[VatPart, ...]:
    """Net and VAT of a credit note over `given` gross cents by rate, where `left` are still standing.

    The VAT is the difference between before and after, so that notes add up to their receipt.
    """
    parts = []
    for rate, cents in sorted(given.items()):
        if cents:
            before, after = left[rate], left[rate] - cents
            vat = _vat_in(before, rate) - _vat_in(after, rate)
            parts.append(
                VatPart(rate=rate, net_cents=cents - vat, vat_cents=vat, gross_cents=cents)
            )
    return tuple(parts)


def retry_after_days(attempts: int) -> int | None:
    """Days until the card is asked again after `attempts` refusals; `None` when it is not."""
    if not 1 <= attempts <= len(RETRY_DAYS):
        return None
    return RETRY_DAYS[attempts - 1] - (RETRY_DAYS[attempts - 2] if attempts > 1 else 0)


def _vat_in(gross_cents: int, rate: Decimal) -> int:
    return gross_cents - round_cents(Decimal(gross_cents) / (1 + rate))


def _without_zeros(postings: Sequence[Posting]) -> tuple[Posting, ...]:
    return tuple(posting for posting in postings if posting.cents)
