"""What staff find and do in the admin of passes, codes and verified discounts."""

import datetime

import pytest
from django.test import Client

from bookings.passes.models import DiscountStatus, Pass, PassProduct, PromoCode
from bookings.payments.models import Payment
from mobility.core import clock
from mobility.core.models import AuditEntry
from tests.bookings.passes.test_codes import ride_of

pytestmark = pytest.mark.django_db

PAGES = ("passproduct", "pass", "promocode", "promoredemption", "discountstatus", "perkuse")


@pytest.fixture
def desk():
    """`desk(marco)` is Marco's browser."""

    def sit_down(user):
        browser = Client(headers={"accept-language": "en"})
        browser.force_login(user)
        return browser

    return sit_down


@pytest.fixture
def lived(rider, giulia, ruote, week, promo, buy):
    """Giulia has bought a pass, redeemed a code, is verified, and has ridden."""
    buy(rider, week)
    promo("WELCOME", cents=50)
    rider.post("/api/v1/promo-codes/redeem", {"code": "WELCOME"})
    tomorrow = clock.now() + datetime.timedelta(days=1)
    DiscountStatus.objects.create(user=giulia, organisation=ruote, verified_until=tomorrow)
    ride_of(giulia, ruote, "trip:1", 110 * 60)


@pytest.mark.parametrize("page", PAGES)
def test_marco_sees_his_rows_and_strangers_none(page, lived, desk, marco, rivale, sara):
    listed = desk(marco).get(f"/admin/bookings/{page}/")
    (row,) = listed.context["cl"].result_list
    assert desk(marco).get(f"/admin/bookings/{page}/{row.pk}/change/").status_code == 200
    strange = desk(rivale).get(f"/admin/bookings/{page}/")
    assert len(strange.context["cl"].result_list) == 0
    assert desk(sara).get(f"/admin/bookings/{page}/").status_code == 403


def test_marco_writes_a_code_and_the_form_says_what_is_wrong_with_it(desk, marco, ruote):
    form = {
        "organisation": ruote.pk,
        "code": " spring ",
        "title_en": "Spring",
        "vehicle_kinds": ["scooter", "bicycle"],
        "valid_0_0": "2026-03-01",
        "valid_0": "2026-03-01 00:00:00",
        "valid_1": "",
        "percent": 10,
        "cents": 0,
        "minutes": 0,
        "per_person_max": 1,
    }
    browser = desk(marco)
    refused = browser.post("/admin/bookings/promocode/add/", {**form, "cents": 5})
    assert refused.status_code == 200
    assert "exactly one" in refused.content.decode()
    saved = browser.post("/admin/bookings/promocode/add/", form)
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    assert PromoCode.objects.get().code == "SPRING"
    again = browser.post("/admin/bookings/promocode/add/", {**form, "code": "Spring"})
    assert "exists already" in again.content.decode()
    assert AuditEntry.objects.filter(row__startswith="bookings.promocode").exists()


def test_elena_verifies_a_person_by_address_and_prolongs_it(desk, elena, giulia, comune):
    browser = desk(elena)
    form = {
        "organisation": comune.pk,
        "email": "Giulia@demo.example",
        "verified_until_0": "2027-06-30",
        "verified_until_1": "00:00:00",
    }
    address = "/admin/bookings/discountstatus/add/"
    unknown = browser.post(address, {**form, "email": "nobody@demo.example"})
    assert "Nobody is registered" in unknown.content.decode()
    assert browser.post(address, form).status_code == 302
    assert DiscountStatus.objects.get().user == giulia
    assert "verified already" in browser.post(address, form).content.decode()


def test_a_pass_is_not_typed_and_marco_takes_an_unused_one_back(
    rider, week, buy, desk, marco, collect
):
    buy(rider, week)
    bought = Pass.objects.get()
    browser = desk(marco)
    assert browser.get("/admin/bookings/pass/add/").status_code == 403
    page = f"/admin/bookings/pass/{bought.pk}/change/"
    assert browser.post(page, {"state": "ended"}).status_code == 403
    deed = {"action": "take_back", "_selected_action": [bought.pk]}
    browser.post("/admin/bookings/pass/", deed)
    collect()
    bought.refresh_from_db()
    assert bought.state == "refunded"
    assert Payment.objects.get().refunded_cents == 1699


def test_marco_puts_a_pass_on_sale_and_its_edits_are_kept(desk, marco, ruote):
    form = {
        "organisation": ruote.pk,
        "code": "day",
        "title_en": "Day",
        "vehicle_kinds": ["scooter"],
        "shape": "bundle",
        "minutes": 0,
        "days": 1,
        "price_cents": 499,
        "currency": "EUR",
        "vat_rate": "0.22",
        "on_sale": "on",
    }
    browser = desk(marco)
    refused = browser.post("/admin/bookings/passproduct/add/", form)
    assert "at least one minute" in refused.content.decode()
    assert (
        browser.post("/admin/bookings/passproduct/add/", {**form, "minutes": 30}).status_code == 302
    )
    assert PassProduct.objects.get().minutes == 30
    assert AuditEntry.objects.filter(row__startswith="bookings.passproduct").exists()


@pytest.fixture
def edit(desk, marco):
    """`edit(code, cents=500)`: Marco saves the code's page with these fields changed."""

    def save(code, **changes):
        form = {
            "organisation": code.organisation_id,
            "code": code.code,
            "title_en": "Welcome",
            "vehicle_kinds": ["scooter"],
            "valid_0": "2020-01-01 00:00:00",
            "valid_1": "",
            "percent": code.percent,
            "cents": code.cents,
            "minutes": code.minutes,
            "most_cents": "",
            "per_person_max": 1,
            "budget_cents": "" if code.budget_cents is None else code.budget_cents,
        }
        answer = desk(marco).post(f"/admin/bookings/promocode/{code.pk}/change/", form | changes)
        code.refresh_from_db()
        return answer

    return save


def test_what_a_redeemed_code_gives_is_not_changed_under_who_has_it(
    rider, giulia, ruote, promo, edit
):
    code = promo("FIRM", cents=200, budget_cents=200)
    assert edit(code, cents=150).status_code == 302
    assert code.cents == 150
    rider.post("/api/v1/promo-codes/redeem", {"code": "FIRM"})
    assert edit(code, cents=5000).status_code == 302
    assert code.cents == 150
    assert ride_of(giulia, ruote, "trip:1", 3600) == 1200 - 150


def test_a_code_without_a_budget_gets_none_once_people_have_it(rider, giulia, ruote, promo, edit):
    code = promo("OPEN", cents=300)
    rider.post("/api/v1/promo-codes/redeem", {"code": "OPEN"})
    assert edit(code, budget_cents=100).status_code == 302
    assert code.budget_cents is None
    assert ride_of(giulia, ruote, "trip:1", 3600) == 1200 - 300


def test_a_budget_below_what_is_gone_is_refused_in_words(rider, promo, edit):
    code = promo("LESS", cents=200, budget_cents=1000, redemptions_max=5)
    rider.post("/api/v1/promo-codes/redeem", {"code": "LESS"})
    refused = edit(code, budget_cents=100)
    assert refused.status_code == 200
    assert "promised or spent" in refused.content.decode()
    assert code.budget_cents == 1000
