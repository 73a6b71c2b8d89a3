"""Stripe's own library against a stand-in on loopback: no request here ever reaches Stripe."""

import datetime
import hashlib
import hmac
import json
import time

import pytest

from bookings.payments.providers.stripe.gateway import StripeProvider
from bookings.payments.providers.wire import (
    ActionRequired,
    Declined,
    EventKind,
    LineKind,
    ProviderUnavailable,
    TokenUnknown,
    WebhookRefused,
)
from mobility.core import clock, ids
from tests.bookings.payments.providers import stripe_stand_in as stand_in

AT = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
EUROS = {"currency": "EUR", "at": AT}


@pytest.fixture
def account(settings):
    with stand_in.stand_in() as (account, address):
        settings.STRIPE_SECRET_KEY = "sk_test_stand_in"
        settings.STRIPE_API_URL = address
        settings.STRIPE_WEBHOOK_SECRET = "whsec_stand_in"
        settings.STRIPE_PUBLISHABLE_KEY = "pk_test_stand_in"
        yield account


@pytest.fixture
def stripe(account):
    return StripeProvider()


def promise(stripe, method="pm_ok", cents=500, key=None):
    return stripe.authorise(
        key=key or f"trip:{ids.uuid7()}:authorise", token=f"cus_1/{method}", cents=cents, **EUROS
    )


def test_a_promise_says_when_it_lapses_and_is_collected_under_the_same_reference(stripe, account):
    promised = promise(stripe)
    assert promised.expires_at.timestamp() == stand_in.CAPTURE_BEFORE
    assert stripe.capture(key="k1", reference=promised.reference, cents=350, at=AT) == (
        promised.reference
    )
    intent = account.intents[promised.reference]
    assert (intent["status"], intent["amount_received"]) == ("succeeded", 350)


def test_the_same_key_moves_money_once_though_the_answer_was_lost(stripe, account):
    promised = promise(stripe)
    account.lose_next_answer = 1
    stripe.capture(key="k1", reference=promised.reference, cents=350, at=AT)
    stripe.capture(key="k1", reference=promised.reference, cents=350, at=AT)
    captures = [path for _verb, path, _form in account.asked if path.endswith("/capture")]
    assert len(captures) == 3
    assert [line["amount"] for line in account.lines] == [350]


def test_silence_is_no_answer_and_the_next_question_finds_what_happened(stripe, account):
    promised = promise(stripe)
    account.lose_next_answer = 2
    with pytest.raises(ProviderUnavailable):
        stripe.capture(key="k1", reference=promised.reference, cents=350, at=AT)
    assert stripe.capture(key="k1", reference=promised.reference, cents=350, at=AT)
    # A day later Stripe has forgotten the key, but not the capture.
    account.answers.clear()
    assert stripe.capture(key="k1", reference=promised.reference, cents=350, at=AT)
    assert [line["amount"] for line in account.lines] == [350]


def days_later(days=2):
    """A key that may have been asked with so long ago."""
    now = datetime.datetime.now(tz=datetime.UTC)
    return {"since": now, "at": now + datetime.timedelta(days=days)}


def test_a_charge_whose_answer_was_lost_for_days_is_found_and_not_made_again(stripe, account):
    account.lose_next_answer = 2
    debt = {"key": "k1", "token": "cus_1/pm_ok", "cents": 350, "currency": "EUR"}
    with pytest.raises(ProviderUnavailable):
        stripe.recapture(**debt, at=AT)
    account.forget_keys()
    found = stripe.recapture(**debt, **days_later())
    assert list(account.intents) == [found]
    assert [line["amount"] for line in account.lines] == [350]


def test_without_looking_first_a_forgotten_key_charges_twice(stripe, account):
    account.lose_next_answer = 2
    debt = {"key": "k1", "token": "cus_1/pm_ok", "cents": 350, "currency": "EUR", "at": AT}
    with pytest.raises(ProviderUnavailable):
        stripe.recapture(**debt)
    account.forget_keys()
    stripe.recapture(**debt)
    assert [line["amount"] for line in account.lines] == [350, 350]


