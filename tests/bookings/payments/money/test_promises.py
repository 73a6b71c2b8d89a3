"""Money is promised outside of any transaction, and every crash in between heals."""

import datetime

import pytest
from django.db import transaction

from bookings.payments import services
from bookings.payments.models import LedgerEntry, Payment, ProviderOperation
from bookings.payments.states import Purpose
from mobility.core import clock, ids
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.bookings.payments.conftest import line

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)


def authorise(payment: Payment) -> Payment:
    return services.authorise_payment(payment_id=payment.pk, at=clock.now())


def told(name: str) -> list[dict]:
    return [event.payload for event in OutboxEvent.objects.filter(name=f"bookings.{name}.v1")]


def deeds(*kinds: str) -> int:
    return ProviderOperation.objects.filter(deed__in=kinds).count()


def test_opening_asks_nobody(opened):
    assert opened().state == "opening"
    assert not ProviderOperation.objects.exists()


def test_nobody_is_asked_inside_a_transaction(opened):
    payment = opened()
    with pytest.raises(RuntimeError), transaction.atomic():
        authorise(payment)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.raise_promise(payment_id=payment.pk, cents=900, at=clock.now())
    assert not ProviderOperation.objects.exists()


def test_a_promise_is_asked_for_once_however_often_we_ask(opened):
    payment = opened()
    first, again = authorise(payment), authorise(payment)
    assert (first.state, first.provider_ref) == ("authorised", again.provider_ref)
    assert deeds("authorise") == 1


def test_a_lost_answer_leaves_it_open_and_the_same_promise_is_found_again(opened, travel):
    payment = opened("demo-promise-lost")
    with pytest.raises(services.PaymentsUnavailable):
        authorise(payment)
    payment.refresh_from_db()
    assert payment.state == "opening"
    travel.shift(datetime.timedelta(seconds=5))
    assert authorise(payment).state == "authorised"
    assert deeds("authorise") == 1


def test_a_refusal_is_kept_and_told(opened):
    payment = opened("demo-declined")
    for _time in range(2):
        with pytest.raises(services.PaymentDeclined) as refusal:
            authorise(payment)
        assert refusal.value.extra["reason"] == "card_declined"
    payment.refresh_from_db()
    assert (payment.state, payment.failure) == ("refused", "card_declined")
    assert [event["payment_id"] for event in told("payment_refused")] == [str(payment.public_id)]


def test_who_must_confirm_at_the_bank_is_told_how_and_goes_on_afterwards(
    opened, giulia, marco, api
):
    payment = opened("demo-asks")
    phone, address = api(giulia), f"/api/v1/payments/{payment.public_id}"
    refused = phone.post(f"{address}/confirm")
    assert (refused.status_code, refused.json()["code"]) == (402, "payment_action_required")
    url = refused.json()["action"]["url"]
    assert phone.get(address).json()["action"]["url"] == url
    assert api(marco).get(address).json()["action"] is None, "staff confirm nothing for her"
    phone.post(url, {"answer": "approve"}, format="multipart")
    confirmed = phone.post(f"{address}/confirm")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "authorised")
    assert confirmed.json()["action"] is None


def test_what_was_given_up_while_it_was_asked_for_is_released_at_the_provider(
    opened, travel, collect
):
    payment = opened("demo-promise-lost")
    with pytest.raises(services.PaymentsUnavailable):
        authorise(payment)
    services.void_payment(payment=payment, at=clock.now(), by=SYSTEM, reason="called_off")
    assert deeds("void") == 0, "nobody is asked where the deed is done"
    travel.shift(datetime.timedelta(seconds=5))
    collect()
    assert (deeds("authorise"), deeds("void")) == (1, 1)
    collect()
    assert deeds("void") == 1


def test_a_payment_that_nobody_came_back_for_is_released(opened, travel, collect):
    payment = opened()
    travel.shift(datetime.timedelta(minutes=21))
    collect()
    collect()
    payment.refresh_from_db()
    assert (payment.state, deeds("void")) == ("voided", 1)


def test_a_promise_is_renewed_before_it_lapses(opened, travel, collect):
    payment = authorise(opened())
    first = payment.provider_ref
    travel.shift(5 * DAY)
    collect()
    assert deeds("authorise") == 1
    travel.shift(DAY + datetime.timedelta(minutes=1))
    collect()
    payment.refresh_from_db()
    assert payment.provider_ref != first
    assert payment.expires_at > clock.now() + 6 * DAY
    assert ProviderOperation.objects.get(deed="void").reference == first
    services.charge_payment(payment=payment, lines=[line(350)], at=clock.now(), by=SYSTEM)
    collect()
    payment.refresh_from_db()
    assert payment.state == "captured"


