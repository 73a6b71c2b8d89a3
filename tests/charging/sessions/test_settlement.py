"""The last word on sessions: settled once, by event or by sweep, and given up when nobody comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from charging.sessions import services
from charging.sessions.facts import Reading, ReadingBatch, Sample, SessionStart, SessionStop
from charging.sessions.models import ChargingSession, InboxMessage, MeterReading
from charging.sessions.services import settlement
from charging.sessions.states import SessionState
from charging.sessions.tasks import close_lost, settle_due
from charging.stations.facts import StatusReport
from charging.stations.models import ChargingStation
from charging.stations.services import record_statuses
from charging.stations.tasks import expire_commands
from charging.tariffs.models import TariffVersion
from charging.tariffs.services import ensure_tariff
from mobility.core.models import AuditEntry, OutboxEvent
from mobility.core.principals import SYSTEM, user_principal
from mobility.core.transitions import IllegalMove, move
from tests.charging.fixtures import NOON, MakeStation

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def station(make_station: MakeStation) -> ChargingStation:
    return priced_station(make_station)


def priced_station(make_station: MakeStation) -> ChargingStation:
    """45 cents per kWh, 10 cents per idle minute after half an hour; Giulia's card is known."""
    station = make_station("CP1", connectors=2, online=True)
    ensure_tariff(
        organisation_id=station.site.organisation_id,
        code="ac",
        name={"it": "AC"},
        components=[
            {"kind": "energy", "unit_cents": "45"},
            {"kind": "idle", "unit_cents": "10", "free_units": 30},
        ],
        valid_from=NOON - HOUR,
        is_default=True,
        at=NOON - HOUR,
        by=SYSTEM,
    )
    services.ensure_token(uid="CARD", owner_ref="user:giulia", at=NOON)
    return station


