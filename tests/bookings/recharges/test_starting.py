"""Claim, promise, charger: whatever breaks in between, nothing is due and nobody waits for long."""

import datetime

import pytest

from bookings.payments.models import Payment, PaymentMethod
from bookings.payments.providers.local.gateway import LocalProvider
from bookings.payments.services import PaymentDeclined, PaymentsUnavailable, authorise_payment
from bookings.recharges import services, tasks
from bookings.recharges.models import Recharge
from bookings.recharges.services import start as starting
from charging.stations.models import StationCommand
from mobility.core import clock

pytestmark = pytest.mark.django_db


def test_a_declined_card_fails_the_start_and_leaves_the_connector_free(
    rider, giulia, card, buy, piero, api, socket
):
    card(giulia, "demo-declined")
    refused = buy()
    assert (refused.status_code, refused.json()["code"]) == (402, "payment_declined")
    failed = Recharge.objects.get()
    assert (failed.state, failed.failure) == ("start_failed", "payment_declined")
    assert Payment.objects.get().state == "refused"
    assert not StationCommand.objects.exists()
    card(piero)
    again = api(piero).post("/api/v1/recharges", {"connector": str(socket.public_id)})
    assert again.status_code == 201


def test_a_tap_that_crosses_the_refusal_of_another_asks_no_charger(
    rider, giulia, card, buy, monkeypatch
):
    card(giulia, "demo-declined")
    ask = LocalProvider.authorise

    def refused_meanwhile(provider, **terms):
        monkeypatch.setattr(LocalProvider, "authorise", ask)
        with pytest.raises(PaymentDeclined):
            authorise_payment(payment_id=Payment.objects.get().pk, at=clock.now())
        return ask(provider, **terms)

    monkeypatch.setattr(LocalProvider, "authorise", refused_meanwhile)
    assert buy().json()["code"] == "payment_declined"
    assert not StationCommand.objects.exists(), "nobody charges on a refused card"
    assert Recharge.objects.get().state == "start_failed"


def test_the_own_limit_is_what_is_promised_on_the_card(buy):
    recharge = buy(limit_cents=700).json()
    assert (recharge["limit_cents"], recharge["preauth_cents"]) == (700, 700)
    assert Payment.objects.get().authorised_cents == 700


@pytest.mark.parametrize("limit", [99, 15_001])
def test_a_limit_nobody_can_promise_is_refused_before_anything(buy, limit):
    assert buy(limit_cents=limit).status_code == 400
    assert not Recharge.objects.exists()


def test_a_card_that_was_named_pays_and_somebody_elses_does_not(
    rider, giulia, piero, card, buy, socket
):
    first = PaymentMethod.objects.get(user=giulia)
    card(giulia, "demo-declined")
    assert buy(payment_method=str(first.public_id)).status_code == 201
    assert Payment.objects.get().method == first
    card(piero)
    foreign = PaymentMethod.objects.get(user=piero)
    services.stop_recharge(recharge=Recharge.objects.get(), at=clock.now(), by=giulia.principal)
    assert buy(payment_method=str(foreign.public_id)).status_code == 404


def test_a_silent_bank_ends_the_start_and_the_promise_is_released(buy, collect, monkeypatch):
    def silence(**_terms):
        raise PaymentsUnavailable

    monkeypatch.setattr(starting, "authorise_payment", silence)
    assert buy().status_code == 503
    assert Recharge.objects.get().failure == "payments_unavailable"
    assert Payment.objects.get().state == "voided"


def test_a_start_whose_process_died_is_called_off_within_a_minute(
    rider, giulia, socket, travel, buy, collect
):
    claimed = starting.claim_recharge(user=giulia, connector=socket, at=clock.now())
    travel.shift(datetime.timedelta(seconds=44))
    assert tasks.sweep()["starts_failed"] == 0
    travel.shift(datetime.timedelta(seconds=1))
    assert tasks.sweep()["starts_failed"] == 1
    claimed.refresh_from_db()
    assert (claimed.state, claimed.failure) == ("start_failed", "not_asked")
    assert Payment.objects.get().state == "voided"
    assert buy().status_code == 201


def test_the_same_tap_after_a_crash_goes_on_where_it_was(rider, giulia, socket, buy):
    claimed = starting.claim_recharge(user=giulia, connector=socket, at=clock.now())
    assert buy().json()["id"] == str(claimed.public_id)
    assert StationCommand.objects.count() == 1
    assert Payment.objects.get().state == "authorised"
    assert buy().json()["code"] == "recharge_underway"


def test_the_bank_asks_the_person_and_then_the_charge_goes_on(
    rider, giulia, card, buy, travel, client
):
    card(giulia, "demo-asks")
    asked = buy()
    assert (asked.status_code, asked.json()["code"]) == (402, "payment_action_required")
    recharge = Recharge.objects.get()
    travel.shift(datetime.timedelta(minutes=2))
    assert tasks.sweep()["starts_failed"] == 0
    address = f"/api/v1/recharges/{recharge.public_id}"
    assert rider.post(f"{address}/continue").json()["code"] == "payment_action_required"
    client.post(asked.json()["action"]["url"], {"answer": "approve"})
    assert rider.post(f"{address}/continue").json()["state"] == "starting"
    assert StationCommand.objects.get().action == "remote_start"


def test_nobody_confirms_and_the_start_is_called_off(rider, giulia, card, buy, travel):
    card(giulia, "demo-asks")
    buy()
    travel.shift(datetime.timedelta(minutes=6))
    assert tasks.sweep()["starts_failed"] == 1
    assert Payment.objects.get().state == "voided"


def test_the_price_is_told_before_in_the_order_the_law_wants(api, socket):
    quote = (
        api(None)
        .get("/api/v1/recharge-quotes", {"connector": str(socket.public_id), "kwh": "10"})
        .json()
    )
    assert [price["kind"] for price in quote["prices"]] == ["energy", "flat", "idle"]
    assert quote["estimate"]["cents"] == 530
    assert quote["estimate"]["minutes"] == 28  # at 22 kW
    assert quote["idle_fee_after_minutes"] == 10
    assert (quote["preauth_cents"], quote["usable"]) == (2000, True)
    by_time = (
        api(None)
        .get("/api/v1/recharge-quotes", {"connector": str(socket.public_id), "minutes": 30})
        .json()
    )
    assert by_time["estimate"]["energy_wh"] == 11_000
    assert api(None).get("/api/v1/recharge-quotes").status_code == 400
