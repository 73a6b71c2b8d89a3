"""Races that chargers and people really run; each is run against the database's own rules."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from charging.sessions import services as sessions
from charging.sessions.facts import SessionStart, SessionStop
from charging.sessions.models import ChargingSession
from charging.stations import services as stations
from charging.stations.models import ConnectorHold, StationCommand
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON, MakeStation, connector_of

pytestmark = pytest.mark.django_db(transaction=True)
RUNNERS = 6


def race(deed: Callable[[], Any]) -> list[Any]:
    """Run the deed in several threads at the same moment; answers or the errors raised."""
    line = Barrier(RUNNERS)

    def runner(_number: int) -> Any:
        try:
            line.wait(timeout=20)
            return deed()
        except stations.ConnectorTaken as lost:
            return lost
        finally:
            connection.close()

    with ThreadPoolExecutor(RUNNERS) as pool:
        return list(pool.map(runner, range(RUNNERS)))


def test_one_session_told_by_several_sockets_begins_and_ends_once(
    make_station: MakeStation,
) -> None:
    station = make_station()
    sessions.ensure_token(uid="CARD", at=NOON)
    start = SessionStart(
        station_id=station.pk,
        evse_number=1,
        uid="CARD",
        at=NOON,
        meter_start_wh=0,
    )

    def begin() -> str:
        with transaction.atomic():
            return sessions.start_sessions(starts=[start], at=NOON)[0].transaction_ref

    [reference] = set(race(begin))
    assert ChargingSession.objects.count() == 1

    stop = SessionStop(
        station_id=station.pk,
        transaction_ref=reference,
        at=NOON + timedelta(hours=1),
        meter_stop_wh=9000,
    )

    def end() -> bool:
        with transaction.atomic():
            return sessions.stop_sessions(stops=[stop], at=NOON)[0].duplicate

    assert sorted(race(end)) == [False] + [True] * (RUNNERS - 1)
    assert OutboxEvent.objects.filter(name="charging.session_ended.v1").count() == 1
    session = ChargingSession.objects.get()
    settled = race(lambda: sessions.settle_session(session_id=session.pk, at=NOON))
    assert sorted(settled) == [False] * (RUNNERS - 1) + [True]
    assert OutboxEvent.objects.filter(name="charging.session_priced.v1").count() == 1


def hold_for_an_hour(connector_id: int) -> ConnectorHold:
    return stations.hold_connector(
        connector_id=connector_id,
        since=NOON,
        until=NOON + timedelta(hours=1),
        holder_ref="booking",
        at=NOON,
        by=SYSTEM,
    )


def test_a_connector_is_held_once_and_by_the_constraint_alone(make_station: MakeStation) -> None:
    """Proved: without the constraint everybody wins. Prevented: with it exactly one does."""
    connector = connector_of(make_station())
    held_once = next(c for c in ConnectorHold._meta.constraints if c.name == "connector_held_once")
    with connection.schema_editor() as editor:
        editor.remove_constraint(ConnectorHold, held_once)
    try:
        unguarded = race(lambda: hold_for_an_hour(connector.pk))
        assert all(isinstance(answer, ConnectorHold) for answer in unguarded)
    finally:
        ConnectorHold.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(ConnectorHold, held_once)

    answers = race(lambda: hold_for_an_hour(connector.pk))
    won = [answer for answer in answers if isinstance(answer, ConnectorHold)]
    assert len(won) == 1
    assert sum(isinstance(answer, stations.ConnectorTaken) for answer in answers) == RUNNERS - 1
    stations.release_connector(hold_id=won[0].pk, at=NOON, by=SYSTEM)
    stations.release_connector(hold_id=won[0].pk, at=NOON, by=SYSTEM)
    assert hold_for_an_hour(connector.pk).pk


def test_one_wish_pressed_many_times_is_one_command(make_station: MakeStation) -> None:
    station = make_station(online=True)

    def ask() -> int:
        return stations.queue_command(
            station_id=station.pk,
            action="reset",
            idempotency_key="once",
            at=NOON,
            by=SYSTEM,
        ).pk

    assert len(set(race(ask))) == 1
    command = StationCommand.objects.get()
    sent = race(lambda: stations.mark_commands_sent(sent={command.pk: 1}, at=NOON))
    assert sorted(map(len, sent)) == [0] * (RUNNERS - 1) + [1]