def rewrite_tariffs(**changes: object) -> None:
    """What nobody but the owner of the database can do to published versions."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        TariffVersion.objects.update(**changes)
        cursor.execute("SET LOCAL session_replication_role = origin")


def begin(station: ChargingStation, evse: int = 1, minutes: int = 0) -> ChargingSession:
    at = NOON + timedelta(minutes=minutes)
    start = SessionStart(
        station_id=station.pk,
        evse_number=evse,
        uid="CARD",
        at=at,
        meter_start_wh=1000,
    )
    [answer] = services.start_sessions(starts=[start], at=at)
    return ChargingSession.objects.get(transaction_ref=answer.transaction_ref)


def read(session: ChargingSession, minutes: int, register_wh: int) -> None:
    at = NOON + timedelta(minutes=minutes)
    batch = ReadingBatch(
        station_id=session.station_id,
        evse_number=1,
        readings=(Reading(at=at, samples=(Sample(value=register_wh),)),),
        transaction_ref=session.transaction_ref,
    )
    services.record_readings(readings=[batch], at=at)


def end(session: ChargingSession, minutes: int, register_wh: int) -> None:
    at = NOON + timedelta(minutes=minutes)
    stop = SessionStop(
        station_id=session.station_id,
        transaction_ref=session.transaction_ref,
        at=at,
        meter_stop_wh=register_wh,
    )
    services.stop_sessions(stops=[stop], at=at)


def status(station: ChargingStation, word: str, minutes: int, evse: int = 1) -> None:
    at = NOON + timedelta(minutes=minutes)
    report = StatusReport(station_id=station.pk, evse_number=evse, status=word, at=at)
    record_statuses(reports=[report], at=at)


def test_a_clock_of_next_year_bills_no_year(station: ChargingStation) -> None:
    session = begin(station)
    read(session, 60, 11_000)
    next_year = SessionStop(
        station_id=station.pk,
        transaction_ref=session.transaction_ref,
        at=NOON + 365 * 24 * HOUR,
        meter_stop_wh=11_000,
    )
    services.stop_sessions(stops=[next_year], at=NOON + HOUR)
    services.settle_session(session_id=session.pk, at=NOON + HOUR)
    session.refresh_from_db()
    assert (session.ended_at, session.price_cents) == (NOON + HOUR, 450)


def test_local_time_sent_as_utc_keeps_its_hours(station: ChargingStation) -> None:
    ahead = 2 * HOUR
    start = SessionStart(
        station_id=station.pk, evse_number=1, uid="CARD", at=NOON + ahead, meter_start_wh=1000
    )
    [answer] = services.start_sessions(starts=[start], at=NOON)
    stop = SessionStop(
        station_id=station.pk,
        transaction_ref=answer.transaction_ref,
        at=NOON + ahead + HOUR,
        meter_stop_wh=11_000,
    )
    services.stop_sessions(stops=[stop], at=NOON + HOUR)
    session = ChargingSession.objects.get(transaction_ref=answer.transaction_ref)
    assert (session.started_at, session.ended_at) == (NOON + ahead, NOON + ahead + HOUR)


def test_a_session_nobody_can_price_keeps_no_other_waiting(station: ChargingStation) -> None:
    priceless, other = begin(station, 1), begin(station, 2, minutes=1)
    end(priceless, 30, 2000)
    end(other, 31, 2000)
    old = NOON - 365 * 24 * HOUR
    ChargingSession.objects.filter(pk=priceless.pk).update(started_at=old)
    rewrite_tariffs(
        valid=DateTimeTZRange(old, None),
        components=[{"kind": "time", "unit_cents": "90000"}],
    )
    assert services.settle_due(at=NOON + HOUR) == 1
    other.refresh_from_db()
    assert other.state == SessionState.SETTLED


def test_the_price_says_energy_and_idle_time_and_goes_out_once(
    station: ChargingStation,
    relay: Callable[[], int],
) -> None:
    session = begin(station)
    for minutes, register_wh in ((10, 4000), (20, 8000), (30, 11_000), (60, 11_000)):
        read(session, minutes, register_wh)
    end(session, 120, 11_000)
    relay()
    relay()
    services.settle_due(at=NOON + 5 * HOUR)

    session.refresh_from_db()
    assert [(line["kind"], line["cents"]) for line in session.lines] == [
        ("energy", 450),
        ("idle", 600),
    ]
    [priced] = OutboxEvent.objects.filter(name="charging.session_priced.v1")
    assert priced.payload["price_cents"] == session.price_cents == 1050
    assert priced.payload["owner_ref"] == "user:giulia"
    assert (priced.payload["energy_wh"], priced.payload["flags"]) == (10_000, [])
    moves = AuditEntry.objects.filter(row=f"charging.chargingsession:{session.pk}")
    assert [entry.action for entry in moves.order_by("id")] == ["state:ended", "state:settled"]


def test_a_lost_event_is_made_good_by_the_sweep(station: ChargingStation) -> None:
    session = begin(station)
    end(session, 60, 5000)
    OutboxEvent.objects.all().delete()
    assert services.settle_due(at=NOON + HOUR) == 1
    assert services.settle_due(at=NOON + HOUR) == 0


def test_a_session_that_cannot_be_priced_does_not_stop_the_others(
    station: ChargingStation,
) -> None:
    broken, fine = begin(station), begin(station, evse=2, minutes=1)
    for session in (broken, fine):
        end(session, 60, 5000)
    rewrite_tariffs(components=[{"kind": "wind"}])
    ChargingSession.objects.filter(pk=fine.pk).update(tariff_version=None, connector=None)
    assert services.settle_due(at=NOON + HOUR) == 1
    states = dict(ChargingSession.objects.values_list("pk", "state"))
    assert states == {broken.pk: "ended", fine.pk: "settled"}


@pytest.mark.parametrize("sign", ["freed", "newer", "two days"])
def test_a_session_nobody_will_end_is_given_up(station: ChargingStation, sign: str) -> None:
    session = begin(station)
    read(session, 30, 9000)
    at = NOON + timedelta(minutes=100)
    assert services.close_lost_sessions(at=at) == 0
    if sign == "freed":
        status(station, "Available", 40)
    elif sign == "newer":
        begin(station, minutes=50)
    else:
        at = NOON + timedelta(days=2, hours=1)
    assert services.close_lost_sessions(at=at) == 1

    session.refresh_from_db()
    assert (session.state, session.stop_reason) == (SessionState.ENDED, "Lost")
    assert session.ended_at == NOON + timedelta(minutes=30)
    services.settle_due(at=at + HOUR)
    session.refresh_from_db()
    assert (session.energy_wh, sorted(session.flags)) == (8000, ["estimated", "lost"])


def test_a_session_just_heard_of_is_not_given_up(station: ChargingStation) -> None:
    session = begin(station)
    status(station, "Available", 5)
    assert services.close_lost_sessions(at=NOON + timedelta(minutes=59)) == 0
    read(session, 70, 9000)
    assert services.close_lost_sessions(at=NOON + timedelta(minutes=90)) == 0


def test_a_stop_that_comes_after_all_replaces_the_guess(station: ChargingStation) -> None:
    session = begin(station)
    status(station, "Available", 40)
    services.close_lost_sessions(at=NOON + 2 * HOUR)
    end(session, 38, 12_000)
    services.settle_due(at=NOON + 2 * HOUR)
    session.refresh_from_db()
    assert (session.energy_wh, session.flags) == (11_000, [])


def test_a_stop_after_settlement_is_flagged_and_changes_no_price(
    station: ChargingStation,
) -> None:
    session = begin(station)
    status(station, "Available", 40)
    services.close_lost_sessions(at=NOON + 2 * HOUR)
    services.settle_due(at=NOON + 3 * HOUR)
    read(session, 37, 9_000)
    end(session, 38, 12_000)
    session.refresh_from_db()
    assert (session.state, session.price_cents, session.energy_wh) == ("settled", 0, 0)
    assert (session.ended_at, session.meter_stop_wh) == (NOON, None)
    assert "late_data" in session.flags
    # The late end waits as a reading for who bills the session anew.
    assert list(session.readings.values_list("context", flat=True)) == ["", "Transaction.End"]


def test_those_that_cannot_be_settled_keep_nobody_waiting(
    station: ChargingStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they came first and are more than a round settles."""
    poison = {begin(station, minutes=minutes).pk for minutes in (0, 1, 2)}
    good = begin(station, minutes=3)
    for minutes, session in enumerate(ChargingSession.objects.order_by("pk")):
        end(session, 60 + minutes, 5000)
    right = settlement.bill_session

    def fragile(session: ChargingSession) -> object:
        if session.pk in poison:
            raise ArithmeticError
        return right(session)

    monkeypatch.setattr(settlement, "bill_session", fragile)
    assert services.settle_due(at=NOON + 2 * HOUR, limit=1) == 1
    good.refresh_from_db()
    assert good.state == "settled"