def test_while_it_cannot_be_looked_for_nothing_is_sent_again(stripe, account):
    account.lose_next_answer = 2
    debt = {"key": "k1", "token": "cus_1/pm_ok", "cents": 350, "currency": "EUR"}
    with pytest.raises(ProviderUnavailable):
        stripe.recapture(**debt, at=AT)
    account.forget_keys()
    account.fail_next = 2
    with pytest.raises(ProviderUnavailable):
        stripe.recapture(**debt, **days_later())
    assert [line["amount"] for line in account.lines] == [350]


def test_an_old_key_that_came_to_nothing_is_asked_with_anew(stripe, account):
    other = {"key": "k0", "token": "cus_1/pm_ok", "cents": 100, "currency": "EUR", "at": AT}
    stripe.recapture(**other)
    debt = {"key": "k1", "token": "cus_1/pm_ok", "cents": 350, "currency": "EUR"}
    stripe.recapture(**debt, **days_later())
    assert [line["amount"] for line in account.lines] == [100, 350]


def test_a_promise_and_a_charge_beyond_it_are_looked_for_too(stripe, account):
    terms = {"key": "k1", "token": "cus_1/pm_ok", "cents": 500, "currency": "EUR"}
    first = stripe.authorise(**terms, at=AT)
    account.forget_keys()
    assert stripe.authorise(**terms, **days_later()).reference == first.reference
    dearer = {"key": "k2", "reference": first.reference, "cents": 900}
    place = stripe.capture(**dearer, at=AT)
    account.forget_keys()
    # The answer was lost before it was booked: the same question comes once more.
    assert stripe.capture(**dearer, **days_later()) == place
    assert [line["amount"] for line in account.lines] == [900]


def test_a_refund_whose_answer_was_lost_for_days_is_given_once(stripe, account):
    place = stripe.recapture(key="k1", token="cus_1/pm_ok", cents=700, currency="EUR", at=AT)
    back = {"key": "r1", "reference": place, "cents": 200}
    stripe.refund(**back, at=AT)
    account.forget_keys()
    stripe.refund(**back, **days_later())
    stripe.refund(**{**back, "key": "r2"}, **days_later())
    assert [line["amount"] for line in account.lines] == [700, -200, -200]


def test_a_capture_of_another_amount_is_not_taken_for_ours(stripe, account):
    promised = promise(stripe)
    stripe.capture(key="k1", reference=promised.reference, cents=350, at=AT)
    account.answers.clear()
    with pytest.raises(Declined, match="captured_otherwise"):
        stripe.capture(key="k1", reference=promised.reference, cents=351, at=AT)


@pytest.mark.parametrize("fault", ["in_flight", "fail_next"])
def test_a_fault_at_stripe_or_a_key_in_flight_is_no_answer(fault, stripe, account):
    setattr(account, fault, {"k1"} if fault == "in_flight" else 2)
    with pytest.raises(ProviderUnavailable):
        promise(stripe, key="k1")
    account.in_flight.clear()
    assert promise(stripe, key="k1").reference


def test_nobody_at_the_door_is_no_answer(account, settings):
    settings.STRIPE_API_URL = "http://127.0.0.1:9"
    with pytest.raises(ProviderUnavailable):
        promise(StripeProvider())


def test_a_declined_card_says_why(stripe):
    with pytest.raises(Declined, match="insufficient_funds"):
        promise(stripe, stand_in.DECLINES)


def test_a_card_that_asks_its_owner_pays_after_the_owner_has_answered(stripe, account):
    key = f"trip:{ids.uuid7()}:authorise"
    with pytest.raises(ActionRequired) as asked:
        promise(stripe, stand_in.ASKS, key=key)
    action = asked.value.action
    assert (action.url, action.client_secret) == ("https://bank.example/3ds", "pi_secret")
    with pytest.raises(ActionRequired):
        promise(stripe, stand_in.ASKS, key=key)
    account.intents[action.reference]["status"] = "requires_capture"
    assert promise(stripe, stand_in.ASKS, key=key).reference == action.reference


