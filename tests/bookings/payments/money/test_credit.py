"""Prepaid credit: bought with its VAT, set aside, spent, given back – and never below zero."""

import datetime
from collections import Counter
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction

from bookings.payments import services
from bookings.payments.models import (
    LedgerAccount,
    LedgerEntry,
    Payment,
    PaymentMethod,
    PaymentPolicy,
    ProviderOperation,
    Receipt,
)
from bookings.payments.queries import ledger_faults, wallet_balance
from bookings.payments.rules import Posting
from bookings.payments.services import authorise as authorising
from bookings.payments.services.ledger import post_entries
from bookings.payments.states import AccountKind
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.bookings.payments.conftest import line
from tests.bookings.races import at_once

pytestmark = pytest.mark.django_db


def balances() -> dict[str, int]:
    totals: Counter[str] = Counter()
    for kind, cents in LedgerEntry.objects.values_list("account__kind", "cents"):
        totals[kind] += cents
    return {kind: cents for kind, cents in totals.items() if cents}


def ride(opened, method, *, promise=500, price=350):
    """A ride paid by credit; `collect` takes the money."""
    payment = opened("", cents=promise, method_id=method.pk)
    payment = services.authorise_payment(payment_id=payment.pk, at=clock.now())
    services.charge_payment(payment=payment, lines=[line(price)], at=clock.now(), by=SYSTEM)
    return payment


def test_a_top_up_is_taxed_at_once_and_a_ride_paid_by_it_is_not_again(
    credit, opened, collect, giulia, ruote
):
    method = credit(1000)
    assert balances() == {"clearing": 1000, "wallet": -1000, "prepaid_vat": 180, "vat": -180}
    ride(opened, method)
    collect()
    assert balances() == {
        "clearing": 1000,
        "wallet": -650,
        "revenue": -287,
        "prepaid_vat": 117,
        "vat": -180,
    }
    assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 650
    ride(opened, method, price=650, promise=650)
    collect()
    assert balances() == {"clearing": 1000, "revenue": -820, "vat": -180}


def test_credit_appears_when_the_money_does_and_not_before(rider, ruote, collect, giulia):
    address = f"/api/v1/wallets/{ruote.public_id}/top-ups"
    asked = rider.post(address, {"cents": 2000})
    assert (asked.status_code, asked.json()["state"]) == (202, "capturing")
    assert rider.get("/api/v1/wallets").json()["results"] == []
    collect()
    (wallet,) = rider.get("/api/v1/wallets").json()["results"]
    assert (wallet["balance_cents"], wallet["held_cents"]) == (2000, 0)
    movements = rider.get(f"/api/v1/wallets/{ruote.public_id}/movements").json()["results"]
    assert [(row["deed"], row["cents"]) for row in movements] == [("sale", 2000)]
    assert Receipt.objects.get().vat == [
        {"rate": "0.22", "net_cents": 1639, "vat_cents": 361, "gross_cents": 2000}
    ]


@pytest.mark.parametrize("cents", [499, 20001])
def test_a_top_up_has_its_bounds(rider, ruote, cents):
    refused = rider.post(f"/api/v1/wallets/{ruote.public_id}/top-ups", {"cents": cents})
    assert (refused.status_code, refused.json()["code"]) == (422, "top_up_out_of_range")


def test_credit_on_its_way_counts_for_the_most_one_may_have(rider, ruote, collect):
    PaymentPolicy.objects.create(organisation=ruote, credit_max_cents=3000)
    address = f"/api/v1/wallets/{ruote.public_id}/top-ups"
    assert rider.post(address, {"cents": 2000}).status_code == 202
    assert rider.post(address, {"cents": 2000}).json()["code"] == "top_up_out_of_range"
    assert rider.post(address, {"cents": 1000}).status_code == 202
    collect()
    assert rider.post(address, {"cents": 500}).json()["code"] == "top_up_out_of_range"


