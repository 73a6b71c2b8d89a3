"""A charge that was billed too high is given back when its record is corrected."""

import pytest

from bookings.payments.models import Payment, Refund
from charging.sessions import services as sessions
from charging.sessions.models import ChargingSession
from mobility.core import clock
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
