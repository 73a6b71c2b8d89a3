"""A debt is written about and paid by a link, without an account."""

import datetime
import re

import pytest
from django.test import Client

from bookings.payments import services, tasks
from bookings.payments.models import PayLink, Payment
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.bookings.payments.conftest import line

pytestmark = pytest.mark.django_db


@pytest.fixture
def owed(charged, collect, mailoutbox, django_capture_on_commit_callbacks):
    """Giulia's card refused; returns the payment and the address she was sent."""
    payment = charged(line(350), token="demo-capture-fails")
    with django_capture_on_commit_callbacks(execute=True):
        collect()
    (letter,) = mailoutbox
    found = re.search(r"/pay/([\w-]+)", letter.body)
    assert found is not None
    return payment, found.group(1)


def test_the_letter_says_what_is_owed_and_opens_the_page(owed, client):
    _payment, token = owed
    page = client.get(f"/pay/{token}")
    assert page.status_code == 200
    assert "3.50" in page.content.decode() or "3,50" in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    assert "giulia" not in page.content.decode().lower(), "nothing about the person"


def test_only_the_hash_of_the_address_is_kept(owed):
    _payment, token = owed
    assert token not in PayLink.objects.get().token_hash


def test_a_debt_is_paid_on_the_page_with_a_card_that_is_not_kept(owed, client, collect, giulia):
    payment, token = owed
    english = {"headers": {"Accept-Language": "en"}}
    answer = client.post(f"/pay/{token}", {"card": "demo-ok"}, follow=True, **english)
    assert "being asked" in answer.content.decode()
    collect()
    assert "Paid. Thank you!" in client.get(f"/pay/{token}", **english).content.decode()
    payment.refresh_from_db()
    assert (payment.state, payment.method.label) == ("captured", "Demo •••• 4242")
    assert [method.label for method in giulia.payment_methods.usable()] == ["Demo •••• 0341"]


def test_a_program_pays_by_link_too(owed, api, collect):
    payment, token = owed
    nobody, address = api(None), f"/api/v1/pay/{token}"
    assert nobody.get(address).json()["amount_cents"] == 350
    unknown = nobody.post(address, {"card": "stolen"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "card_unknown")
    assert nobody.post(address, {"card": "demo-ok"}).json()["state"] == "capturing"
    again = nobody.post(address, {"card": "demo-ok"})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_due")
    collect()
    payment.refresh_from_db()
    assert payment.state == "captured"


def test_a_form_from_elsewhere_is_refused(owed):
    _payment, token = owed
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/pay/{token}", {"card": "demo-ok"}).status_code == 403


@pytest.mark.parametrize("address", ["/pay/{}", "/api/v1/pay/{}"])
def test_guessed_and_expired_addresses_open_nothing(owed, client, travel, address):
    _payment, token = owed
    assert client.get(address.format("x" * 43)).status_code == 404
    PayLink.objects.update(expires_at=clock.now() + datetime.timedelta(days=1))
    travel.shift(datetime.timedelta(days=1))
    assert client.get(address.format(token)).status_code == 410


def test_the_card_is_asked_on_four_days_and_a_letter_goes_out_each_time(
    charged, collect, travel, mailoutbox, django_capture_on_commit_callbacks
):
    payment = charged(line(350), token="demo-capture-fails")
    with django_capture_on_commit_callbacks(execute=True):
        for _day in range(10):
            collect()
            travel.shift(datetime.timedelta(days=1))
    assert len(mailoutbox) == 4
    payment.refresh_from_db()
    assert (payment.state, payment.next_attempt_at) == ("due", None)


def test_who_has_paid_gets_no_letter(owed, mailoutbox, card, giulia, collect, relay):
    payment, _token = owed
    card(giulia)
    services.pay_debt(payment_id=payment.pk, at=clock.now(), by=giulia.principal)
    collect()
    services.remind_of_debt(payment_id=payment.public_id, at=clock.now())
    assert (len(mailoutbox), PayLink.objects.count()) == (1, 1)
    assert Payment.objects.get().state == "captured"


def test_addresses_that_are_of_no_use_any_more_are_forgotten(travel, owed, client):
    _payment, token = owed
    travel.shift(datetime.timedelta(days=15))
    assert tasks.forget_links() == 0
    assert client.get(f"/pay/{token}").status_code == 410
    travel.shift(datetime.timedelta(days=90))
    assert tasks.forget_links() == 1
    assert not PayLink.objects.exists()


def test_the_address_of_what_is_paid_goes_when_it_expires(travel, owed):
    payment, _token = owed
    services.write_off(payment_id=payment.pk, reason="ours", at=clock.now(), by=SYSTEM)
    assert tasks.forget_links() == 0
    travel.shift(datetime.timedelta(days=15))
    assert tasks.forget_links() == 1
