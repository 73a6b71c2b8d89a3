"""At the same moment: each race is shown to be one, and then that it cannot happen."""

import datetime
from collections import Counter

import pytest
from django.db import connection, transaction

from bookings.recharges import services, tasks
from bookings.recharges.models import Recharge
from bookings.recharges.services.start import claim_recharge
from bookings.recharges.states import RechargeState, StopReason
from charging.sessions.models import ChargingSession
from charging.stations.models import ConnectorHold, StationCommand
from charging.tariffs import services as prices
from charging.tariffs.models import Tariff
from mobility.core import clock
from mobility.core.principals import SYSTEM
from mobility.core.transitions import LostRace
from tests.bookings.races import at_once
from tests.charging.fixtures import connector_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def socket(make_station, colonnine):
    """A connector at a station that is online and priced, in real time."""
    at = clock.now()
    station = make_station("RACE", connectors=2, online=True, at=at)
    tariff = Tariff.objects.create(
        organisation=colonnine, code="ac", name={"it": "AC"}, is_default=True
    )
    draft = prices.draft_version(
        tariff_id=tariff.pk,
        components=[{"kind": "energy", "unit_cents": "50"}],
        valid_from=at - datetime.timedelta(days=1),
        at=at,
        by=SYSTEM,
    )
    prices.publish_version(version_id=draft.pk, at=at, by=SYSTEM)
    connector = connector_of(station)
    type(connector).objects.filter(evse__station=station).update(status="Available")
    connector.refresh_from_db()
    return connector


@pytest.fixture
def charging(giulia, card, socket):
    """Giulia charges: a recharge with its session."""
    card(giulia)
    at = clock.now()
    recharge = services.start_recharge(user=giulia, connector_id=socket.public_id, at=at)
    session = ChargingSession.objects.create(
        station_id=socket.evse.station_id,
        connector=socket,
        transaction_ref="7",
        token_uid=recharge.token_uid,
        started_at=at,
        heard_at=at,
        meter_start_wh=0,
    )
    Recharge.objects.filter(pk=recharge.pk).update(
        state=RechargeState.CHARGING, session=session, started_at=at
    )
    return Recharge.objects.with_story().get(pk=recharge.pk)


def outcomes(answers):
    """What came of it, by kind."""
    return Counter(getattr(answer, "code", type(answer).__name__) for answer in answers)


INDEX = (
    "CREATE UNIQUE INDEX one_recharge_a_connector ON bookings_recharge (connector_id)"
    " WHERE state IN ('starting', 'charging', 'stopping') AND NOT origin = 'card'"
)


def test_two_people_start_at_one_connector(giulia, piero, card, socket):
    for person in (giulia, piero):
        card(person)
    starts = [
        lambda person=person: claim_recharge(user=person, connector=socket, at=clock.now())
        for person in (giulia, piero)
    ]
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_recharge_a_connector")
    try:
        assert outcomes(at_once(starts)) == {"Recharge": 2}
    finally:
        Recharge.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(INDEX)
    assert outcomes(at_once(starts)) == {"Recharge": 1, "connector_busy": 1}
    assert Recharge.objects.count() == 1


def test_one_person_taps_twice_and_the_charger_is_asked_once(giulia, card, socket):
    card(giulia)
    taps = [
        lambda: services.start_recharge(user=giulia, connector_id=socket.public_id, at=clock.now())
    ] * 4
    said = outcomes(at_once(taps))
    assert said["Recharge"] >= 1
    assert set(said) <= {"Recharge", "recharge_underway", "lost_race"}
    assert Recharge.objects.count() == 1
    assert StationCommand.objects.filter(action="remote_start").count() == 1
    assert Recharge.objects.get().payment.state == "authorised"


def test_two_taps_on_stop_are_one_order(charging, giulia):
    again = Recharge.objects.with_story().get(pk=charging.pk)

    def naive(row):
        """Look, then write: both saw a charge that is not being stopped."""
        seen = Recharge.objects.get(pk=row.pk).state
        return seen == RechargeState.CHARGING

    assert [naive(row) for row in (charging, again)] == [True, True]
    stops = [
        lambda row=row: services.stop_recharge(recharge=row, at=clock.now(), by=giulia.principal)
        for row in (charging, again)
    ]
    assert outcomes(at_once(stops)) == {"Recharge": 2}
    assert StationCommand.objects.filter(action="remote_stop").count() == 1


def test_the_limit_is_reached_twice_and_stopped_once(charging):
    ChargingSession.objects.update(energy_wh=50_000, power_w=22_000)
    sweeps = at_once([tasks.sweep, tasks.sweep])
    assert sum(sweep["limits_reached"] for sweep in sweeps) == 1
    assert StationCommand.objects.filter(action="remote_stop").count() == 1
    charging.refresh_from_db()
    assert (charging.state, charging.stop_reason) == ("stopping", StopReason.LIMIT)


def test_calling_off_and_beginning_collide(charging, giulia):
    """The driver calls off while the charger begins: one of both, and never a charge nobody owns."""
    Recharge.objects.filter(pk=charging.pk).update(state=RechargeState.STARTING, session=None)
    starting = Recharge.objects.with_story().get(pk=charging.pk)
    session = ChargingSession.objects.get()
    ref = f"recharge:{starting.public_id}"
    answers = at_once(
        [
            lambda: services.stop_recharge(recharge=starting, at=clock.now(), by=giulia.principal),
            lambda: services.note_session_started(
                ref=ref, session_id=session.public_id, started_at=clock.now(), at=clock.now()
            ),
        ]
    )
    assert not [
        one for one in answers if isinstance(one, Exception) and not isinstance(one, LostRace)
    ]
    after = Recharge.objects.get()
    stops = StationCommand.objects.filter(action="remote_stop").count()
    assert (after.state, stops) in {("charging", 0), ("start_failed", 1)}


def test_two_people_keep_one_connector(giulia, piero, socket):
    keeps = [
        lambda person=person: services.keep_connector(
            user=person, connector_id=socket.public_id, at=clock.now()
        )
        for person in (giulia, piero)
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        # Without the constraint nothing keeps two holds apart.
        cursor.execute("ALTER TABLE charging_connectorhold DROP CONSTRAINT connector_held_once")
        for _person in range(2):
            ConnectorHold.objects.create(
                connector=socket,
                during=(clock.now(), clock.now() + datetime.timedelta(minutes=5)),
                holder_ref="x",
                created_at=clock.now(),
            )
        assert ConnectorHold.objects.count() == 2
        transaction.set_rollback(True)
    assert outcomes(at_once(keeps)) == {"KeptConnector": 1, "connector_busy": 1}
    assert ConnectorHold.objects.count() == 1
