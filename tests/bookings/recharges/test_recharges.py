"""Giulia buys a charge at Luca's charger."""

import datetime
from collections import Counter

import pytest

from bookings.payments import services as payments
from bookings.payments.models import LedgerEntry, Payment
from bookings.recharges import tasks
from bookings.recharges.models import Recharge
from charging.sessions import services as sessions
from charging.sessions.facts import Reading, ReadingBatch, Sample
from charging.stations.models import Connector, StationCommand
from charging.tariffs.models import Tariff
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import connector_of

pytestmark = pytest.mark.django_db


def test_from_the_tap_to_the_receipt(rider, buy, answer, plug_in, unplug, charger, collect, travel):
    bought = buy()
    assert bought.status_code == 201, bought.content
    recharge = bought.json()
    assert (recharge["state"], recharge["preauth_cents"]) == ("starting", 2000)
    assert recharge["connector"]["station"] == "CP1"
    assert [part["kind"] for part in recharge["terms"]["components"]] == ["flat", "energy", "idle"]
    address = f"/api/v1/recharges/{recharge['id']}"

    asked = answer("accepted")
    assert (asked.action, len(asked.payload["token_uid"])) == ("remote_start", 20)
    assert rider.get(address).json()["state"] == "starting"
    transaction = plug_in()
    assert rider.get(address).json()["state"] == "charging"

    travel.shift(datetime.timedelta(minutes=30))
    reading = Reading(at=clock.now(), samples=(Sample(value=5_000, unit="Wh"),))
    batch = ReadingBatch(
        station_id=charger.pk, evse_number=1, transaction_ref=transaction, readings=(reading,)
    )
    sessions.record_readings(readings=[batch], at=clock.now())
    live = rider.get(address).json()
    assert (live["energy_wh"], live["cost_so_far_cents"]) == (4_000, 230)

    assert rider.post(f"{address}/stop").json()["state"] == "stopping"
    assert answer("accepted").action == "remote_stop"
    unplug(transaction, 4_400)
    priced = rider.get(address).json()
    assert (priced["state"], priced["price_cents"], priced["energy_wh"]) == ("priced", 250, 4_400)
    collect()
    assert rider.get(address).json()["state"] == "settled"
    receipt = rider.get(f"{address}/receipt").json()
    assert receipt["number"] == "colonnine/R/2026/000001"
    assert receipt["total_cents"] == 250
    assert receipt["issuer"]["vat_number"] == "IT00000000025"
    assert {(line["kind"], line["cents"]) for line in receipt["lines"]} == {
        ("energy", 220),
        ("flat", 30),
    }
    assert receipt["payment"]["captured_cents"] == 250
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == 0


@pytest.mark.parametrize("state", ["rejected", "timed_out", "failed"])
def test_a_charger_that_does_not_start_costs_nothing(state, rider, buy, answer):
    recharge = buy().json()
    answer(state)
    failed = rider.get(f"/api/v1/recharges/{recharge['id']}").json()
    assert (failed["state"], failed["failure"]) == ("start_failed", f"start_{state}")
    assert Payment.objects.get().state == "voided"
    assert buy().status_code == 201


def test_nobody_plugs_in_and_the_start_is_given_up(buy, answer, travel):
    buy()
    answer("accepted")
    travel.shift(datetime.timedelta(seconds=179))
    assert tasks.sweep()["starts_failed"] == 0
    travel.shift(datetime.timedelta(seconds=1))
    assert tasks.sweep()["starts_failed"] == 1
    assert Payment.objects.get().state == "voided"


def test_current_that_flows_after_all_is_stopped_and_not_charged(
    rider, buy, answer, plug_in, unplug, relay, collect
):
    recharge = buy().json()
    answer("accepted")
    rider.post(f"/api/v1/recharges/{recharge['id']}/stop")
    assert Recharge.objects.get().failure == "called_off"
    transaction = plug_in()
    stop = StationCommand.objects.latest("id")
    assert (stop.action, stop.payload) == ("remote_stop", {"transaction_ref": transaction})
    unplug(transaction, 50)
    collect()
    assert Recharge.objects.get().state == "start_failed"
    assert not LedgerEntry.objects.exists()


