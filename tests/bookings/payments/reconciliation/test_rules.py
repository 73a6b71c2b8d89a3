"""Matching a statement with the books, without either."""

import dataclasses
import datetime
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.payments.providers.wire import LineKind, StatementLine
from bookings.payments.reconciliation.rules import Booked, Named, Stated, match_statement, read_key

AT = datetime.datetime(2026, 5, 4, tzinfo=datetime.UTC)
ID = uuid.UUID("01900000-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("key", "named"),
    [
        (f"trip:{ID}:authorise", Named.PURPOSE),
        (f"{ID}:capture:0", Named.PAYMENT),
        (f"{ID}:capture:0:anew", Named.PAYMENT),
        (f"{ID}:renew:2", Named.PAYMENT),
        (f"{ID}:refund", Named.REFUND),
        ("", Named.NOTHING),
        ("somebody else's key", Named.NOTHING),
    ],
)
def test_our_keys_name_what_they_are_about(key, named):
    assert read_key(key) == (named, None if named is Named.NOTHING else ID)


def stated(cents, subject="", kind=LineKind.CAPTURE, line_id="l1", currency="EUR"):
    return Stated(
        line=StatementLine(
            line_id=line_id, kind=kind, reference="", key="", cents=cents, fee_cents=0,
            currency=currency, at=AT,
        ),
        subject=subject,
    )  # fmt: skip


def booked(cents, subject="capture:1", currency="EUR"):
    kind = LineKind.CAPTURE if cents > 0 else LineKind.REFUND
    return Booked(kind=kind, subject=subject, cents=cents, currency=currency)


def kinds(ours, theirs):
    return [finding.kind for finding in match_statement(booked=ours, stated=theirs)]


def test_each_disagreement_has_its_name():
    ours = [booked(350)]
    assert kinds(ours, [stated(350, "capture:1")]) == []
    assert kinds(ours, []) == ["missing_at_provider"]
    assert kinds([], [stated(350)]) == ["missing_at_us"]
    assert kinds([], [stated(350, "capture:1")]) == ["missing_at_us"]
    assert kinds(ours, [stated(349, "capture:1")]) == ["amount_differs"]
    assert kinds(ours, [stated(350, "capture:1", currency="CHF")]) == ["amount_differs"]
    twice = [stated(350, "capture:1"), stated(350, "capture:1", line_id="l2")]
    assert kinds(ours, twice) == ["duplicate"]
    assert kinds(ours, [stated(350, "capture:1"), stated(-350, kind=LineKind.DISPUTE)]) == [
        "disputed"
    ]
    assert kinds([], [stated(-9000, kind=LineKind.PAYOUT)]) == []


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.integers(1, 50), st.integers(-900, 900).filter(bool), min_size=1, max_size=12
    ),
    st.data(),
)
def test_what_agrees_is_silent_and_every_missing_half_is_found(deeds, data):
    ours = [booked(cents, f"deed:{name}") for name, cents in deeds.items()]
    theirs = [stated(deed.cents, deed.subject, deed.kind, line_id=deed.subject) for deed in ours]
    assert match_statement(booked=ours, stated=theirs) == ()
    lost = data.draw(st.sampled_from(ours))
    rest = [entry for entry in theirs if entry.subject != lost.subject]
    (finding,) = match_statement(booked=ours, stated=rest)
    assert (finding.kind, finding.subject) == ("missing_at_provider", lost.subject)
    (finding,) = match_statement(booked=[deed for deed in ours if deed is not lost], stated=theirs)
    assert (finding.kind, finding.stated_cents) == ("missing_at_us", lost.cents)
    wrong = dataclasses.replace(lost, cents=lost.cents + 1)
    (finding,) = match_statement(booked=[*(d for d in ours if d is not lost), wrong], stated=theirs)
    assert (finding.kind, finding.stated_cents) == ("amount_differs", lost.cents)