def test_a_promise_that_cannot_be_renewed_is_told_once_and_stops_no_ride(
    opened, travel, collect, giulia, mailoutbox, django_capture_on_commit_callbacks
):
    payment = authorise(opened())
    giulia.payment_methods.update(token="demo-declined")
    travel.shift(6 * DAY + datetime.timedelta(minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        for _day in range(3):
            collect()
            travel.shift(DAY)
    payment.refresh_from_db()
    assert (payment.state, len(told("promise_missing"))) == ("authorised", 1)
    assert payment.uncovered_since is not None
    assert len(mailoutbox) == 1
    services.charge_payment(payment=payment, lines=[line(350)], at=clock.now(), by=SYSTEM)


def test_a_promise_grows_with_a_ride_that_grows_longer(opened):
    payment = authorise(opened())
    raised = services.raise_promise(payment_id=payment.pk, cents=1200, at=clock.now())
    assert (raised.authorised_cents, deeds("increase")) == (1200, 1)
    services.raise_promise(payment_id=payment.pk, cents=1000, at=clock.now())
    assert deeds("increase") == 1


def test_a_promise_that_cannot_grow_stands_as_it_was(opened):
    payment = authorise(opened("demo-increase-fails"))
    services.raise_promise(payment_id=payment.pk, cents=1200, at=clock.now())
    payment.refresh_from_db()
    assert (payment.state, payment.authorised_cents) == ("authorised", 500)
    assert len(told("promise_missing")) == 1


def test_a_price_of_nothing_needs_no_promise_and_no_provider(opened, collect):
    payment = authorise(opened(cents=0))
    assert (payment.state, deeds("authorise")) == ("authorised", 0)
    services.charge_payment(payment=payment, lines=[line(150)], at=clock.now(), by=SYSTEM)
    collect()
    payment.refresh_from_db()
    assert payment.state == "captured"


def test_a_released_ride_that_was_ridden_after_all_is_charged_anew(opened, collect):
    payment = authorise(opened())
    services.void_payment(payment=payment, at=clock.now(), by=SYSTEM)
    terms = {
        "payer_id": payment.payer_id,
        "organisation_id": payment.organisation_id,
        "purpose": Purpose.TRIP,
        "purpose_ref": payment.purpose_ref,
        "lines": [line(350)],
        "currency": "EUR",
        "at": clock.now(),
        "by": SYSTEM,
    }
    charged = services.charge_directly(**terms)
    assert charged.pk == payment.pk
    assert services.charge_directly(**terms).pk == payment.pk
    collect()
    payment.refresh_from_db()
    assert (payment.state, payment.captured_cents) == ("captured", 350)


def direct(giulia, ruote, purpose, *, cents=500, ref=None):
    return services.charge_directly(
        payer_id=giulia.pk,
        organisation_id=ruote.pk,
        purpose=purpose,
        purpose_ref=ref or ids.uuid7(),
        lines=[line(cents)] if cents else [],
        currency="EUR",
        at=clock.now(),
        by=SYSTEM,
    )


def test_a_fee_without_a_card_is_a_debt_and_a_pass_without_one_is_not_sold(giulia, ruote, collect):
    fee = direct(giulia, ruote, Purpose.FEE)
    with pytest.raises(services.PaymentMethodRequired):
        direct(giulia, ruote, Purpose.PASS)
    collect()
    fee.refresh_from_db()
    assert (fee.state, fee.failure) == ("due", "no_card")


def test_what_is_paid_ahead_is_sold_when_the_money_comes(giulia, ruote, card, collect):
    card(giulia)
    sold = direct(giulia, ruote, Purpose.PASS)
    assert not sold.documents.exists()
    assert not LedgerEntry.objects.exists()
    collect()
    sold.refresh_from_db()
    assert (sold.state, sold.documents.get().total_cents) == ("captured", 500)


def test_what_is_paid_ahead_and_refused_leaves_no_debt_and_no_paper(giulia, ruote, card, collect):
    card(giulia, "demo-capture-fails")
    refused = direct(giulia, ruote, Purpose.PASS)
    collect()
    refused.refresh_from_db()
    assert refused.state == "refused"
    assert not refused.documents.exists()
    assert not LedgerEntry.objects.exists()
    assert [event["purpose"] for event in told("payment_refused")] == ["pass"]
    services.refuse_debtor(payer_id=giulia.pk)


def test_the_same_purpose_is_charged_once(giulia, ruote, card, collect):
    card(giulia)
    ref = ids.uuid7()
    assert len({direct(giulia, ruote, Purpose.HOLD, ref=ref).pk for _time in range(3)}) == 1
    collect()
    assert Payment.objects.get().captured_cents == 500


def test_a_pass_for_nothing_is_paid_at_once(giulia, ruote):
    free = direct(giulia, ruote, Purpose.PASS, cents=0)
    assert (free.state, [event["cents"] for event in told("payment_captured")]) == ("captured", [0])