def test_credit_that_is_left_stays_a_way_to_pay(credit, api, giulia):
    method = credit(1000)
    phone = api(giulia)
    refused = phone.delete(f"/api/v1/payment-methods/{method.public_id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "credit_left")
    assert len(phone.get("/api/v1/payment-methods").json()["results"]) == 2


def test_a_refused_top_up_is_no_debt(api, giulia, card, ruote, collect):
    card(giulia, "demo-capture-fails")
    api(giulia).post(f"/api/v1/wallets/{ruote.public_id}/top-ups", {"cents": 1000})
    collect()
    assert Payment.objects.get().state == "refused"
    assert balances() == {}
    services.refuse_debtor(payer_id=giulia.pk)


def test_a_top_up_that_the_bank_asks_about_goes_on_when_confirmed(
    api, giulia, card, ruote, collect
):
    card(giulia, "demo-asks")
    phone = api(giulia)
    asked = phone.post(f"/api/v1/wallets/{ruote.public_id}/top-ups", {"cents": 1000})
    assert asked.json()["code"] == "payment_action_required"
    phone.post(asked.json()["action"]["url"], {"answer": "approve"}, format="multipart")
    confirmed = phone.post(f"/api/v1/payments/{asked.json()['payment']}/confirm")
    assert confirmed.json()["state"] == "capturing"
    collect()
    assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 1000


def test_a_top_up_whose_process_died_is_released_and_nothing_is_charged(
    rider, giulia, ruote, travel, collect, monkeypatch
):
    def die(*_facts, **_terms):
        raise SystemError

    address = f"/api/v1/wallets/{ruote.public_id}/top-ups"
    with monkeypatch.context() as crash:
        # By its full name: the package has a function of that name.
        crash.setattr(import_module("bookings.payments.services.top_up"), "open_wallet", die)
        assert rider.post(address, {"cents": 2000}).status_code == 500
    assert Payment.objects.get().state == "authorised", "promised, and then nobody went on"
    assert rider.post(address, {"cents": 2000}).status_code == 202
    travel.shift(datetime.timedelta(minutes=21))
    collect()
    collect()
    states = list(Payment.objects.order_by("id").values_list("state", flat=True))
    assert states == ["voided", "captured"]
    assert ProviderOperation.objects.filter(deed="void").count() == 1
    assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 2000


def test_credit_set_aside_for_one_ride_does_not_start_another(credit, opened, giulia, ruote):
    method = credit(800)
    first = opened("", cents=500, method_id=method.pk)
    services.authorise_payment(payment_id=first.pk, at=clock.now())
    second = opened("", cents=500, method_id=method.pk)
    with pytest.raises(services.PaymentDeclined) as refusal:
        services.authorise_payment(payment_id=second.pk, at=clock.now())
    assert refusal.value.extra["reason"] == "credit_too_low"
    services.void_payment(payment=first, at=clock.now(), by=SYSTEM)
    assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 800


def test_a_longer_ride_sets_more_aside_while_there_is_some(credit, opened, giulia, ruote):
    method = credit(800)
    payment = opened("", cents=500, method_id=method.pk)
    services.authorise_payment(payment_id=payment.pk, at=clock.now())
    services.raise_promise(payment_id=payment.pk, cents=700, at=clock.now())
    assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 100
    services.raise_promise(payment_id=payment.pk, cents=900, at=clock.now())
    payment.refresh_from_db()
    assert (payment.authorised_cents, payment.uncovered_since is None) == (700, False)


def test_more_is_set_aside_for_a_ride_under_way_alone(
    credit, opened, collect, giulia, ruote, monkeypatch
):
    method = credit(1000)
    payment = opened("", cents=500, method_id=method.pk)
    services.authorise_payment(payment_id=payment.pk, at=clock.now())
    more = authorising._raise_held_credit

    def over_meanwhile(known, **terms):
        mine = Payment.objects.get(pk=known.pk)
        services.charge_payment(payment=mine, lines=[line(350)], at=clock.now(), by=SYSTEM)
        collect()
        return more(known, **terms)

    monkeypatch.setattr(authorising, "_raise_held_credit", over_meanwhile)
    services.raise_promise(payment_id=payment.pk, cents=700, at=clock.now())
    assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 650


def test_two_who_raise_at_once_set_aside_what_the_higher_asks(
    credit, opened, giulia, ruote, monkeypatch
):
    method = credit(1000)
    payment = opened("", cents=500, method_id=method.pk)
    services.authorise_payment(payment_id=payment.pk, at=clock.now())
    more = authorising._raise_held_credit

    def raised_meanwhile(known, **terms):
        monkeypatch.setattr(authorising, "_raise_held_credit", more)
        services.raise_promise(payment_id=known.pk, cents=600, at=clock.now())
        return more(known, **terms)

    monkeypatch.setattr(authorising, "_raise_held_credit", raised_meanwhile)
    raised = services.raise_promise(payment_id=payment.pk, cents=700, at=clock.now())
    assert raised.authorised_cents == 700
    assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 300


@pytest.mark.parametrize("cents", [1, 12, 25])
def test_what_is_left_after_rides_goes_back_with_the_last_cent_of_its_vat(
    credit, opened, collect, cents
):
    method = credit(1000)
    for price in (cents, cents + 7):
        ride(opened, method, price=price, promise=100)
        collect()
    top_up = Payment.objects.get(purpose="top_up")
    left = 1000 - 2 * cents - 7
    services.request_refund(
        payment_id=top_up.pk, cents=left, reason="moves away", at=clock.now(), by=SYSTEM
    )
    collect()
    assert not {"wallet", "wallet_held", "prepaid_vat"} & set(balances())


def test_a_ride_dearer_than_the_credit_is_owed_and_paid_by_card(
    credit, opened, collect, giulia, api
):
    method = credit(600)
    payment = ride(opened, method, price=900)
    collect()
    payment.refresh_from_db()
    assert (payment.state, payment.failure) == ("due", "credit_too_low")
    assert balances()["wallet"] == -600, "all of it is free again"
    card_id = str(PaymentMethod.objects.get(user=giulia, organisation=None).public_id)
    phone = api(giulia)
    phone.post(f"/api/v1/payments/{payment.public_id}/pay", {"method": card_id})
    collect()
    payment.refresh_from_db()
    assert (payment.state, payment.provider) == ("captured", "local")


def test_credit_pays_when_it_is_chosen_as_the_default(credit, opened, rider, ruote):
    method = credit(1000)
    assert opened("").provider == "local"
    rider.post(f"/api/v1/payment-methods/{method.public_id}/default")
    assert opened("").provider == "wallet"


def test_credit_does_not_pay_for_what_has_another_vat_rate(credit, opened, rider, ruote, giulia):
    method = credit(1000)
    rider.post(f"/api/v1/payment-methods/{method.public_id}/default")
    assert opened("", vat_rates=[Decimal("0.22")]).provider == "wallet"
    assert opened("", vat_rates=[Decimal("0.22"), Decimal("0.10")]).provider == "local"
    penalty = services.charge_directly(
        payer_id=giulia.pk, organisation_id=ruote.pk, purpose="fee", purpose_ref=ids.uuid7(),
        lines=[line(300, "0", "fee")], currency="EUR", at=clock.now(), by=SYSTEM,
    )  # fmt: skip
    assert penalty.provider == "local"


def test_what_turns_out_to_have_another_vat_rate_is_owed_and_paid_by_card(
    credit, opened, collect, giulia, api
):
    method = credit(1000)
    payment = opened("", cents=500, method_id=method.pk)
    payment = services.authorise_payment(payment_id=payment.pk, at=clock.now())
    lines = [line(300), line(110, "0.10", "time")]
    services.charge_payment(payment=payment, lines=lines, at=clock.now(), by=SYSTEM)
    collect()
    payment.refresh_from_db()
    assert (payment.state, payment.failure) == ("due", "credit_not_for_this")
    assert balances()["wallet"] == -1000, "all of it is free again"
    card_id = str(PaymentMethod.objects.get(user=giulia, organisation=None).public_id)
    api(giulia).post(f"/api/v1/payments/{payment.public_id}/pay", {"method": card_id})
    collect()
    payment.refresh_from_db()
    assert (payment.state, payment.provider) == ("captured", "local")
    assert not ledger_faults()


def test_credit_pays_only_where_it_was_bought(credit, giulia, collect, rivale, api):
    method = credit(1000)
    other = rivale.memberships.first().organisation
    with pytest.raises(services.PaymentMethodRequired):
        services.open_payment(
            payer_id=giulia.pk,
            organisation_id=other.pk,
            purpose="trip",
            purpose_ref=ids.uuid7(),
            cents=100,
            currency="EUR",
            at=clock.now(),
            method_id=method.pk,
        )


def test_a_ride_paid_by_credit_is_refunded_as_credit(credit, opened, collect, giulia, ruote):
    payment = ride(opened, credit(1000))
    collect()
    refund = services.request_refund(
        payment_id=payment.pk, cents=350, reason="broken", at=clock.now(), by=SYSTEM
    )
    assert refund.way == "wallet"
    collect()
    assert balances() == {"clearing": 1000, "wallet": -1000, "prepaid_vat": 180, "vat": -180}


def test_a_ride_paid_by_card_can_be_refunded_as_credit(paid, collect, giulia, ruote):
    payment = paid(line(350))
    services.request_refund(
        payment_id=payment.pk,
        cents=350,
        reason="broken",
        at=clock.now(),
        by=SYSTEM,
        to_wallet=True,
    )
    collect()
    assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 350
    assert balances() == {"clearing": 350, "wallet": -350, "prepaid_vat": 63, "vat": -63}


def test_unused_credit_goes_back_to_its_card_and_cannot_be_spent_meanwhile(
    credit, opened, collect, giulia, ruote
):
    method = credit(1000)
    ride(opened, method)
    collect()
    bought = Payment.objects.get(purpose="top_up")
    with pytest.raises(services.CreditTooLow):
        services.request_refund(
            payment_id=bought.pk, cents=651, reason="moved", at=clock.now(), by=SYSTEM
        )
    services.request_refund(
        payment_id=bought.pk, cents=650, reason="moved", at=clock.now(), by=SYSTEM
    )
    assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 0
    collect()
    assert balances() == {"clearing": 350, "revenue": -287, "vat": -63}


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """Many hands on the same credit."""

    def spend(self, account, *, naive):
        """Look at the balance, then take three euros: with or without a lock in between."""

        def deed():
            with transaction.atomic():
                rows = LedgerAccount.objects.filter(pk=account.pk)
                seen = (rows if naive else rows.select_for_update()).get().balance_cents
                if seen < 300:
                    return "too low"
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.05)")
                post_entries(
                    organisation_id=account.organisation_id,
                    currency="EUR",
                    deed="spend",
                    ref=str(ids.uuid7()),
                    postings=[
                        Posting(AccountKind.WALLET, 300),
                        Posting(AccountKind.REVENUE, -300),
                    ],
                    at=clock.now(),
                    user_id=account.user_id,
                )
                return "spent"

        return at_once([deed] * 4)

    def account(self, ruote, giulia):
        with transaction.atomic():
            post_entries(
                organisation_id=ruote.pk,
                currency="EUR",
                deed="gift",
                ref=str(ids.uuid7()),
                postings=[Posting(AccountKind.REVENUE, 500), Posting(AccountKind.WALLET, -500)],
                at=clock.now(),
                user_id=giulia.pk,
            )
        return LedgerAccount.objects.get(kind="wallet")

    def test_without_the_constraint_looking_first_spends_what_is_not_there(self, ruote, giulia):
        account = self.account(ruote, giulia)
        check = "credit_never_below_zero"
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE bookings_ledgeraccount DROP CONSTRAINT {check}")
        try:
            answers = self.spend(account, naive=True)
            account.refresh_from_db()
            assert (answers.count("spent"), account.balance_cents) == (4, -700)
            assert any("below zero" in fault for fault in ledger_faults())
        finally:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE bookings_ledgeraccount SET balance_cents = 0")
                cursor.execute(
                    f"ALTER TABLE bookings_ledgeraccount ADD CONSTRAINT {check}"
                    " CHECK (balance_cents >= 0)"
                )

    def test_with_it_the_database_lets_nobody_below_zero(self, ruote, giulia):
        account = self.account(ruote, giulia)
        answers = self.spend(account, naive=True)
        assert answers.count("spent") == 1
        assert sum(isinstance(answer, IntegrityError) for answer in answers) == 3
        account.refresh_from_db()
        assert account.balance_cents == 200

    def test_rides_at_once_set_aside_no_more_than_there_is(self, credit, opened, giulia, ruote):
        method = credit(1200)
        rides = [opened("", cents=500, method_id=method.pk) for _ride in range(5)]

        def start(payment):
            return services.authorise_payment(payment_id=payment.pk, at=clock.now()).state

        answers = at_once([lambda payment=payment: start(payment) for payment in rides])
        refused = [a for a in answers if isinstance(a, services.PaymentDeclined)]
        assert (answers.count("authorised"), len(refused)) == (2, 3)
        assert wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk) == 200
        assert ledger_faults() == []

    @pytest.mark.parametrize("by_credit", [True, False])
    def test_one_start_confirmed_twice_at_once_is_promised_once(
        self, credit, opened, giulia, ruote, by_credit
    ):
        method = credit(1200)
        payment = opened("", cents=500, **({"method_id": method.pk} if by_credit else {}))

        def confirm():
            return services.authorise_payment(payment_id=payment.pk, at=clock.now()).state

        assert at_once([confirm] * 4) == ["authorised"] * 4
        left = wallet_balance(user_id=giulia.pk, organisation_id=ruote.pk)
        assert left == (700 if by_credit else 1200)
        assert ledger_faults() == []