def test_a_settled_session_never_moves_again(station: ChargingStation) -> None:
    session = begin(station)
    end(session, 60, 5000)
    services.settle_due(at=NOON + HOUR)
    session.refresh_from_db()
    for state in SessionState.values:
        with pytest.raises(IllegalMove):
            move(session, to=state, at=NOON, by=SYSTEM)


def test_readings_of_a_free_connector_stay_without_session(station: ChargingStation) -> None:
    session = begin(station)
    end(session, 10, 2000)
    batch = ReadingBatch(
        station_id=station.pk,
        evse_number=1,
        readings=(Reading(at=NOON + HOUR, samples=(Sample(value=2000),)),),
    )
    services.record_readings(readings=[batch], at=NOON + HOUR)
    services.settle_due(at=NOON + 2 * HOUR)
    assert MeterReading.objects.get().session is None


def test_a_poison_message_is_kept_once_with_its_reason(station: ChargingStation) -> None:
    for _try in range(2):
        services.quarantine(
            station_id=station.pk,
            action="StopTransaction",
            payload={"meterStop": "\x00"},
            reason="DataError",
            at=NOON,
        )
    assert InboxMessage.objects.get().problem == "DataError"


def test_a_token_belongs_to_one_owner(station: ChargingStation) -> None:
    with pytest.raises(services.TokenTaken):
        services.ensure_token(uid="card", owner_ref="user:piero", at=NOON)
    again = services.ensure_token(uid="card", owner_ref="user:giulia", at=NOON)
    blocked = services.block_token(uid="CARD", at=NOON, by=user_principal("x"))
    assert (again.pk, blocked.state) == (blocked.pk, "blocked")
    with pytest.raises(services.NoSuchToken):
        services.block_token(uid="NOBODY", at=NOON, by=SYSTEM)


def test_celery_s_doors_open(station: ChargingStation) -> None:
    session = begin(station)
    end(session, 60, 5000)
    assert (expire_commands(), close_lost(), settle_due()) == (0, 0, 1)
