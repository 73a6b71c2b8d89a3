"""Dario has no account: a sticker, a card, and a link that opens his own charge and no other."""

import datetime
import re

import pytest
from django.core import mail
from django.utils import translation

from bookings.payments.models import LedgerEntry, Payment
from bookings.payments.providers.wire import CardSetup
from bookings.recharges import services, tasks, views
from bookings.recharges.models import ConnectorCode, GuestPass, Recharge
from bookings.recharges.services import guests, receipts
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.principals import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def code(charger, socket):
    services.issue_missing_codes(at=clock.now(), by=SYSTEM)
    return ConnectorCode.objects.get(connector=socket).code


@pytest.fixture
def dario(api, code):
    """Dario's phone, without any account; `order(email=…)` starts a charge."""
    phone = api(None)

    def order(key="", **wish):
        headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
        body = {"code": code, "card": "demo-ok", **wish}
        return phone.post("/api/v1/ad-hoc-recharges", body, **headers)

    phone.order = order
    return phone


def test_from_the_sticker_to_the_receipt_by_mail(
    dario, answer, plug_in, flow, unplug, collect, giulia, api, monkeypatch
):
    begun = dario.order(email="dario@example.org", limit_cents=1000, language="en")
    assert begun.status_code == 201, begun.content
    told = begun.json()
    assert (told["state"], told["origin"], told["preauth_cents"]) == ("starting", "ad_hoc", 1000)
    assert begun["Cache-Control"] == "no-store"
    address = f"/api/v1/ad-hoc-recharges/{told['secret']}"
    assert told["watch_url"].endswith(f"/charge/go/{told['secret']}/")
    answer("accepted")
    transaction = plug_in()
    flow(transaction, 3_000, minutes=17)
    live = dario.get(address).json()
    assert (live["state"], live["energy_wh"], live["power_w"]) == ("charging", 3_000, 11_000)
    assert live["cost_so_far_cents"] == 180
    assert dario.post(f"{address}/stop").json()["state"] == "stopping"
    answer("accepted")
    unplug(transaction, 3_000)
    collect()
    assert dario.get(address).json()["state"] == "settled"
    assert dario.get(f"{address}/receipt").json()["total_cents"] == 180
    with monkeypatch.context() as broken:
        broken.setattr(receipts, "render_pdf", lambda _sheet: 1 // 0)
        assert tasks.send_receipts() == 0
    assert (tasks.send_receipts(), tasks.send_receipts()) == (1, 0)
    (letter,) = mail.outbox
    assert letter.to == ["dario@example.org"]
    assert "1.80" in letter.body
    assert "colonnine/R/2026/000001" in letter.body
    ((name, paper, kind),) = letter.attachments
    assert (name, kind) == ("colonnine-R-2026-000001.pdf", "application/pdf")
    assert paper.startswith(b"%PDF")
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == 0


def test_nobody_sees_or_stops_anothers_charge(dario, api, giulia, elena):
    secret = dario.order().json()["secret"]
    recharge = Recharge.objects.get()
    address = f"/api/v1/ad-hoc-recharges/{secret}"
    for wrong in (secret[:-1], secret[::-1], str(recharge.public_id), "x"):
        for path in ("", "/receipt"):
            assert dario.get(f"/api/v1/ad-hoc-recharges/{wrong}{path}").status_code == 404
        assert dario.post(f"/api/v1/ad-hoc-recharges/{wrong}/stop").status_code == 404
    for person in (giulia, elena):
        assert api(person).get(f"/api/v1/recharges/{recharge.public_id}").status_code == 404
    assert dario.get(address).status_code == 200
    assert secret not in GuestPass.objects.get().secret_hash


def test_a_guest_cannot_log_in_and_has_no_address(dario, client):
    dario.order(email="dario@example.org")
    guest = Recharge.objects.get().user
    assert (guest.is_active, guest.has_usable_password(), guest.name) == (False, False, "")
    assert re.fullmatch(r"[0-9a-f-]{36}@guest\.invalid", guest.email)


def test_the_same_key_is_the_same_charge_to_the_byte(dario):
    first = dario.order(key="tap-1")
    second = dario.order(key="tap-1")
    assert (first.status_code, second.content) == (201, first.content)
    assert Recharge.objects.count() == 1
    assert dario.order(key="tap-2").json()["code"] == "connector_busy"


def test_a_declined_card_starts_nothing(dario):
    refused = dario.order(card="demo-declined")
    assert (refused.status_code, refused.json()["code"]) == (402, "payment_declined")
    assert dario.order(card="no-such-card").json()["code"] == "card_unknown"
    assert dario.order().status_code == 201


def test_the_code_turns_over_and_the_old_one_leads_on_for_a_week(
    api, luca, scossa, dario, socket, code, travel
):
    address = f"/api/v1/charging/connectors/{socket.public_id}/code"
    assert api(scossa).post(address).status_code == 404
    assert api(None).post(address).status_code in {401, 403}
    fresh = api(luca).post(address).json()
    assert fresh["code"] != code
    assert fresh["url"].endswith(f"/charge/{fresh['code']}/")
    assert dario.get("/api/v1/recharge-quotes", {"code": code}).status_code == 200
    travel.shift(datetime.timedelta(days=8))
    assert dario.order().json()["code"] == "charging_code_not_found"
    leaked = api(luca).post(address, {"at_once": True}).json()
    assert dario.get("/api/v1/recharge-quotes", {"code": fresh["code"]}).status_code == 404
    listed = api(luca).get("/api/v1/charging/connector-codes").json()["results"]
    assert leaked["code"] in {row["code"] for row in listed}
    assert len(listed) == 2
    paper = api(luca).get("/api/v1/charging/stickers.pdf")
    assert paper["Content-Type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF")
    # Scossa has no connectors, so there is less on paper.
    empty = api(scossa).get("/api/v1/charging/stickers.pdf").content
    assert len(empty) < len(paper.content)


def test_a_debt_of_a_guest_is_paid_from_the_same_page(
    dario, client, answer, plug_in, flow, unplug, collect
):
    secret = dario.order(card="demo-capture-fails").json()["secret"]
    answer("accepted")
    transaction = plug_in()
    flow(transaction, 3_000, minutes=17)
    unplug(transaction, 3_000)
    collect()
    page = client.get(f"/charge/go/{secret}/")
    assert b"guest-pay" in page.content or b"/pay/" in page.content
    client.post(f"/charge/go/{secret}/pay/", {"card": "demo-ok"})
    collect()
    assert Payment.objects.get().state == "captured"


def test_the_whole_journey_works_on_plain_pages(
    client, code, answer, plug_in, flow, unplug, collect
):
    with translation.override("en"):
        start = client.get(f"/charge/{code}/", HTTP_ACCEPT_LANGUAGE="en")
    text = start.content.decode()
    assert text.index("/ kWh") < text.index("Start of the charge")
    assert "<script>" not in text
    attempt = start.context["form"].initial["attempt"]
    order = {"attempt": attempt, "card": "demo-ok", "limit": "5", "email": ""}
    first = client.post(f"/charge/{code}/", order)
    second = client.post(f"/charge/{code}/", order)
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert Recharge.objects.get().limit_cents == 500
    page = first["Location"]
    answer("accepted")
    transaction = plug_in()
    flow(transaction, 3_000, minutes=17)
    watched = client.get(page, HTTP_ACCEPT_LANGUAGE="en")
    assert 'http-equiv="refresh"' in watched.content.decode()
    assert (watched["Referrer-Policy"], watched["Cache-Control"]) == ("same-origin", "no-store")
    assert client.post(f"{page}stop/").status_code == 302
    answer("accepted")
    unplug(transaction, 3_000)
    collect()
    done = client.get(page).content.decode()
    assert 'http-equiv="refresh"' not in done
    receipt = client.get(f"{page}receipt/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "€1.80" in receipt
    italian = client.get(f"/charge/{code}/", HTTP_ACCEPT_LANGUAGE="it").content.decode()
    assert 'lang="it"' in italian


def test_a_page_says_why_not(client, code, dario):
    assert client.get("/charge/NOSUCHCODE/").status_code == 404
    assert client.get("/charge/go/nothing/").status_code == 404
    assert (
        client.post(f"/charge/{code}/", {"attempt": "forged", "card": "demo-ok"}).status_code == 422
    )
    dario.order()
    busy = client.get(f"/charge/{code}/")
    assert b"disabled" in busy.content
    attempt = busy.context["form"].initial["attempt"]
    refused = client.post(f"/charge/{code}/", {"attempt": attempt, "card": "demo-ok"})
    assert refused.status_code == 409


def test_too_many_tries_are_told_to_wait(client, code):
    page, outside = f"/charge/{code}/", "203.0.113.9"
    answers = [client.get(page, REMOTE_ADDR=outside).status_code for _try in range(21)]
    assert answers[:20] == [200] * 20
    assert answers[20] == 429


def test_guests_are_forgotten_when_nobody_needs_them(dario, travel, api):
    dario.order(card="no-such-card")
    dario.order(email="dario@example.org")
    GuestPass.objects.update(receipt_sent_at=clock.now())
    assert User.objects.filter(email__endswith="@guest.invalid").count() == 2
    # The account's own date is the database clock's, which no test moves.
    User.objects.update(date_joined=clock.now())
    travel.shift(datetime.timedelta(days=31))
    assert tasks.forget_guests() == {"addresses": 1, "people": 1}
    assert Recharge.objects.get().user.email.endswith("@guest.invalid")


def test_a_provider_with_a_page_of_its_own_asks_for_the_card_and_comes_back(
    client, code, monkeypatch
):
    asked = []

    def begin(*, return_url, **_terms):
        asked.append(return_url)
        return CardSetup(reference="cs_1", url="https://cards.example/cs_1")

    monkeypatch.setattr(guests, "begin_card_setup", begin)
    monkeypatch.setattr(views, "provider_for_new_cards", lambda: "elsewhere")
    attempt = client.get(f"/charge/{code}/").context["form"].initial["attempt"]
    page = client.post(f"/charge/{code}/", {"attempt": attempt, "limit": "5", "email": ""})
    assert 'href="https://cards.example/cs_1"' in page.content.decode()
    assert not Recharge.objects.exists()
    (back,) = asked
    assert client.get(f"{back[:-1]}x/?setup=demo-ok").status_code == 410
    begun = client.get(f"{back}?setup=demo-ok")
    again = client.get(f"{back}?setup=demo-ok")
    assert begun["Location"] == again["Location"]
    recharge = Recharge.objects.get()
    assert (recharge.limit_cents, recharge.payment.state) == (500, "authorised")
    assert client.get(begun["Location"]).status_code == 200


def test_a_bank_that_asks_is_answered_from_the_charges_own_page(client, code):
    attempt = client.get(f"/charge/{code}/").context["form"].initial["attempt"]
    sent = client.post(f"/charge/{code}/", {"attempt": attempt, "card": "demo-asks"})
    page = client.get(sent["Location"])
    assert 'http-equiv="refresh"' not in page.content.decode()
    client.post(page.context["action"]["url"], {"answer": "approve"})
    assert client.post(sent["Location"]).status_code == 302
    assert Recharge.objects.get().commands == 1
