"""A charge that was billed too high is given back when its record is corrected."""

import pytest

from bookings.payments.models import LedgerEntry, Payment, Refund
from bookings.recharges.handlers import on_session_corrected
from bookings.recharges.models import Recharge, VehicleCharge
from charging.sessions import services as sessions
from charging.sessions.events import SessionCorrected
from charging.sessions.facts import SessionStop
from charging.sessions.models import ChargingSession
from charging.sessions.services import ensure_token
from mobility.core import clock
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(buy, answer, plug_in, flow, unplug, collect):
    """Giulia paid 5.30 for ten kilowatt-hours."""
    assert buy().status_code == 201
    answer("accepted")
    transaction = plug_in()
    flow(transaction, 10_000, minutes=60)
    unplug(transaction, 10_000)
    collect()
    payment = Payment.objects.get()
    assert (payment.state, payment.amount_cents) == ("captured", 530)
    return payment


def test_less_energy_gives_the_difference_back_once(paid, relay):
    session = ChargingSession.objects.get()
    sessions.correct_session(
        session_id=session.pk, reason="Read by hand", energy_wh=6_000, at=clock.now(), by=SYSTEM
    )
    relay()
    relay()
    assert [refund.cents for refund in Refund.objects.all()] == [200]


def test_a_record_taken_back_gives_all_back(paid, relay):
    record = ChargingSession.objects.get().records.get()
    sessions.credit_record(record_id=record.pk, reason="Broken meter", at=clock.now(), by=SYSTEM)
    relay()
    assert sum(refund.cents for refund in Refund.objects.all()) == 530


def test_more_energy_asks_for_no_more(paid, relay):
    session = ChargingSession.objects.get()
    sessions.correct_session(
        session_id=session.pk, reason="Read by hand", energy_wh=12_000, at=clock.now(), by=SYSTEM
    )
    relay()
    assert not Refund.objects.exists()
    paid.refresh_from_db()
    assert paid.amount_cents == 530


@pytest.fixture
def unheard(buy, answer, plug_in, flow, charger):
    """Ten kilowatt-hours for Giulia are settled, and bookings have not heard of it yet."""
    assert buy().status_code == 201
    answer("accepted")
    transaction = plug_in()
    flow(transaction, 10_000, minutes=60)
    stop = SessionStop(
        station_id=charger.pk,
        transaction_ref=transaction,
        at=clock.now(),
        meter_stop_wh=11_000,
        reason="Remote",
    )
    sessions.stop_sessions(stops=[stop], at=clock.now())
    sessions.settle_due(at=clock.now())
    return ChargingSession.objects.get()


def test_a_correction_that_comes_before_the_money_is_due_lowers_it(unheard, relay, collect):
    sessions.correct_session(
        session_id=unheard.pk, reason="Read by hand", energy_wh=6_000, at=clock.now(), by=SYSTEM
    )
    relay()
    collect()
    payment = Payment.objects.get()
    assert (payment.state, payment.amount_cents) == ("captured", 330)
    assert not Refund.objects.exists()


def test_a_record_taken_back_before_the_money_is_due_costs_nothing(unheard, relay, collect):
    sessions.credit_record(
        record_id=unheard.records.get().pk, reason="Broken meter", at=clock.now(), by=SYSTEM
    )
    relay()
    collect()
    assert Payment.objects.get().state == "voided"
    assert Recharge.objects.get().state == "settled"


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_corrections_the_standing_one_counts_in_whatever_order_they_are_heard(paid, order):
    session = ChargingSession.objects.get()
    for energy_wh in (6_000, 9_000):
        sessions.correct_session(
            session_id=session.pk, reason="Again", energy_wh=energy_wh, at=clock.now(), by=SYSTEM
        )
    facts = OutboxEvent.objects.filter(name="charging.session_corrected.v1").order_by("pk")
    for fact in list(facts)[::order]:
        payload = {**fact.payload}
        on_session_corrected(SessionCorrected(**payload), at=clock.now())
    assert [refund.cents for refund in Refund.objects.all()] == [50]


@pytest.fixture
def van(charger, plug_in, flow, unplug, ruote):
    """The fleet's van charges two kilowatt-hours with its own token."""
    ensure_token(
        uid="VAN1", kind="vehicle", owner_ref="vehicle:1", organisation_id=ruote.pk, at=clock.now()
    )
    transaction = plug_in("VAN1")
    flow(transaction, 2_000, minutes=12)
    unplug(transaction, 2_000)
    cost = VehicleCharge.objects.get()
    assert cost.cents == 130
    return cost


def owed() -> int:
    """What the fleet owes the operator by the books."""
    owing = LedgerEntry.objects.filter(account__kind="internal_owing")
    return -sum(owing.values_list("cents", flat=True))


@pytest.mark.parametrize(("energy_wh", "cents"), [(1_000, 80), (3_000, 180)])
def test_what_a_vehicle_charged_follows_its_record_both_ways(van, relay, energy_wh, cents):
    assert owed() == 130
    sessions.correct_session(
        session_id=van.session_id, reason="Again", energy_wh=energy_wh, at=clock.now(), by=SYSTEM
    )
    relay()
    relay()
    van.refresh_from_db()
    assert (van.cents, van.energy_wh, owed()) == (cents, energy_wh, cents)


def test_a_vehicle_s_record_taken_back_is_owed_by_nobody(van, relay):
    record = van.session.records.get()
    sessions.credit_record(record_id=record.pk, reason="Broken", at=clock.now(), by=SYSTEM)
    relay()
    van.refresh_from_db()
    assert (van.cents, van.lines, van.energy_wh, owed()) == (0, [], 0, 0)
