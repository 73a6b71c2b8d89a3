"""The books are sound whatever happens in whatever order, and say so when they are not."""

import contextlib
import datetime
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookings.payments import services, tasks
from bookings.payments.models import LedgerAccount, Payment, PaymentMethod, Refund
from bookings.payments.queries import ledger_faults
from bookings.payments.rules import Posting
from bookings.payments.services.ledger import post_entries
from bookings.payments.states import AccountKind, Purpose
from mobility.core import clock, ids
from mobility.core.errors import DomainError
from mobility.core.principals import SYSTEM
from tests.bookings.payments.conftest import line

pytestmark = pytest.mark.django_db

# These tests break the books on purpose, each inside its own transaction.
BREAKS_BOOKS = True

CARDS = (
    *("demo-ok",) * 6,
    "demo-declined",
    "demo-capture-fails",
    "demo-first-capture-fails",
    "demo-answer-lost",
    "demo-promise-lost",
    "demo-refund-fails",
)
RATES = ("0.22", "0.10", "0")
DEEDS = (
    *("ride",) * 4,
    *("collect",) * 4,
    *("refund", "correct", "top_up") * 2,
    *("sell_pass", "fee", "later", "pay", "give_up"),
)
steps = st.lists(
    st.tuples(
        st.sampled_from(DEEDS),
        st.sampled_from(CARDS),
        st.integers(1, 3000),
        st.sampled_from(RATES),
        st.booleans(),
    ),
    min_size=12,
    max_size=20,
)


