"""Passes: bought, ridden on, renewed, ended, given back."""

import datetime

import pytest

from bookings.passes import services
from bookings.passes.models import Pass, PassProduct
from bookings.passes.rules import end_of_pass
from bookings.passes.tasks import sweep
from bookings.payments.models import Payment, Receipt
from bookings.trips.models import Trip
from fleet.vehicles.models import LatestState
from mobility.core import clock, ids

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)


def passes(phone):
    return phone.get("/api/v1/passes").json()["results"]


def test_everybody_sees_what_is_on_sale_for_their_vehicle(api, week, year):
    PassProduct.objects.create(
        organisation=week.organisation,
        code="gone",
        title={"en": "Gone"},
        vehicle_kinds=["scooter"],
        shape="period",
        minutes=1,
        days=1,
        price_cents=1,
        vat_rate=0,
        on_sale=False,
    )
    shown = api(None).get("/api/v1/pass-products").json()["results"]
    assert [(row["name"], row["price_cents"]) for row in shown] == [("Week", 1699), ("Year", 3600)]
    for_scooters = api(None).get("/api/v1/pass-products", {"kind": "scooter"}).json()["results"]
    assert [row["name"] for row in for_scooters] == ["Week"]


def test_a_pass_counts_once_its_money_has_come(travel, rider, week, collect):
    bought = rider.post("/api/v1/passes", {"product": str(week.public_id)}).json()
    assert (bought["state"], bought["starts_at"]) == ("pending", None)
    travel.shift(datetime.timedelta(seconds=5))
    collect()
    (row,) = passes(rider)
    assert (row["state"], row["minutes_left"], row["rides"]) == ("active", 100, 0)
    receipt = Receipt.objects.get(payment__public_id=row["payment"])
    assert (receipt.total_cents, receipt.lines[0]["kind"]) == (1699, "pass_bought")


def test_a_card_that_refuses_leaves_neither_pass_nor_debt(api, giulia, card, week, collect):
    card(giulia, "demo-capture-fails")
    phone = api(giulia)
    phone.post("/api/v1/passes", {"product": str(week.public_id), "auto_renew": True})
    collect()
    (row,) = passes(phone)
    assert (row["state"], row["auto_renew"]) == ("unpaid", False)
    assert not Payment.objects.owed_by(giulia.pk).exists()


def test_without_a_card_nothing_is_sold(api, giulia, week):
    answer = api(giulia).post("/api/v1/passes", {"product": str(week.public_id)})
    assert (answer.status_code, answer.json()["code"]) == (402, "payment_method_required")
    assert not Pass.objects.exists()


def test_what_is_not_on_sale_cannot_be_bought(rider, week):
    PassProduct.objects.update(on_sale=False)
    answer = rider.post("/api/v1/passes", {"product": str(week.public_id)})
    assert (answer.status_code, answer.json()["code"]) == (404, "pass_not_on_sale")


def test_a_double_tap_buys_one_pass(rider, week):
    key = {"HTTP_IDEMPOTENCY_KEY": str(ids.uuid7())}
    body = {"product": str(week.public_id)}
    answers = [rider.post("/api/v1/passes", body, **key) for _tap in range(2)]
    assert answers[0].content == answers[1].content
    assert Pass.objects.count() == Payment.objects.count() == 1


def test_a_free_pass_is_active_at_once(api, giulia, week):
    PassProduct.objects.update(price_cents=0)
    bought = api(giulia).post("/api/v1/passes", {"product": str(week.public_id)}).json()
    assert (bought["state"], bought["payment"]) == ("active", None)


def test_what_was_sold_keeps_its_terms(rider, week, buy):
    buy(rider, week)
    PassProduct.objects.update(minutes=1, title={"en": "Little"})
    (row,) = passes(rider)
    assert (row["name"], row["minutes"]) == ("Week", 100)


def test_a_ride_on_a_pass_shows_it_before_and_spends_it_after(
    travel, rider, scooter, week, buy, obey, collect
):
    buy(rider, week)
    reservation = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()
    trip = rider.post("/api/v1/trips", {"reservation": reservation["id"]}).json()["id"]
    obey(scooter)
    travel.shift(datetime.timedelta(minutes=10))
    LatestState.objects.update(at=clock.now())
    rider.post(f"/api/v1/trips/{trip}/end")
    obey(scooter)
    collect()
    assert Trip.objects.get().price_cents == 0
    (row,) = passes(rider)
    assert (row["minutes_left"], row["rides"]) == (90, 1)


