"""Giulia's own card, a van's token, a stranger's: who pays for which session."""

import datetime

import pytest
from django.db import transaction

from bookings.payments import services as payments
from bookings.payments.events import PaymentFailed
from bookings.payments.models import LedgerEntry, Payment
from bookings.recharges import tasks
from bookings.recharges.models import Recharge, VehicleCharge
from charging.sessions.models import Token
from charging.sessions.queries import plug_at_hub
from charging.sessions.services import block_token, ensure_token
from charging.stations.models import Site
from mobility.core import clock, outbox
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from mobility.geography.models import Hub

pytestmark = pytest.mark.django_db

CARD = "04AABBCCDD"


@pytest.fixture
def tap(travel, plug_in, flow, unplug):
    """A card is shown, 2 kWh flow in twenty minutes."""

    def charge(uid):
        transaction = plug_in(uid)
        flow(transaction, 2_000, minutes=20)
        unplug(transaction, 2_000)

    return charge


def test_what_her_card_charges_is_giulias_recharge(
    rider, giulia, charger, plug_in, flow, unplug, collect
):
    card = rider.post("/api/v1/charging-cards", {"uid": CARD.lower(), "label": "Blue card"})
    assert (card.status_code, card.json()["ending"], card.json()["state"]) == (
        201,
        "CCDD",
        "accepted",
    )
    transaction = plug_in(CARD)
    flow(transaction, 2_000, minutes=20)
    (live,) = rider.get("/api/v1/recharges?state=active").json()["results"]
    assert (live["origin"], live["state"], live["cost_so_far_cents"]) == ("card", "charging", 130)
    unplug(transaction, 2_000)
    priced = Recharge.objects.get()
    assert (priced.state, priced.price_cents) == ("priced", 130)
    collect()
    paid = rider.get(f"/api/v1/recharges/{priced.public_id}").json()
    assert paid["state"] == "settled"
    assert rider.get(f"/api/v1/recharges/{priced.public_id}/receipt").json()["total_cents"] == 130
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == 0


def test_a_card_charge_can_be_stopped_with_the_phone(rider, charger, plug_in, answer):
    rider.post("/api/v1/charging-cards", {"uid": CARD})
    plug_in(CARD)
    address = f"/api/v1/recharges/{Recharge.objects.get().public_id}"
    assert rider.post(f"{address}/stop").json()["state"] == "stopping"
    assert answer("accepted").action == "remote_stop"


def test_nobody_takes_anothers_card_nor_an_operators(rider, api, piero, colonnine):
    rider.post("/api/v1/charging-cards", {"uid": CARD})
    taken = api(piero).post("/api/v1/charging-cards", {"uid": CARD})
    assert (taken.status_code, taken.json()["code"]) == (409, "token_taken")
    ensure_token(uid="04FFEE", organisation_id=colonnine.pk, at=clock.now())
    assert rider.post("/api/v1/charging-cards", {"uid": "04FFEE"}).json()["code"] == "token_taken"
    assert api(piero).get("/api/v1/charging-cards").json()["results"] == []
    for number in range(4):
        assert rider.post("/api/v1/charging-cards", {"uid": f"0400{number}"}).status_code == 201
    many = rider.post("/api/v1/charging-cards", {"uid": "04009"})
    assert many.json()["code"] == "too_many_charging_cards"


def test_a_lost_card_is_blocked_and_found_again(rider, piero, api):
    card = rider.post("/api/v1/charging-cards", {"uid": CARD}).json()
    address = f"/api/v1/charging-cards/{card['id']}"
    assert api(piero).post(f"{address}/block").status_code == 404
    assert rider.post(f"{address}/block").json()["block_reason"] == "lost"
    assert rider.post(f"{address}/unblock").json()["state"] == "accepted"
    assert rider.delete(address).status_code == 204
    assert Token.objects.get(uid=CARD).state == "blocked"


def test_what_an_operator_has_blocked_its_owner_does_not_open(rider):
    card = rider.post("/api/v1/charging-cards", {"uid": CARD}).json()
    block_token(uid=CARD, at=clock.now(), by=SYSTEM)
    refused = rider.post(f"/api/v1/charging-cards/{card['id']}/unblock")
    assert (refused.status_code, refused.json()["code"]) == (409, "charging_card_blocked")
    assert Token.objects.get(uid=CARD).state == "blocked"


def test_a_debt_that_is_told_after_it_was_paid_blocks_nothing(
    rider, giulia, card, charger, tap, collect, relay
):
    rider.post("/api/v1/charging-cards", {"uid": CARD})
    card(giulia, "demo-capture-fails")
    tap(CARD)
    collect()
    late = OutboxEvent.objects.get(name="bookings.payment_failed.v1")
    card(giulia, "demo-ok")
    rider.post(f"/api/v1/payments/{Payment.objects.get().public_id}/pay")
    collect()
    assert Token.objects.get(uid=CARD).state == "accepted"
    with transaction.atomic():
        outbox.publish(PaymentFailed(**late.payload), at=clock.now())
    relay()
    assert Token.objects.get(uid=CARD).state == "accepted"