def test_a_person_who_refuses_at_the_bank_is_declined(stripe, account):
    key = f"trip:{ids.uuid7()}:authorise"
    with pytest.raises(ActionRequired) as asked:
        promise(stripe, stand_in.ASKS, key=key)
    account.intents[asked.value.action.reference] |= {
        "status": "requires_payment_method",
        "last_payment_error": {"code": "payment_intent_authentication_failure"},
    }
    with pytest.raises(Declined, match="authentication_failure"):
        promise(stripe, stand_in.ASKS, key=key)


def test_a_card_that_asks_its_owner_cannot_be_charged_while_they_are_away(stripe):
    with pytest.raises(Declined, match="authentication_required"):
        stripe.recapture(key="k", token=f"cus_1/{stand_in.ASKS}", cents=350, **EUROS)


def test_more_than_promised_is_charged_anew_and_the_promise_released(stripe, account):
    promised = promise(stripe, cents=500)
    place = stripe.capture(key="k1", reference=promised.reference, cents=900, at=AT)
    assert place != promised.reference
    assert account.intents[promised.reference]["status"] == "canceled"
    assert account.intents[place]["amount_received"] == 900
    assert stripe.capture(key="k1", reference=promised.reference, cents=900, at=AT) == place
    assert [line["amount"] for line in account.lines] == [900]


def test_a_lapsed_promise_is_charged_anew(stripe, account):
    promised = promise(stripe)
    account.intents[promised.reference]["status"] = "canceled"
    place = stripe.capture(key="k1", reference=promised.reference, cents=350, at=AT)
    assert account.intents[place]["amount_received"] == 350


def test_a_promise_grows_where_the_card_allows_it(stripe, account):
    promised = promise(stripe, cents=500)
    stripe.increase(key="k2", reference=promised.reference, cents=1500, at=AT)
    assert stripe.capture(key="k1", reference=promised.reference, cents=1400, at=AT) == (
        promised.reference
    )
    stubborn = promise(stripe, stand_in.LAPSES)
    with pytest.raises(Declined):
        stripe.increase(key="k3", reference=stubborn.reference, cents=1500, at=AT)


def test_releasing_twice_or_too_late_is_no_error(stripe, account):
    promised = promise(stripe)
    for key in ("v1", "v2"):
        stripe.void(key=key, reference=promised.reference, at=AT)
    assert account.intents[promised.reference]["status"] == "canceled"


def test_money_goes_back_once_per_key_and_never_more_than_came(stripe, account):
    promised = promise(stripe)
    stripe.capture(key="k1", reference=promised.reference, cents=350, at=AT)
    for _twice in range(2):
        stripe.refund(key="r1", reference=promised.reference, cents=100, at=AT)
    assert [line["amount"] for line in account.lines] == [350, -100]
    with pytest.raises(Declined, match="already_refunded"):
        stripe.refund(key="r2", reference=promised.reference, cents=900, at=AT)


def test_a_card_comes_on_file_by_stripes_page_and_only_for_its_owner(stripe, account):
    setup = stripe.begin_setup(
        owner="user-1", currency="EUR", return_url="http://city.example/account/", at=AT
    )
    assert setup.url.startswith("https://checkout.stripe.example/")
    session = account.sessions[setup.reference]
    assert session["success_url"].endswith("/account/?setup={CHECKOUT_SESSION_ID}")
    with pytest.raises(TokenUnknown):
        stripe.card(token=setup.reference, owner="user-1")
    account.finish_setup(session["setup_intent"])
    card = stripe.card(token=setup.reference, owner="user-1")
    assert card.label == "Visa •••• 4242"
    assert card.token.endswith("/pm_ok")
    with pytest.raises(TokenUnknown):
        stripe.card(token=setup.reference, owner="user-2")


def test_an_app_sets_a_card_up_with_a_secret(stripe, account):
    setup = stripe.begin_setup(owner="user-1", currency="EUR", return_url="", at=AT)
    assert (setup.client_secret, setup.publishable_key) == ("seti_secret", "pk_test_stand_in")
    account.finish_setup(account.setups[setup.reference])
    assert stripe.card(token=setup.reference, owner="user-1").token.endswith("/pm_ok")


