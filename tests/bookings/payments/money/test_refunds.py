"""Money given back: by four eyes, by rule, in parts that add up, and never more than there was."""

import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from bookings.payments import services
from bookings.payments.models import (
    Anomaly,
    GoodwillRule,
    LedgerEntry,
    Payment,
    PaymentPolicy,
    ProviderOperation,
    Receipt,
    Refund,
)
from bookings.payments.queries import ledger_faults, wallet_balance
from bookings.payments.services import collect as collecting
from bookings.payments.states import Purpose, Situation
from mobility.accounts.models import Membership
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.bookings.payments.conftest import line
from tests.bookings.races import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(ruote, sara):
    """Sara keeps the books of Ruote too."""
    Membership.objects.create(user=sara, organisation=ruote, role=Role.FLEET_OPERATOR)
    return type(sara).objects.get(pk=sara.pk)


def ask(payment, cents, **terms):
    facts = {"reason": "squeaky", "at": clock.now(), "by": SYSTEM} | terms
    return services.request_refund(payment_id=payment.pk, cents=cents, **facts)


def notes(payment):
    return list(
        Receipt.objects.filter(payment=payment, kind="credit_note")
        .order_by("id")
        .values_list("total_cents", flat=True)
    )


def test_a_large_refund_waits_for_a_second_person(paid, collect, api, marco, second):
    payment = paid(line(9000), cents=9000)
    asked = api(marco).post(
        f"/api/v1/payments/{payment.public_id}/refunds", {"cents": 6000, "reason": "crash"}
    )
    assert (asked.status_code, asked.json()["state"]) == (201, "proposed")
    collect()
    assert Refund.objects.get().state == "proposed"
    queue = "/api/v1/money/refunds"
    (waiting,) = api(second).get(queue, {"state": "proposed"}).json()["results"]
    address = f"{queue}/{waiting['id']}"
    own = api(marco).post(f"{address}/approve")
    assert (own.status_code, own.json()["code"]) == (403, "second_person_needed")
    assert api(second).post(f"{address}/approve").json()["state"] == "requested"
    collect()
    assert notes(payment) == [6000]
    refund = Refund.objects.get()
    assert (refund.state, refund.approver) == ("done", second.principal)
    again = api(second).post(f"{address}/approve")
    assert (again.status_code, again.json()["code"]) == (409, "illegal_move")


def test_a_rejected_refund_frees_its_amount(paid, api, marco, second):
    payment = paid(line(9000), cents=9000)
    refund = ask(payment, 6000, by=marco.principal)
    rejected = api(second).post(
        f"/api/v1/money/refunds/{refund.public_id}/reject", {"reason": "rode it all"}
    )
    assert rejected.json()["state"] == "rejected"
    payment.refresh_from_db()
    assert payment.refunded_cents == 0


def test_many_small_refunds_of_one_payment_are_a_large_one(paid, marco):
    payment = paid(line(9000), cents=9000)
    states = [ask(payment, 2400, by=marco.principal).state for _part in range(3)]
    assert states == ["requested", "requested", "proposed"]


def test_an_organisation_sets_its_own_limit_and_rules_have_none(paid, ruote, marco):
    PaymentPolicy.objects.create(organisation=ruote, refund_limit_cents=100)
    payment = paid(line(350))
    assert ask(payment, 101, by=marco.principal).state == "proposed"
    assert ask(payment, 101, automatic=True).state == "requested"