def test_debt_blocks_every_token_and_payment_opens_them_again(
    rider, giulia, card, charger, tap, collect, relay
):
    mine = rider.post("/api/v1/charging-cards", {"uid": CARD}).json()
    lost = rider.post("/api/v1/charging-cards", {"uid": "04DEAD"}).json()
    rider.post(f"/api/v1/charging-cards/{lost['id']}/block")
    card(giulia, "demo-capture-fails")
    tap(CARD)
    collect()
    assert Recharge.objects.get().state == "payment_due"
    states = dict(Token.objects.values_list("uid", "block_reason"))
    assert states == {CARD: "debt", "04DEAD": "lost"}
    blocked = rider.post(f"/api/v1/charging-cards/{mine['id']}/unblock")
    assert blocked.json()["code"] == "charging_card_in_debt"
    payments.write_off(
        payment_id=Payment.objects.get().pk, reason="goodwill", at=clock.now(), by=SYSTEM
    )
    relay()
    assert dict(Token.objects.values_list("uid", "state")) == {
        CARD: "accepted",
        "04DEAD": "blocked",
    }


def test_a_paid_debt_opens_the_tokens_by_itself(rider, giulia, card, charger, tap, collect):
    rider.post("/api/v1/charging-cards", {"uid": CARD})
    card(giulia, "demo-capture-fails")
    tap(CARD)
    collect()
    assert Token.objects.get(uid=CARD).block_reason == "debt"
    card(giulia, "demo-ok")
    rider.post(f"/api/v1/payments/{Payment.objects.get().public_id}/pay")
    collect()
    assert Payment.objects.get().state == "captured"
    assert Token.objects.get(uid=CARD).state == "accepted"


def test_a_vans_token_is_a_cost_between_organisations(
    api, marco, luca, rivale, ruote, charger, tap
):
    ensure_token(
        uid="VAN1", kind="vehicle", owner_ref="vehicle:1", organisation_id=ruote.pk, at=clock.now()
    )
    tap("VAN1")
    assert not Recharge.objects.exists()
    (cost,) = api(marco).get("/api/v1/charging/vehicle-charges").json()["results"]
    assert (cost["organisation"], cost["operator"], cost["cents"]) == ("ruote", "colonnine", 130)
    assert len(api(luca).get("/api/v1/charging/vehicle-charges").json()["results"]) == 1
    assert api(rivale).get("/api/v1/charging/vehicle-charges").json()["results"] == []
    assert VehicleCharge.objects.get().energy_wh == 2_000
    entries = LedgerEntry.objects.values_list("transaction", "cents")
    assert entries
    assert sum(cents for _transaction, cents in entries) == 0


def test_what_nobody_pays_is_on_the_operators_list(api, luca, scossa, elena, charger, tap):
    tap("STRANGER")
    (unpaid,) = api(luca).get("/api/v1/charging/unbilled-sessions").json()["results"]
    assert (unpaid["token_uid"], unpaid["price_cents"]) == ("STRANGER", 130)
    assert "unauthorised" in unpaid["flags"]
    assert api(scossa).get("/api/v1/charging/unbilled-sessions").json()["results"] == []
    assert api(elena).get("/api/v1/charging/unbilled-sessions").status_code == 403


def test_a_hub_tells_whether_a_car_is_plugged_in_and_whether_it_can_be(
    milan, charger, plug_in, unplug, travel
):
    hub = Hub.objects.create(
        city=milan,
        code="MA1",
        name={"it": "Area"},
        kind="mobility_area",
        location=charger.site.location,
    )
    Site.objects.filter(pk=charger.site_id).update(hub=hub)

    def asked(*, hours_ago=1):
        since = clock.now() - datetime.timedelta(hours=hours_ago)
        return plug_at_hub(
            hub_id=hub.pk, owner_refs={"vehicle:1", "", "user:2"}, since=since, at=clock.now()
        )

    ensure_token(uid="VAN1", kind="vehicle", owner_ref="vehicle:1", at=clock.now())
    assert (asked().charging, asked().working, asked().broken) == (False, 2, False)
    transaction = plug_in("VAN1")
    assert asked().charging
    travel.shift(datetime.timedelta(minutes=30))
    unplug(transaction, 3_000)
    assert asked().charging  # full, and therefore over
    travel.shift(datetime.timedelta(hours=5))
    assert not asked().charging
    charger.evses.first().connectors.model.objects.update(status="Faulted")
    assert asked().broken


def test_an_offline_charge_of_a_start_that_was_given_up_is_not_billed(
    rider, api, luca, buy, answer, charger, plug_in, flow, unplug, travel, collect
):
    """The line was down while Giulia waited; hours later the charger tells that it charged."""
    buy()
    answer("accepted")
    travel.shift(datetime.timedelta(minutes=4))
    tasks.sweep()
    travel.shift(datetime.timedelta(hours=2))
    transaction = plug_in()
    flow(transaction, 2_000, minutes=20)
    unplug(transaction, 2_000)
    collect()
    given_up = Recharge.objects.get()
    assert (given_up.state, given_up.failure) == ("start_failed", "no_answer")
    assert not LedgerEntry.objects.exists()
    (unpaid,) = api(luca).get("/api/v1/charging/unbilled-sessions").json()["results"]
    assert unpaid["price_cents"] == 130
