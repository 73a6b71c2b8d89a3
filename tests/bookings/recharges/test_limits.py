"""Never above the limit, nothing for nothing, and a charger that fails punishes nobody."""

import datetime

import pytest

from bookings.payments.models import LedgerEntry, Payment
from bookings.recharges import tasks
from bookings.recharges.models import Recharge
from bookings.recharges.services import sweep
from charging.sessions.models import ChargingSession
from charging.stations.facts import StatusReport
from charging.stations.models import Connector, StationCommand
from charging.stations.services import record_statuses
from mobility.core import clock, ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def charging(buy, answer, plug_in):
    """Giulia charges for two euros at most; the transaction."""

    def begin(**wish):
        assert buy(**(wish or {"limit_cents": 200})).status_code == 201
        answer("accepted")
        return plug_in()

    return begin


def test_the_charge_is_stopped_before_it_reaches_its_limit(charging, answer, flow, unplug, collect):
    transaction = charging()
    flow(transaction, 3_000, minutes=17)
    assert tasks.sweep()["limits_reached"] == 0  # 1.80 € and 7 cents ahead
    flow(transaction, 3_300, minutes=2)
    assert tasks.sweep()["limits_reached"] == 1
    assert tasks.sweep()["limits_reached"] == 0
    assert answer("accepted").action == "remote_stop"
    unplug(transaction, 3_390)
    paid = Recharge.objects.get()
    assert (paid.price_cents, paid.stop_reason, paid.state) == (200, "limit", "priced")
    collect()
    assert Payment.objects.get().captured_cents == 200


def test_a_meter_that_tells_no_power_is_stopped_before_the_limit_as_well(charging, flow):
    transaction = charging()
    flow(transaction, 3_300, minutes=19)
    ChargingSession.objects.update(power_w=None)
    assert tasks.sweep()["limits_reached"] == 1


def test_prices_that_cannot_be_read_keep_no_other_charge_from_being_stopped(
    charging, flow, charger, api, piero, card, answer, plug_in
):
    transaction = charging()
    flow(transaction, 3_300, minutes=19)
    card(piero)
    second = Connector.objects.get(evse__station=charger, evse__number=2)
    api(piero).post("/api/v1/recharges", {"connector": str(second.public_id)})
    answer("accepted")
    plug_in(evse=2)
    Recharge.objects.filter(user=piero).update(terms={})
    assert set(Recharge.objects.values_list("state", flat=True)) == {"charging"}
    assert tasks.sweep()["limits_reached"] == 1


def test_what_flows_over_the_limit_is_taken_off_again(rider, charging, flow, unplug):
    transaction = charging()
    flow(transaction, 9_000, minutes=50)
    unplug(transaction, 9_000)
    recharge = Recharge.objects.get()
    assert recharge.price_cents == 200
    receipt = rider.get(f"/api/v1/recharges/{recharge.public_id}/receipt").json()
    assert {line["kind"]: line["cents"] for line in receipt["lines"]} == {
        "flat": 30,
        "energy": 450,
        "limit": -280,
    }
    assert sum(part["gross_cents"] for part in receipt["vat"]) == 200
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == 0


def test_a_charger_that_refuses_to_stop_is_asked_again_and_earns_nothing_more(
    rider, charging, answer, flow, unplug, travel
):
    transaction = charging(limit_cents=2000)
    flow(transaction, 2_000, minutes=11)
    address = f"/api/v1/recharges/{Recharge.objects.get().public_id}"
    assert rider.post(f"{address}/stop").json()["state"] == "stopping"
    answer("rejected")
    shown = rider.get(address).json()
    assert (shown["state"], shown["stop_refused"]) == ("charging", True)
    travel.shift(datetime.timedelta(seconds=16))
    assert tasks.sweep()["asked_again"] == 1
    answer("timed_out")
    travel.shift(datetime.timedelta(seconds=31))
    assert tasks.sweep()["asked_again"] == 1
    assert StationCommand.objects.filter(action="remote_stop").count() == 3
    answer("accepted")
    flow(transaction, 8_000, minutes=40)
    unplug(transaction, 8_000)
    assert Recharge.objects.get().price_cents == 130  # as when Giulia said stop