def test_the_database_itself_wants_four_eyes(paid, marco):
    payment = paid(line(9000), cents=9000)
    refund = ask(payment, 6000, by=marco.principal)
    mine = Refund.objects.filter(pk=refund.pk)
    for written in (
        {"state": "requested"},
        {"state": "done"},
        {"state": "requested", "approver": marco.principal},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            mine.update(**written)


def test_partial_refunds_of_a_mixed_receipt_add_up_to_it_to_the_cent(paid, collect):
    payment = paid(line(333, "0.22"), line(101, "0.10"), line(77, "0"))
    for cents in (100, 1, 99, 311):
        ask(payment, cents)
        collect()
    given = Receipt.objects.filter(payment=payment, kind="credit_note")
    sums: dict[str, list[int]] = {}
    for note in given:
        assert sum(part["gross_cents"] for part in note.vat) == note.total_cents
        for part in note.vat:
            row = sums.setdefault(f"{float(part['rate']):.2f}", [0, 0])
            row[0] += part["gross_cents"]
            row[1] += part["vat_cents"]
    receipt = Receipt.objects.get(payment=payment, kind="receipt")
    assert sums == {
        f"{float(part['rate']):.2f}": [part["gross_cents"], part["vat_cents"]]
        for part in receipt.vat
    }
    left = LedgerEntry.objects.filter(account__kind__in=["vat", "revenue"])
    assert sum(left.values_list("cents", flat=True)) == 0


def test_a_correction_gives_back_where_it_became_cheaper(paid, collect):
    payment = paid(line(300), line(200, "0.10"))
    refund = services.correct_charge(
        payment=payment,
        lines=[line(300), line(50, "0.10")],
        reason="two minutes less",
        at=clock.now(),
        by=SYSTEM,
    )
    assert refund is not None
    assert refund.cents == 150
    collect()
    note = Receipt.objects.get(kind="credit_note")
    assert [(float(part["rate"]), part["gross_cents"]) for part in note.vat] == [(0.10, 150)]


def test_a_correction_never_charges_more_and_nothing_where_nothing_changed(paid):
    payment = paid(line(350))
    correct = {"payment": payment, "reason": "late points", "at": clock.now(), "by": SYSTEM}
    assert services.correct_charge(lines=[line(350)], **correct) is None
    with pytest.raises(services.CorrectionCostsMore) as refusal:
        services.correct_charge(lines=[line(400)], **correct)
    assert refusal.value.extra["cents"] == 50
    assert not Refund.objects.exists()


def test_a_second_correction_starts_from_the_first(paid, collect):
    payment = paid(line(350))
    correct = {"payment": payment, "reason": "late points", "at": clock.now(), "by": SYSTEM}
    services.correct_charge(lines=[line(300)], **correct)
    assert services.correct_charge(lines=[line(300)], **correct) is None
    collect()
    services.correct_charge(lines=[line(220)], **correct)
    collect()
    assert notes(payment) == [50, 80]


def test_a_correction_takes_what_went_back_already_as_given(paid, collect):
    payment = paid(line(350))
    ask(payment, 200)
    correct = {"payment": payment, "reason": "late points", "at": clock.now(), "by": SYSTEM}
    assert services.correct_charge(lines=[line(300)], **correct) is None
    refund = services.correct_charge(lines=[line(100)], **correct)
    assert refund is not None
    assert refund.cents == 50


def test_a_correction_gives_nothing_back_of_what_was_waived(paid):
    payment = paid(line(350), token="demo-capture-fails")
    services.write_off(payment_id=payment.pk, reason="goodwill", at=clock.now(), by=SYSTEM)
    corrected = services.correct_charge(
        payment=payment, lines=[line(300)], reason="late points", at=clock.now(), by=SYSTEM
    )
    assert corrected is None


def test_a_refund_that_the_provider_refuses_is_for_people(paid, collect):
    payment = paid(line(350), token="demo-refund-fails")
    refund = ask(payment, 350)
    collect()
    refund.refresh_from_db()
    assert refund.state == "failed"
    waiting = Anomaly.objects.get(state="open")
    assert (waiting.refund, waiting.booked_cents) == (refund, -350)


def test_a_correction_by_a_person_goes_through_four_eyes(paid, marco):
    payment = paid(line(9000), cents=9000)
    refund = services.correct_charge(
        payment=payment, lines=[line(1000)], reason="dispute", at=clock.now(), by=marco.principal
    )
    assert refund is not None
    assert refund.state == "proposed"


def test_what_is_owed_becomes_less_by_a_correction(paid, collect, giulia, card):
    payment = paid(line(350), token="demo-capture-fails")
    correct = {"payment": payment, "reason": "late points", "at": clock.now(), "by": SYSTEM}
    services.correct_charge(lines=[line(250)], **correct)
    collect()
    payment.refresh_from_db()
    assert (payment.state, payment.amount_cents, payment.refunded_cents) == ("due", 250, 0)
    card(giulia)
    services.pay_debt(payment_id=payment.pk, at=clock.now(), by=giulia.principal)
    collect()
    payment.refresh_from_db()
    assert (payment.state, payment.captured_cents) == ("captured", 250)


def test_a_debt_corrected_to_nothing_blocks_nobody_any_more(paid, collect, giulia):
    payment = paid(line(350), token="demo-capture-fails")
    services.correct_charge(payment=payment, lines=(), reason="broken", at=clock.now(), by=SYSTEM)
    collect()
    payment.refresh_from_db()
    assert (payment.state, payment.amount_cents) == ("voided", 0)
    services.refuse_debtor(payer_id=giulia.pk)
    told = OutboxEvent.objects.filter(name="bookings.payment_captured.v1").get().payload
    assert (told["cents"], told["recovered"]) == (0, True)


def test_what_is_still_being_collected_goes_back_once_it_is(charged, collect):
    payment = charged(line(350))
    services.correct_charge(
        payment=payment, lines=[line(100)], reason="x", at=clock.now(), by=SYSTEM
    )
    collect()
    collect()
    payment.refresh_from_db()
    assert (payment.state, payment.captured_cents, payment.refunded_cents) == ("captured", 350, 250)
    assert notes(payment) == [250]


def test_refunds_that_wait_for_their_money_keep_no_others_waiting(
    charged, paid, collect, travel, monkeypatch
):
    monkeypatch.setattr(collecting, "LIMIT", 1)
    slow = charged(line(350), token="demo-delayed")
    ask(slow, 100)
    quick = paid(line(350))
    ask(quick, 100)
    for _round in range(3):
        travel.shift(datetime.timedelta(seconds=5))
        collect()
    assert dict(Refund.objects.values_list("payment", "state")) == {
        slow.pk: "requested",
        quick.pk: "done",
    }


def test_a_round_is_short_and_the_next_one_goes_on(charged, paid, collect, travel, monkeypatch):
    refund = ask(paid(line(350)), 100)
    waiting = [charged(line(350)), charged(line(350))]
    monkeypatch.setattr(collecting, "AT_MOST_S", 0)
    collect()
    refund.refresh_from_db()
    assert refund.state == "done", "it did not wait for all the payments"
    states = [Payment.objects.get(pk=payment.pk).state for payment in waiting]
    assert states == ["captured", "capturing"]
    collect()
    assert Payment.objects.get(pk=waiting[1].pk).state == "captured"


def test_what_was_paid_by_credit_after_all_goes_back_as_credit(
    paid, credit, collect, api, giulia, marco, second, ruote
):
    PaymentPolicy.objects.create(organisation=ruote, refund_limit_cents=100)
    method = credit(1000)
    payment = paid(line(350), token="demo-capture-fails")
    refund = ask(payment, 200, by=marco.principal)
    assert refund.state == "proposed"
    address = f"/api/v1/payments/{payment.public_id}/pay"
    assert api(giulia).post(address, {"method": str(method.public_id)}).status_code == 200
    collect()
    api(second).post(f"/api/v1/money/refunds/{refund.public_id}/approve")
    collect()
    refund.refresh_from_db()
    assert (refund.state, refund.way) == ("done", "wallet")
    assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 850


def test_what_comes_back_as_credit_can_be_spent(paid, collect, api, giulia, marco):
    payment = paid(line(350))
    api(marco).post(
        f"/api/v1/payments/{payment.public_id}/refunds",
        {"cents": 300, "reason": "squeaky", "to_wallet": True},
    )
    collect()
    methods = api(giulia).get("/api/v1/payment-methods").json()["results"]
    assert [method["provider"] for method in methods] == ["local", "wallet"]


def test_bought_credit_goes_back_to_its_card_alone(credit, collect, api, giulia, marco, ruote):
    credit(1000)
    top_up = Payment.objects.get(purpose="top_up")
    asked = api(marco).post(
        f"/api/v1/payments/{top_up.public_id}/refunds",
        {"cents": 1000, "reason": "moves away", "to_wallet": True},
    )
    assert asked.json()["way"] == "card"
    collect()
    assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 0
    assert ProviderOperation.objects.get(deed="refund").cents == 1000


def test_a_refund_is_told_to_whom_it_concerns(paid, collect, giulia):
    payment = paid(line(350))
    ask(payment, 50)
    collect()
    told = OutboxEvent.objects.get(name="bookings.refund_done.v1").payload
    assert (told["cents"], told["way"], told["payer"]) == (50, "card", giulia.principal)


class TestByRule:
    """What went wrong costs nothing, or less, without anybody's hand."""

    def by_rule(self, payment, situation):
        return services.refund_by_rule(payment_id=payment.pk, situation=situation, at=clock.now())

    def test_what_never_began_is_released(self, opened):
        payment = opened()
        services.authorise_payment(payment_id=payment.pk, at=clock.now())
        assert self.by_rule(payment, Situation.START_FAILED) is None
        payment.refresh_from_db()
        assert payment.state == "voided"

    def test_broken_in_the_first_minutes_goes_back_whole_and_once(self, paid, collect):
        payment = paid(line(9000), cents=9000)
        first = self.by_rule(payment, Situation.BROKEN_EARLY)
        again = self.by_rule(payment, Situation.BROKEN_EARLY)
        assert first == again
        assert first.state == "requested", "a rule needs no second person"
        collect()
        payment.refresh_from_db()
        assert payment.refunded_cents == 9000

    @pytest.mark.parametrize(
        ("percent", "most", "back"), [(50, 10_000, 175), (100, 200, 200), (33, 10_000, 116)]
    )
    def test_goodwill_is_the_organisations(self, paid, ruote, percent, most, back):
        GoodwillRule.objects.create(
            organisation=ruote, situation=Situation.OUTAGE, percent=percent, max_cents=most
        )
        assert self.by_rule(paid(line(350)), Situation.OUTAGE).cents == back

    def test_without_a_rule_nothing_goes_back(self, paid, ruote):
        GoodwillRule.objects.create(
            organisation=ruote,
            situation=Situation.OUTAGE,
            percent=50,
            max_cents=500,
            active=False,
        )
        payment = paid(line(350))
        assert self.by_rule(payment, Situation.OUTAGE) is None
        assert self.by_rule(payment, Situation.CHARGER_FAULT) is None


class TestInternal:
    """What organisations of the city owe each other."""

    def test_energy_for_a_fleet_is_a_cost_there_and_a_sale_here_once(self, ruote, colonnine):
        for _time in range(2):
            services.book_internal_cost(
                buyer_id=ruote.pk,
                seller_id=colonnine.pk,
                ref="charge-1",
                lines=[line(122)],
                currency="EUR",
                at=clock.now(),
                by=SYSTEM,
            )
        booked = LedgerEntry.objects.values_list(
            "account__organisation__slug", "account__kind", "cents"
        )
        assert sorted(booked) == sorted(
            [
                (colonnine.slug, "internal_owed", 122),
                (colonnine.slug, "revenue", -100),
                (colonnine.slug, "vat", -22),
                (ruote.slug, "internal_owing", -122),
                (ruote.slug, "internal_cost", 100),
                (ruote.slug, "input_vat", 22),
            ]
        )

    def test_own_energy_has_no_vat(self, ruote):
        services.book_internal_cost(
            buyer_id=ruote.pk,
            seller_id=ruote.pk,
            ref="charge-2",
            lines=[line(122)],
            currency="EUR",
            at=clock.now(),
            by=SYSTEM,
        )
        booked = LedgerEntry.objects.values_list("account__kind", "cents")
        assert sorted(booked) == [("internal_cost", 100), ("revenue", -100)]


def test_a_debt_is_waived_or_lost_and_the_books_say_which(paid, giulia):
    for lost, kind in ((False, "written_off"), (True, "bad_debt")):
        payment = paid(line(350), token="demo-capture-fails")
        services.write_off(
            payment_id=payment.pk, reason="gone", at=clock.now(), by=SYSTEM, lost=lost
        )
        entries = LedgerEntry.objects.filter(account__kind=kind)
        assert sum(entries.values_list("cents", flat=True)) == 350


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """Two refunds in parallel."""

    @pytest.fixture
    def captured(self, ruote, giulia):
        return Payment.objects.create(
            organisation=ruote,
            payer=giulia,
            purpose=Purpose.TRIP,
            purpose_ref=giulia.public_id,
            state="captured",
            authorised_cents=350,
            amount_cents=350,
            captured_cents=350,
            provider="local",
            created_at=clock.now(),
        )

    def test_looking_first_gives_back_more_than_was_collected(self, captured):
        """The naive order of statements, with the database's own check off."""

        def naive():
            with transaction.atomic():
                seen = Payment.objects.get(pk=captured.pk)
                if seen.captured_cents - seen.refunded_cents < 200:
                    return "too large"
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.1)")
                Payment.objects.filter(pk=seen.pk).update(refunded_cents=F("refunded_cents") + 200)
                return "given"

        check = "refunds_within_amount"
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE bookings_payment DROP CONSTRAINT {check}")
        try:
            assert at_once([naive] * 3).count("given") == 3
            captured.refresh_from_db()
            assert captured.refunded_cents == 600
        finally:
            Payment.objects.update(refunded_cents=0)
            with connection.cursor() as cursor:
                cursor.execute(
                    f"ALTER TABLE bookings_payment ADD CONSTRAINT {check}"
                    " CHECK (refunded_cents <= amount_cents)"
                )
        answers = at_once([naive] * 3)
        assert answers.count("given") == 1, "the check alone stops it"

    def test_the_service_lets_one_through_and_says_so_to_the_other(self, captured):
        def refund():
            return services.request_refund(
                payment_id=captured.pk, cents=200, reason="x", at=clock.now(), by=SYSTEM
            ).state

        answers = at_once([refund] * 4)
        refused = [a for a in answers if isinstance(a, services.RefundTooLarge)]
        assert (answers.count("requested"), len(refused)) == (1, 3)

    def test_two_people_decide_about_one_refund_once(self, captured, marco, sara, ruote):
        refund = Refund.objects.create(
            payment=captured,
            state="proposed",
            needs_approval=True,
            cents=300,
            reason="x",
            by=SYSTEM,
            requested_at=clock.now(),
        )
        Payment.objects.update(refunded_cents=300)
        at = clock.now()
        answers = at_once(
            [
                lambda: (
                    services.approve_refund(refund_id=refund.pk, at=at, by=marco.principal).state
                ),
                lambda: (
                    services.reject_refund(
                        refund_id=refund.pk, reason="no", at=at, by=sara.principal
                    ).state
                ),
            ]
        )
        assert sum(isinstance(answer, str) for answer in answers) == 1
        captured.refresh_from_db()
        refund.refresh_from_db()
        assert captured.refunded_cents == (300 if refund.state == "requested" else 0)


def test_collecting_a_refund_again_and_again_gives_it_back_once(paid, collect, travel):
    payment = paid(line(350))
    ask(payment, 200)
    for _round in range(3):
        collect()
        travel.shift(datetime.timedelta(minutes=1))
    assert notes(payment) == [200]
    assert ledger_faults() == []