def test_a_pass_lasts_to_the_same_hour_on_the_clocks_also_over_a_clock_change():
    noon = datetime.datetime(2027, 3, 27, 11, 0, tzinfo=datetime.UTC)
    assert end_of_pass(starts_at=noon, days=1) == noon + datetime.timedelta(hours=23)
    autumn = datetime.datetime(2027, 10, 30, 10, 0, tzinfo=datetime.UTC)
    assert end_of_pass(starts_at=autumn, days=1) == autumn + datetime.timedelta(hours=25)


def test_a_pass_renews_itself_before_its_end_and_follows_without_a_gap(
    travel, rider, week, buy, collect
):
    first = buy(rider, week, auto_renew=True)
    travel.shift(6 * DAY)
    assert sweep()["renewed"] == 0
    travel.shift(DAY * 0.75)
    assert sweep()["renewed"] == 1
    assert sweep()["renewed"] == 0
    collect()
    following, old = passes(rider)
    assert (following["state"], following["starts_at"]) == ("active", first["ends_at"])
    travel.shift(DAY)
    assert sweep()["ended"] == 1
    assert [row["state"] for row in passes(rider)] == ["active", "ended"]
    assert Payment.objects.filter(state="captured").count() == 2
    assert old["id"] == first["id"]


def test_nobody_is_charged_other_terms_than_they_agreed_to(travel, rider, week, buy):
    buy(rider, week, auto_renew=True)
    PassProduct.objects.update(price_cents=1999)
    travel.shift(7 * DAY)
    assert sweep() == {"renewed": 0, "ended": 1, "lapsed": 0}
    assert Payment.objects.count() == 1


def test_a_pass_is_not_renewed_without_a_card(travel, rider, week, buy):
    buy(rider, week, auto_renew=True)
    (method,) = rider.get("/api/v1/payment-methods").json()["results"]
    rider.delete(f"/api/v1/payment-methods/{method['id']}")
    travel.shift(6.8 * DAY)
    assert sweep()["renewed"] == 0
    assert [row["auto_renew"] for row in passes(rider)] == [False]


def test_a_provider_that_does_not_serve_keeps_no_pass_from_ending(
    travel, rider, week, buy, settings
):
    buy(rider, week, auto_renew=True)
    travel.shift(6.8 * DAY)
    settings.DEMO_PAYMENTS = False
    assert sweep()["renewed"] == 0
    assert [row["auto_renew"] for row in passes(rider)] == [True]
    travel.shift(DAY)
    assert sweep() == {"renewed": 0, "ended": 1, "lapsed": 0}


def test_renewing_can_be_switched_off_and_on(rider, week, year, buy):
    bought = buy(rider, week, auto_renew=True)
    address = f"/api/v1/passes/{bought['id']}/renewal"
    assert rider.post(address, {"auto_renew": False}).json()["auto_renew"] is False
    PassProduct.objects.update(renewable=False)
    refused = rider.post(address, {"auto_renew": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "pass_not_renewable")


def test_an_unused_pass_goes_back_within_14_days_with_all_its_money(
    travel, rider, year, buy, collect
):
    bought = buy(rider, year)
    travel.shift(14 * DAY - datetime.timedelta(minutes=1))
    address = f"/api/v1/passes/{bought['id']}/return"
    assert rider.post(address).json()["state"] == "refunded"
    assert rider.post(address).status_code == 200
    collect()
    payment = Payment.objects.get()
    assert payment.refunded_cents == 3600
    assert payment.refunds.get().state == "done"


def test_a_pass_does_not_go_back_late_or_ridden_on(travel, rider, year, week, buy):
    for product in (year, week):
        buy(rider, product)
    Pass.objects.filter(product=week).update(uses=1)
    used, late = passes(rider)
    travel.shift(14 * DAY + datetime.timedelta(seconds=1))
    for row in (used, late):
        answer = rider.post(f"/api/v1/passes/{row['id']}/return")
        assert (answer.status_code, answer.json()["code"]) == (409, "pass_not_returnable")


def test_piero_neither_sees_nor_changes_giulias_pass(rider, api, piero, marco, week, buy):
    bought = buy(rider, week)
    address = f"/api/v1/passes/{bought['id']}"
    assert api(piero).get(address).status_code == 404
    assert api(piero).post(f"{address}/return").status_code == 404
    assert api(marco).get(address).status_code == 200
    assert api(marco).post(f"{address}/return").status_code == 404


def test_money_that_is_reported_twice_activates_once(rider, week, buy):
    bought = buy(rider, week)
    Pass.objects.update(minutes_left=40)
    services.note_pass_paid(pass_id=bought["id"], at=clock.now())
    services.note_pass_refused(pass_id=bought["id"], at=clock.now())
    assert Pass.objects.get().minutes_left == 40