class Town:
    """One person and one organisation, and everything that money can do between them."""

    def __init__(self, giulia, ruote):
        self.giulia, self.ruote = giulia, ruote
        self.at = datetime.datetime(2026, 5, 4, 8, 0, tzinfo=datetime.UTC)

    def do(self, deed, token, cents, rate, by_credit):
        """One deed; a refusal is an answer like any other."""
        with contextlib.suppress(DomainError):
            getattr(self, deed)(token=token, cents=cents, rate=rate, by_credit=by_credit)

    def ride(self, *, token, cents, rate, by_credit):
        payment = services.open_payment(
            **self._for(Purpose.TRIP), cents=700, method_id=self._method(token, by_credit)
        )
        try:
            payment = services.authorise_payment(payment_id=payment.pk, at=self.at)
        except DomainError:
            services.void_payment(payment=payment, at=self.at, by=SYSTEM)
            raise
        lines = [line(cents, rate), line(cents // 3 + 1, "0.22")] if cents > 50 else []
        services.charge_payment(payment=payment, lines=lines, at=self.at, by=SYSTEM)

    def _direct(self, purpose, token, cents, rate):
        self._method(token, by_credit=False)
        services.charge_directly(**self._for(purpose), lines=[line(cents, rate)], by=SYSTEM)

    def sell_pass(self, *, token, cents, rate, by_credit):
        self._direct(Purpose.PASS, token, cents, rate)

    def fee(self, *, token, cents, rate, by_credit):
        self._direct(Purpose.FEE, token, cents, rate)

    def top_up(self, *, token, cents, rate, by_credit):
        self._method(token, by_credit=False)
        services.top_up(
            user_id=self.giulia.pk,
            organisation_id=self.ruote.pk,
            cents=500 + cents,
            at=self.at,
            by=SYSTEM,
        )

    def collect(self, **_facts):
        services.collect_due(at=self.at)

    def later(self, *, cents, **_facts):
        self.at += datetime.timedelta(hours=cents / 20)
        services.collect_due(at=self.at)

    def refund(self, *, cents, by_credit, **_facts):
        for payment in Payment.objects.order_by("id")[cents % 3 : cents % 3 + 2]:
            services.request_refund(
                payment_id=payment.pk,
                cents=cents % 400 + 1,
                reason="x",
                at=self.at,
                by=SYSTEM,
                automatic=True,
                to_wallet=by_credit and payment.purpose != Purpose.TOP_UP,
            )

    def correct(self, *, cents, rate, **_facts):
        for payment in Payment.objects.exclude(purpose=Purpose.TOP_UP).order_by("-id")[:2]:
            services.correct_charge(
                payment=payment, lines=[line(cents, rate)], reason="y", at=self.at, by=SYSTEM
            )

    def pay(self, *, token, by_credit, **_facts):
        method = self._method(token, by_credit)
        for payment in Payment.objects.filter(state="due"):
            services.pay_debt(payment_id=payment.pk, at=self.at, by=SYSTEM, method_id=method)

    def give_up(self, *, by_credit, **_facts):
        for payment in Payment.objects.filter(state="due")[:1]:
            services.write_off(
                payment_id=payment.pk, reason="z", at=self.at, by=SYSTEM, lost=by_credit
            )

    def _for(self, purpose):
        return {
            "payer_id": self.giulia.pk,
            "organisation_id": self.ruote.pk,
            "purpose": purpose,
            "purpose_ref": ids.uuid7(),
            "currency": "EUR",
            "at": self.at,
        }

    def _method(self, token, by_credit):
        if by_credit:
            mine = PaymentMethod.objects.filter(user=self.giulia, organisation=self.ruote)
            if mine.exists():
                return mine.get().pk
        return services.add_payment_method(
            user_id=self.giulia.pk, token=token, at=self.at, by=SYSTEM
        ).pk


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
def test_the_books_are_sound_after_any_deeds_in_any_order(giulia, ruote, story):
    class Back(Exception):
        """Every story begins in an empty house."""

    town = Town(giulia, ruote)
    with pytest.raises(Back), transaction.atomic():
        # The test's own transaction, as far as the services are concerned.
        connection.atomic_blocks[-1]._from_testcase = True
        for deed in story:
            town.do(*deed)
            if deed[0] in {"collect", "later", "give_up"}:
                assert ledger_faults() == [], deed
        assert ledger_faults() == []
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        raise Back


def unbalanced(payment):
    """Half of a booking, as no service writes it."""
    post_entries(
        organisation_id=payment.organisation_id,
        currency="EUR",
        deed="half",
        ref="1",
        postings=[Posting(AccountKind.REVENUE, 100)],
        at=clock.now(),
    )


def rewrite(statement):
    """What only somebody at the database could do, past every trigger."""

    def deed(payment):
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(statement.format(pk=payment.pk))
            cursor.execute("SET session_replication_role = DEFAULT")

    return deed


@pytest.mark.parametrize(
    ("deed", "fault"),
    [
        (unbalanced, "does not balance"),
        (
            lambda payment: Payment.objects.filter(pk=payment.pk).update(state="due"),
            "not what they owe",
        ),
        (
            lambda payment: Payment.objects.filter(pk=payment.pk).update(captured_cents=349),
            "does not hold",
        ),
        (
            lambda payment: Payment.objects.filter(pk=payment.pk).update(refunded_cents=1),
            "refunds that its column",
        ),
        (
            lambda payment: Refund.objects.create(
                payment=payment,
                state="done",
                cents=5,
                reason="x",
                by=SYSTEM,
                requested_at=clock.now(),
            ),
            "documents say",
        ),
        (
            lambda payment: LedgerAccount.objects.create(
                organisation=payment.organisation,
                user=payment.payer,
                kind="wallet",
                balance_cents=5,
            ),
            "sum of its movements",
        ),
        (
            rewrite("UPDATE bookings_ledgertransaction SET deed = 'x' WHERE deed = 'capture'"),
            "booked exactly once",
        ),
        (
            rewrite("UPDATE bookings_receipt SET sequence = 7 WHERE payment_id = {pk}"),
            "numbers have a gap",
        ),
    ],
)
def test_every_kind_of_fault_is_found(paid, deed, fault):
    payment = paid(line(350))
    assert ledger_faults() == []
    with transaction.atomic():
        deed(payment)
        assert any(fault in found for found in ledger_faults()), ledger_faults()
        transaction.set_rollback(True)


def test_the_night_looks_through_the_books(paid):
    payment = paid(line(350))
    assert tasks.check_books() == 0
    Payment.objects.filter(pk=payment.pk).update(refunded_cents=1)
    assert tasks.check_books() == 1


def test_the_command_says_whether_the_books_are_sound(paid, capsys):
    payment = paid(line(350))
    call_command("check_ledger")
    assert "sound" in capsys.readouterr().out
    Payment.objects.filter(pk=payment.pk).update(refunded_cents=1)
    with pytest.raises(CommandError):
        call_command("check_ledger", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["sound"], len(told["faults"])) == (False, 1)


BRACKETS = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "NOTIFY")


def count(deed) -> int:
    with CaptureQueriesContext(connection) as captured:
        deed()
    asked = [row["sql"].rsplit("true); ", 1)[-1].strip() for row in captured.captured_queries]
    return sum(not sql.startswith(BRACKETS) for sql in asked)


def test_money_takes_few_statements_and_a_round_few_for_all(charged, opened):
    first = charged(line(350))
    tasks.collect()
    waiting = opened()
    assert count(lambda: services.authorise_payment(payment_id=waiting.pk, at=clock.now())) <= 5
    waiting.refresh_from_db()
    assert (
        count(
            lambda: services.charge_payment(
                payment=waiting, lines=[line(350)], at=clock.now(), by=SYSTEM
            )
        )
        <= 5
    )
    alone = count(tasks.collect)
    for _more in range(4):
        charged(line(350))
    five = count(tasks.collect)
    idle = count(tasks.collect)
    assert idle <= 5
    assert (five - alone) / 4 <= 9, (alone, five)
    assert first.organisation_id == waiting.organisation_id