@pytest.mark.parametrize("token", ["seti_nobody", "cs_nobody", "pm_card_visa", "cus_1/pm_ok", ""])
def test_bare_ids_and_strangers_tokens_are_not_taken(token, stripe):
    with pytest.raises(TokenUnknown):
        stripe.card(token=token, owner="user-1")


def test_the_statement_names_payments_and_refunds_page_by_page(stripe):
    since = clock.now() - datetime.timedelta(minutes=1)
    promised = promise(stripe, key="trip:1:authorise")
    stripe.capture(key="k1", reference=promised.reference, cents=350, at=AT)
    stripe.refund(key="r1", reference=promised.reference, cents=100, at=AT)
    stripe.recapture(key="k2", token="cus_1/pm_ok", cents=220, **EUROS)
    lines = list(stripe.statement(since=since, until=clock.now() + datetime.timedelta(minutes=1)))
    assert [(line.kind, line.cents, line.fee_cents, line.key) for line in lines] == [
        (LineKind.CAPTURE, 350, 30, "trip:1:authorise"),
        (LineKind.REFUND, -100, 30, "r1"),
        (LineKind.CAPTURE, 220, 30, "k2"),
    ]
    assert lines[0].reference == promised.reference
    assert not list(stripe.statement(since=AT, until=AT + datetime.timedelta(seconds=1)))


def signed(body, *, secret="whsec_stand_in", stamp=None):
    stamp = stamp or int(time.time())
    signature = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    return {"Stripe-Signature": f"t={stamp},v1={signature.hexdigest()}"}


def event(kind, about, **more):
    return json.dumps(
        {
            "id": "evt_1", "object": "event", "type": kind, "created": 1_780_000_000,
            "data": {"object": about}, **more,
        }
    ).encode()  # fmt: skip


INTENT = {
    "object": "payment_intent", "id": "pi_1", "amount": 500, "amount_received": 350,
    "currency": "eur", "metadata": {"key": "trip:1:authorise"},
}  # fmt: skip
REFUND = {
    "object": "refund", "id": "re_1", "amount": 100, "currency": "eur", "payment_intent": "pi_1",
    "metadata": {"key": "r1"}, "status": "succeeded",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "about", "heard"),
    [
        ("payment_intent.succeeded", INTENT, (EventKind.CAPTURED, "pi_1", 350)),
        ("payment_intent.canceled", INTENT, (EventKind.LAPSED, "pi_1", 350)),
        ("refund.updated", REFUND, (EventKind.REFUNDED, "pi_1", 100)),
        ("refund.updated", REFUND | {"status": "failed"}, (EventKind.REFUND_FAILED, "pi_1", 100)),
        (
            "charge.dispute.created",
            {"object": "dispute", "id": "dp_1", "amount": 350, "payment_intent": {"id": "pi_1"}},
            (EventKind.DISPUTED, "pi_1", 350),
        ),
        ("customer.updated", {"object": "customer", "id": "cus_1"}, (EventKind.OTHER, "", 0)),
    ],
)
def test_webhooks_are_read_in_our_words(kind, about, heard, stripe):
    body = event(kind, about)
    read = stripe.parse_webhook(headers=signed(body), body=body, at=AT)
    assert (read.kind, read.reference, read.cents) == heard
    assert read.wire_type == kind


def test_webhooks_that_are_not_stripes_are_refused(stripe, settings):
    body = event("payment_intent.succeeded", INTENT)
    wrong = [
        ({}, body),
        (signed(body, secret="whsec_other"), body),
        (signed(body, stamp=int(time.time()) - 3600), body),
        (signed(body), body.replace(b"350", b"950")),
        (signed(b"[]"), b"[]"),
        (signed(b"{"), b"{"),
        (signed(b"\xff"), b"\xff"),
    ]
    for headers, text in wrong:
        with pytest.raises(WebhookRefused):
            stripe.parse_webhook(headers=headers, body=text, at=AT)
    settings.STRIPE_WEBHOOK_SECRET = ""
    with pytest.raises(WebhookRefused):
        stripe.parse_webhook(headers=signed(body, secret=""), body=body, at=AT)
