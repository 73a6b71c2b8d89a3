"""The arithmetic of the ledger, for any amounts."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.payments.rules import (
    capture_postings,
    credit_parts,
    credit_postings,
    internal_cost_postings,
    internal_sale_postings,
    own_use_postings,
    payout_postings,
    prepaid_vat_used,
    promise_postings,
    refund_postings,
    retry_after_days,
    sale_postings,
    spend_postings,
    spread_cents,
    top_up_postings,
    write_off_postings,
)
from mobility.core.money import vat_split
from tests.bookings.payments.conftest import line

RATES = (Decimal(0), Decimal("0.04"), Decimal("0.10"), Decimal("0.22"))
shares = st.dictionaries(st.sampled_from(RATES), st.integers(0, 100_000), min_size=1)
cents = st.integers(0, 1_000_000)


@settings(max_examples=60)
@given(shares)
def test_every_deed_balances(gross):
    vat = vat_split(line(amount, str(rate)) for rate, amount in gross.items())
    amount = sum(gross.values())
    for postings in (
        sale_postings(vat),
        capture_postings(amount),
        refund_postings(vat),
        credit_postings(vat),
        top_up_postings(vat),
        promise_postings(amount),
        write_off_postings(amount),
        internal_sale_postings(vat),
        internal_cost_postings(vat),
        own_use_postings(vat),
        payout_postings(cents=amount, vat_cents=amount // 6),
        spend_postings(cents=amount, held_cents=amount // 2, vat_cents=amount // 6),
    ):
        assert sum(posting.cents for posting in postings) == 0
        assert all(posting.cents for posting in postings)


@settings(max_examples=60)
@given(shares, st.data())
def test_cents_are_spread_without_losing_one_and_no_part_exceeds_its_share(gross, data):
    whole = sum(gross.values())
    amount = data.draw(st.integers(0, whole))
    parts = spread_cents(amount, gross)
    assert sum(parts.values()) == amount
    assert all(0 <= parts[rate] <= share for rate, share in gross.items())


@settings(max_examples=60)
@given(shares, st.lists(st.integers(1, 50_000), max_size=6))
def test_credit_notes_in_any_steps_add_up_to_the_vat_of_their_receipt(gross, steps):
    left, noted = dict(gross), 0
    for step in [*steps, sum(gross.values())]:
        amount = min(step, sum(left.values()))
        given_back = spread_cents(amount, left)
        parts = credit_parts(left=left, given=given_back)
        assert all(part.net_cents + part.vat_cents == part.gross_cents for part in parts)
        noted += sum(part.vat_cents for part in parts)
        left = {rate: share - given_back[rate] for rate, share in left.items()}
    receipt = vat_split(line(amount, str(rate)) for rate, amount in gross.items())
    assert noted == sum(part.vat_cents for part in receipt)


@settings(max_examples=60)
@given(st.integers(1, 100_000), st.lists(st.integers(1, 40_000), max_size=8))
def test_spending_credit_uses_up_exactly_the_vat_that_was_paid_ahead(bought, rides):
    prepaid = sum(part.vat_cents for part in vat_split([line(bought)]))
    credit, used = bought, 0
    for ride in [*rides, bought]:
        spent = min(ride, credit)
        if spent:
            part = prepaid_vat_used(
                prepaid_cents=prepaid - used, credit_cents=credit, spent_cents=spent
            )
            assert 0 <= part <= prepaid - used
            used, credit = used + part, credit - spent
    assert (credit, used) == (0, prepaid)


def test_a_card_is_asked_on_days_0_1_3_and_7():
    days = [0]
    for attempts in range(1, 6):
        pause = retry_after_days(attempts)
        if pause is not None:
            days.append(days[-1] + pause)
    assert days == [0, 1, 3, 7]