def test_a_charger_that_does_not_stop_goes_on_and_can_be_asked_again(
    rider, buy, answer, plug_in, travel
):
    recharge = buy().json()
    answer("accepted")
    plug_in()
    address = f"/api/v1/recharges/{recharge['id']}"
    rider.post(f"{address}/stop")
    answer("rejected")
    assert rider.get(address).json()["state"] == "charging"
    assert rider.post(f"{address}/stop").json()["state"] == "stopping"
    assert rider.post(f"{address}/stop").json()["state"] == "stopping"
    commands = Counter(StationCommand.objects.values_list("action", flat=True))
    assert commands == {"remote_start": 1, "remote_stop": 2}
    travel.shift(datetime.timedelta(seconds=121))
    assert tasks.sweep()["stops_given_up"] == 1


def test_pulling_the_cable_without_a_tap_is_priced_as_well(
    rider, buy, answer, plug_in, unplug, travel
):
    recharge = buy().json()
    answer("accepted")
    transaction = plug_in()
    travel.shift(datetime.timedelta(minutes=20))
    unplug(transaction, 2_000)
    priced = rider.get(f"/api/v1/recharges/{recharge['id']}").json()
    assert (priced["state"], priced["price_cents"]) == ("priced", 130)
    stopped = rider.post(f"/api/v1/recharges/{recharge['id']}/stop")
    assert stopped.json()["code"] == "recharge_not_stoppable"


def test_a_debt_that_staff_give_up_ends_the_recharge(
    rider, giulia, card, buy, answer, plug_in, unplug, collect, relay, travel
):
    card(giulia, "demo-capture-fails")
    address = f"/api/v1/recharges/{buy().json()['id']}"
    answer("accepted")
    transaction = plug_in()
    travel.shift(datetime.timedelta(minutes=20))
    unplug(transaction, 2_000)
    collect()
    assert rider.get(address).json()["state"] == "payment_due"
    payments.write_off(
        payment_id=Payment.objects.get().pk, reason="goodwill", at=clock.now(), by=SYSTEM
    )
    relay()
    assert rider.get(address).json()["state"] == "written_off"


def test_one_charge_per_person_and_one_per_connector(rider, api, buy, piero, card, charger, socket):
    mine = buy().json()
    other = rider.post("/api/v1/recharges", {"connector": str(connector_of(charger, 2).public_id)})
    assert (other.status_code, other.json()["code"]) == (409, "recharge_underway")
    assert other.json()["recharge"] == mine["id"]
    card(piero)
    busy = api(piero).post("/api/v1/recharges", {"connector": str(socket.public_id)})
    assert (busy.status_code, busy.json()["code"]) == (409, "connector_busy")


def test_what_cannot_work_is_said_before_any_money_is_promised(
    rider, buy, socket, charger, make_station, colonnine
):
    Connector.objects.filter(pk=socket.pk).update(status="Faulted")
    assert buy().json()["code"] == "connector_busy"
    offline = connector_of(make_station("CP2"))
    refused = rider.post("/api/v1/recharges", {"connector": str(offline.public_id)})
    assert (refused.status_code, refused.json()["code"]) == (409, "charger_offline")
    unknown = rider.post("/api/v1/recharges", {"connector": str(colonnine.public_id)})
    assert unknown.json()["code"] == "connector_not_found"
    Tariff.objects.update(is_default=False)
    Connector.objects.filter(pk=socket.pk).update(status="Available")
    assert buy().json()["code"] == "no_price"
    assert not Payment.objects.exists()
    assert not Recharge.objects.exists()


def test_recharges_are_their_buyers_and_their_operators_business(
    api, buy, piero, marco, scossa, elena, luca
):
    address = f"/api/v1/recharges/{buy().json()['id']}"
    for stranger in (piero, marco, scossa, elena):
        assert api(stranger).get(address).status_code == 404
    assert api(luca).get(address).status_code == 200
    assert api(luca).post(f"{address}/stop").status_code == 404
    assert api(luca).get("/api/v1/recharges").json()["results"] == []
