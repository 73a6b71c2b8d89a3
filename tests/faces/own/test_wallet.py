"""The wallet: cards, credit, passes, codes, documents, fees; what costs money happens once."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from bookings.passes.models import Pass, PassProduct, PromoCode, PromoRedemption
from bookings.payments.models import Fee, FeeKind, Payment, PaymentMethod, Receipt
from bookings.payments.providers.local.cards import CARDS
from bookings.payments.services import announce_fee, propose_fee
from bookings.payments.states import FeeState, PaymentState
from mobility.accounts.models import Organisation, User
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.bookings.payments.conftest import line

pytestmark = pytest.mark.django_db
Card = Callable[..., None]

WALLET, CREDIT, PASSES = "/wallet/", "/wallet/credit/", "/wallet/passes/"


def words(browser: Client, address: str = WALLET) -> str:
    return browser.get(address).content.decode()


def attempt(page: str) -> str:
    found = re.search(r'name="attempt" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_card_is_put_on_file_chosen_and_taken_off(
    browser: Client, giulia: User, card: Card
) -> None:
    card(giulia)
    browser.post("/wallet/cards/", {"token": "demo-first-capture-fails"})
    first, second = PaymentMethod.objects.filter(user=giulia).order_by("pk")
    assert (first.is_default, second.is_default) == (False, True)
    assert CARDS["demo-ok"].label in words(browser)

    browser.post(f"/wallet/cards/{first.public_id}/", {"choose": "1"})
    browser.post(f"/wallet/cards/{second.public_id}/", {"remove": "1"})

    [left] = PaymentMethod.objects.filter(user=giulia).usable()
    assert (left.pk, left.is_default) == (first.pk, True)


def test_a_card_that_the_provider_does_not_know_is_refused_in_words(browser: Client) -> None:
    answer = browser.post("/wallet/cards/", {"token": "nobody"}, follow=True)

    assert answer.redirect_chain == [(WALLET, 303)]
    assert "notice error" in answer.content.decode()
    assert not PaymentMethod.objects.exists()


def test_nobody_touches_somebody_elses_card(stranger: Client, giulia: User, card: Card) -> None:
    card(giulia)
    mine = PaymentMethod.objects.get(user=giulia)

    stranger.post(f"/wallet/cards/{mine.public_id}/", {"remove": "1"})

    assert PaymentMethod.objects.filter(user=giulia).usable().exists()


def test_credit_is_bought_once_however_often_the_button_is_tapped(
    browser: Client, giulia: User, ruote: Organisation, card: Card, collect: Callable[[], None]
) -> None:
    card(giulia)
    told = {
        "attempt": attempt(words(browser, CREDIT)),
        "organisation": str(ruote.public_id),
        "euros": "20.00",
    }

    first, second = browser.post(CREDIT, told), browser.post(CREDIT, told)

    assert first.headers["Location"] == second.headers["Location"]
    payment = Payment.objects.get()
    assert "Your card is being asked" in words(browser, first.headers["Location"])
    collect()
    assert "Your credit is there." in words(browser, first.headers["Location"])
    payment.refresh_from_db()
    assert payment.state == PaymentState.CAPTURED
    assert "€20.00" in words(browser)
    assert "Topped up" in words(browser, f"/wallet/credit/at/{ruote.public_id}/")


def test_limits_of_a_top_up_are_said_in_euros(
    browser: Client, giulia: User, ruote: Organisation, card: Card
) -> None:
    card(giulia)
    told = {"attempt": "one", "organisation": str(ruote.public_id), "euros": "1"}

    answer = browser.post(CREDIT, told)

    assert answer.status_code == 422
    assert "You can top up between €5.00 and €200.00." in answer.content.decode()


def test_a_bank_that_asks_first_is_shown_and_asked_again(
    browser: Client, stranger: Client, giulia: User, ruote: Organisation, card: Card
) -> None:
    card(giulia, "demo-asks")
    told = {"attempt": "one", "organisation": str(ruote.public_id), "euros": "10"}

    address = browser.post(CREDIT, told).headers["Location"]

    page = words(browser, address)
    assert "Your bank wants to hear from you first." in page
    assert "/demo-bank/" in page
    bank = re.search(r'href="([^"]*/demo-bank/[^"]+)"', page)
    assert bank
    Client().post(bank[1], {"answer": "approve"})
    browser.post(address)
    assert "Your card is being asked" in words(browser, address)
    assert stranger.get(address).status_code == 404


def week(ruote: Organisation) -> PassProduct:
    return PassProduct.objects.create(
        organisation=ruote,
        code="week",
        title={"it": "Settimana", "en": "Week"},
        vehicle_kinds=["scooter"],
        shape="bundle",
        minutes=100,
        free_unlock=True,
        days=7,
        price_cents=1699,
        vat_rate="0.22",
    )


def test_a_pass_is_bought_once_renewed_and_given_back(
    browser: Client, giulia: User, ruote: Organisation, card: Card, collect: Callable[[], None]
) -> None:
    card(giulia)
    product = week(ruote)
    page = words(browser, PASSES)
    assert "Buy for €16.99" in page
    assert "100 minutes to ride" in page
    told = {"attempt": attempt(page), "product": str(product.public_id)}

    answers = [browser.post(PASSES, told) for _ in range(2)]

    assert {one.status_code for one in answers} == {303}
    bought = Pass.objects.get()
    collect()
    assert "100 minutes left" in words(browser, PASSES)
    browser.post(f"{PASSES}{bought.public_id}/", {"auto_renew": "on"})
    bought.refresh_from_db()
    assert bought.auto_renew
    browser.post(f"{PASSES}{bought.public_id}/", {"give_back": "1"})
    bought.refresh_from_db()
    assert bought.state == "refunded"


def test_without_a_card_buying_a_pass_says_so(browser: Client, ruote: Organisation) -> None:
    told = {"attempt": "one", "product": str(week(ruote).public_id)}

    answer = browser.post(PASSES, told, follow=True)

    assert "notice error" in answer.content.decode()
    assert not Pass.objects.exists()


def test_a_code_is_redeemed_and_a_wrong_one_is_said_at_its_field(
    browser: Client, giulia: User, ruote: Organisation
) -> None:
    at = clock.now()
    PromoCode.objects.create(
        organisation=ruote,
        code="WELCOME",
        title={"en": "Welcome"},
        vehicle_kinds=["scooter"],
        cents=500,
        valid=(at.replace(year=at.year - 1), at.replace(year=at.year + 1)),
    )

    wrong = browser.post("/wallet/codes/", {"code": "NOPE"})
    browser.post("/wallet/codes/", {"code": "welcome"})

    assert wrong.status_code == 404
    assert 'id="id_code_error"' in wrong.content.decode()
    assert PromoRedemption.objects.filter(user=giulia).count() == 1
    assert "WELCOME" in words(browser, PASSES)


def test_receipts_are_listed_and_one_becomes_an_invoice(
    browser: Client, stranger: Client, giulia: User, sell: Callable[..., Payment]
) -> None:
    sell(giulia, line(350))
    receipt = Receipt.objects.get()
    page = words(browser, "/wallet/receipts/")
    assert receipt.number in page
    assert receipt.number not in words(stranger, "/wallet/receipts/")
    address = f"/wallet/receipts/{receipt.public_id}/invoice/"

    assert browser.post(address).headers["Location"] == "/wallet/billing/"
    told = {
        "name": "Giulia Rossi", "tax_code": "rssglI90A41F205X", "address": "Corso Lodi 1",
        "postcode": "20135", "town": "Milano", "province": "mi", "country": "it",
    }  # fmt: skip
    refused = browser.post("/wallet/billing/", told)
    assert refused.status_code == 422
    assert 'id="id_tax_code_error"' in refused.content.decode()
    right = told | {"tax_code": "RSSMRA85T10A562S"}
    assert browser.post("/wallet/billing/", right).status_code == 303
    browser.post(address)
    stranger.post(address)

    assert Receipt.objects.filter(kind="invoice").count() == 1


def test_a_debt_is_shown_and_paid_with_another_card(
    browser: Client, giulia: User, card: Card, sell: Callable[..., Payment],
    collect: Callable[[], None],
) -> None:  # fmt: skip
    payment = sell(giulia, line(350), token="demo-capture-fails")
    assert payment.state == PaymentState.DUE
    assert "are still open" in words(browser)
    card(giulia, "demo-ok")

    browser.post(f"/wallet/pay/{payment.public_id}/")

    collect()
    payment.refresh_from_db()
    assert payment.state == PaymentState.CAPTURED
    assert "are still open" not in words(browser)


def test_a_fee_is_objected_to_and_waits(
    browser: Client, stranger: Client, giulia: User, ruote: Organisation
) -> None:
    FeeKind.objects.create(
        organisation=ruote, code="bad_parking", title={"en": "Bad parking"}, cents=2500
    )
    fee = propose_fee(
        organisation_id=ruote.pk, user_id=giulia.pk, kind="bad_parking", about=ids.uuid7(),
        reason="On the tram tracks", evidence=[], at=clock.now(), by=SYSTEM,
    )  # fmt: skip
    assert fee is not None
    assert "On the tram tracks" not in words(browser, "/wallet/fees/"), "only proposed"
    announce_fee(fee_id=fee.public_id, at=clock.now(), by=SYSTEM)
    told = {"fee": str(fee.public_id), "text": "The map said I could."}
    assert "On the tram tracks" in words(browser, "/wallet/fees/")

    stranger.post("/wallet/fees/", told)
    assert Fee.objects.get().state == FeeState.NOTICED
    browser.post("/wallet/fees/", told)

    assert Fee.objects.get().state == FeeState.DISPUTED