def test_of_many_that_are_to_be_stopped_the_longest_overdue_has_its_turn(
    rider, charging, travel, monkeypatch
):
    charging(limit_cents=2000)
    newer = Recharge.objects.get()
    Recharge.objects.update(stop_due_at=clock.now())
    older = Recharge.objects.get()
    older.pk, older.public_id, older.payment, older.session = None, ids.uuid7(), None, None
    older.origin, older.stop_due_at = "card", clock.now() - datetime.timedelta(minutes=5)
    older.save(force_insert=True)
    asked = []
    monkeypatch.setattr(sweep, "LIMIT", 1)
    monkeypatch.setattr(sweep, "stop_again", lambda *, recharge, **_at: asked.append(recharge.pk))
    travel.shift(datetime.timedelta(seconds=1))
    assert tasks.sweep()["asked_again"] == 1
    assert (asked, older.pk > newer.pk) == ([older.pk], True)


def test_a_refused_stop_of_a_charge_that_was_called_off_is_tried_until_it_works(
    rider, buy, answer, plug_in, unplug, travel
):
    address = f"/api/v1/recharges/{buy().json()['id']}"
    answer("accepted")
    rider.post(f"{address}/stop")
    transaction = plug_in()
    answer("rejected")
    travel.shift(datetime.timedelta(seconds=16))
    assert tasks.sweep()["asked_again"] == 1
    answer("accepted")
    unplug(transaction, 60)
    travel.shift(datetime.timedelta(minutes=3))
    tasks.sweep()
    assert tasks.sweep()["asked_again"] == 0
    called_off = Recharge.objects.get()
    assert (called_off.state, called_off.price_cents) == ("start_failed", None)
    assert not LedgerEntry.objects.exists()


def test_a_session_without_energy_ends_itself_and_costs_nothing(
    charging, answer, flow, unplug, collect, travel
):
    transaction = charging()
    flow(transaction, 0, minutes=19, power_w=0)
    assert tasks.sweep()["got_nothing"] == 0
    travel.shift(datetime.timedelta(minutes=1))
    assert tasks.sweep()["got_nothing"] == 1
    answer("accepted")
    travel.shift(datetime.timedelta(hours=3))
    unplug(transaction, 40)
    free = Recharge.objects.get()
    assert (free.state, free.price_cents, free.stop_reason) == ("settled", 0, "no_energy")
    assert ChargingSession.objects.get().flags == ["no_energy"]
    collect()
    assert Payment.objects.get().state == "voided"
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize(("status", "cents"), [("Charging", 330), ("Faulted", 130)])
def test_staying_plugged_in_at_a_charger_that_failed_costs_no_idle_fee(
    charger, charging, flow, unplug, travel, relay, status, cents
):
    transaction = charging(limit_cents=2000)
    flow(transaction, 2_000, minutes=11)
    report = StatusReport(station_id=charger.pk, evse_number=1, status=status, at=clock.now())
    record_statuses(reports=[report], at=clock.now())
    relay()
    travel.shift(datetime.timedelta(minutes=30))
    unplug(transaction, 2_000)
    assert Recharge.objects.get().price_cents == cents


def test_the_price_may_come_before_the_chargers_answer(rider, buy, travel, charger, relay):
    """The stop, the price and the answer to the start cross on the way."""
    from charging.sessions import services as sessions
    from charging.sessions.facts import SessionStart, SessionStop

    recharge = buy().json()
    token = Recharge.objects.get().token_uid
    command = StationCommand.objects.get()
    start = SessionStart(
        station_id=charger.pk, evse_number=1, uid=token, at=clock.now(), meter_start_wh=0
    )
    from charging.stations import services as stations
    from charging.stations.facts import CommandResult

    stations.mark_commands_sent(sent={command.pk: charger.connection_epoch}, at=clock.now())
    (begun,) = sessions.start_sessions(starts=[start], at=clock.now())
    travel.shift(datetime.timedelta(minutes=10))
    stop = SessionStop(
        station_id=charger.pk,
        transaction_ref=begun.transaction_ref,
        at=clock.now(),
        meter_stop_wh=1_000,
    )
    sessions.stop_sessions(stops=[stop], at=clock.now())
    sessions.settle_due(at=clock.now())
    relay()
    late = CommandResult(command_id=command.pk, state="rejected")
    stations.finish_commands(results=[late], at=clock.now())
    relay()
    priced = rider.get(f"/api/v1/recharges/{recharge['id']}").json()
    assert (priced["state"], priced["price_cents"]) == ("priced", 80)
