"""Putting cards on file, and what production says before anybody can."""

import pytest

from bookings.payments.models import Payment, PaymentMethod
from bookings.payments.providers.checks import payments_are_real
from tests.bookings.payments.conftest import line
from tests.bookings.payments.providers import stripe_stand_in

SETUP = "/api/v1/payment-methods/setup"
CARDS = "/api/v1/payment-methods"


@pytest.fixture
def account(settings):
    with stripe_stand_in.stand_in() as (account, address):
        settings.STRIPE_SECRET_KEY = "sk_test_stand_in"
        settings.STRIPE_API_URL = address
        settings.PAYMENT_PROVIDER = "stripe"
        yield account


@pytest.mark.django_db
def test_the_demonstration_provider_has_nothing_to_set_up(api, giulia):
    begun = api(giulia).post(SETUP, {})
    assert (begun.status_code, begun.json()["provider"]) == (201, "local")
    assert not begun.json()["url"]
    assert api(None).post(SETUP, {}).status_code == 401


@pytest.mark.django_db
def test_a_key_makes_a_card_one_and_holds_no_transaction_while_the_provider_is_asked(api, giulia):
    phone = api(giulia)
    assert phone.post(SETUP, {}, headers={"Idempotency-Key": "begin"}).status_code == 201
    told = {"path": CARDS, "data": {"token": "demo-ok"}, "headers": {"Idempotency-Key": "keep"}}
    first, again = phone.post(**told), phone.post(**told)
    assert (first.status_code, again.content) == (201, first.content)
    assert PaymentMethod.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "back", ["https://evil.example/account/", "http://127.0.0.1:8000.evil.example/", "javascript:x"]
)
def test_the_provider_sends_people_back_to_our_pages_only(back, api, giulia):
    assert api(giulia).post(SETUP, {"return_url": back}).status_code in (400, 422)


@pytest.mark.django_db
def test_giulia_types_her_card_in_at_stripe_and_pays_with_it(account, api, giulia, piero, sell):
    phone = api(giulia)
    begun = phone.post(SETUP, {"return_url": "http://127.0.0.1:8000/account/"}).json()
    assert begun["url"].startswith("https://checkout.stripe.example/")
    too_early = phone.post(CARDS, {"token": begun["reference"]})
    assert (too_early.status_code, too_early.json()["code"]) == (422, "card_unknown")
    account.finish_setup(account.sessions[begun["reference"]]["setup_intent"])
    stolen = api(piero).post(CARDS, {"token": begun["reference"]})
    assert stolen.json()["code"] == "card_unknown"
    for _tap in range(2):
        card = phone.post(CARDS, {"token": begun["reference"]}).json()
    assert (card["provider"], card["label"]) == ("stripe", "Visa •••• 4242")
    method = PaymentMethod.objects.get(user=giulia)
    paid = sell(giulia, line(350), token=method.token)
    assert (paid.state, paid.provider, paid.captured_cents) == ("captured", "stripe", 350)
    assert account.intents[paid.provider_ref]["amount_received"] == 350


@pytest.mark.django_db
def test_a_provider_that_is_silent_says_try_again(api, giulia, settings):
    settings.STRIPE_SECRET_KEY, settings.PAYMENT_PROVIDER = "sk_test_stand_in", "stripe"
    settings.STRIPE_API_URL = "http://127.0.0.1:9"
    for address, body in ((SETUP, {}), (CARDS, {"token": "seti_1"})):
        refused = api(giulia).post(address, body)
        assert (refused.status_code, refused.json()["code"]) == (503, "card_not_checked")


@pytest.mark.django_db
def test_cards_stay_with_whoever_holds_them(account, sell, giulia, settings):
    settings.PAYMENT_PROVIDER = "local"
    assert sell(giulia, line(350)).provider == "local"
    settings.PAYMENT_PROVIDER = "stripe"
    assert sell(giulia, line(220)).provider == "local"
    assert set(Payment.objects.values_list("state", flat=True)) == {"captured"}


def test_production_is_told_that_nobody_can_pay(settings):
    def warned():
        return [message.id for message in payments_are_real(app_configs=None)]

    settings.DEMO_PAYMENTS, settings.STRIPE_SECRET_KEY = False, ""
    assert warned() == ["payments.W002"]
    settings.DEMO_PAYMENTS, settings.PAYMENT_PROVIDER = True, "local"
    assert warned() == ["payments.W001"]
    settings.DEMO_PAYMENTS, settings.PAYMENT_PROVIDER = False, "stripe"
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_live_x", ""
    assert warned() == ["payments.W003"]
    settings.STRIPE_WEBHOOK_SECRET = "whsec_x"
    assert warned() == []
