"""Commands to stations: asked once, sent once, always finished, never started out of thin air."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from charging.stations import services
from charging.stations.facts import CommandResult
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.states import CommandState
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON, MakeStation, connector_of

pytestmark = pytest.mark.django_db


def queue(
    station: ChargingStation, action: str = "reset", key: str = "", **more: object
) -> StationCommand:
    return services.queue_command(
        station_id=station.pk,
        action=action,
        idempotency_key=key or f"{station.identity}:{action}",
        at=NOON,
        by=SYSTEM,
        **more,
    )


def finish(command: StationCommand, state: str, **result: object) -> StationCommand:
    answer = CommandResult(command_id=command.pk, state=state, result=result)
    services.finish_commands(results=[answer], at=NOON + timedelta(seconds=2))
    command.refresh_from_db()
    return command


def ends() -> list[tuple[str, str]]:
    events = OutboxEvent.objects.filter(name="charging.command_finished.v1").order_by("id")
    return [(event.payload["action"], event.payload["state"]) for event in events]


def test_a_command_goes_out_once_and_ends_once(make_station: MakeStation) -> None:
    station = make_station(online=True)
    command = queue(station, "unlock", connector_id=connector_of(station).pk)
    [to_send] = services.take_commands(gateway="test", at=NOON)
    assert (to_send.command_id, to_send.evse_number, to_send.connector_number) == (
        command.pk,
        1,
        1,
    )
    assert services.mark_commands_sent(sent={command.pk: 1}, at=NOON) == {command.pk}
    assert services.mark_commands_sent(sent={command.pk: 1}, at=NOON) == set()
    assert finish(command, "accepted", status="Unlocked").result == {"status": "Unlocked"}
    assert finish(command, "rejected").state == CommandState.ACCEPTED
    assert ends() == [("unlock", "accepted")]


def test_the_same_key_is_the_same_command(make_station: MakeStation) -> None:
    station = make_station(online=True)
    assert queue(station, key="k") == queue(station, key="k")
    assert StationCommand.objects.count() == 1
    with pytest.raises(services.CommandKeyReused):
        queue(station, "unlock", key="k")


def test_an_offline_station_is_not_asked_later(make_station: MakeStation) -> None:
    station = make_station(online=False)
    command = queue(station, "remote_start", payload={"token_uid": "X"})
    assert (command.state, command.result) == (CommandState.FAILED, {"reason": "offline"})
    services.open_connection(
        station_id=station.pk,
        ocpp_version="ocpp1.6",
        gateway="test",
        at=NOON,
    )
    assert services.take_commands(gateway="test", at=NOON) == []
    assert ends() == [("remote_start", "failed")]


def test_stop_goes_before_start_before_the_rest_one_at_a_time(make_station: MakeStation) -> None:
    station = make_station(online=True)
    for action in ("reset", "remote_start", "remote_stop"):
        queue(station, action)
    order = []
    while commands := services.take_commands(gateway="test", at=NOON):
        [command] = commands
        order.append(command.action)
        services.mark_commands_sent(sent={command.command_id: 1}, at=NOON)
        assert services.take_commands(gateway="test", at=NOON) == []
        finish(StationCommand.objects.get(pk=command.command_id), "accepted")
    assert order == ["remote_stop", "remote_start", "reset"]


def test_a_socket_that_was_overtaken_sends_nothing(make_station: MakeStation) -> None:
    station = make_station(online=True)
    command = queue(station)
    services.open_connection(
        station_id=station.pk,
        ocpp_version="ocpp1.6",
        gateway="other",
        at=NOON,
    )
    assert services.take_commands(gateway="test", at=NOON) == []
    assert services.mark_commands_sent(sent={command.pk: 1}, at=NOON) == set()
    assert services.mark_commands_sent(sent={command.pk: 2}, at=NOON) == {command.pk}


def test_what_nobody_finishes_is_finished(make_station: MakeStation) -> None:
    station, other = make_station("CP1", online=True), make_station("CP2", online=True)
    waiting, sent = queue(station, ttl_s=30), queue(other, ttl_s=30)
    services.mark_commands_sent(sent={sent.pk: 1}, at=NOON)
    assert services.expire_commands(at=NOON + timedelta(seconds=29)) == 0
    assert services.take_commands(gateway="test", at=NOON + timedelta(seconds=30)) == []
    assert services.expire_commands(at=NOON + timedelta(seconds=30)) == 1
    assert services.expire_commands(at=NOON + timedelta(seconds=90)) == 1
    states = {command.pk: command.state for command in StationCommand.objects.all()}
    assert states == {waiting.pk: CommandState.EXPIRED, sent.pk: CommandState.TIMED_OUT}


def test_a_remote_start_carries_its_number_for_the_station_to_echo(
    make_station: MakeStation,
) -> None:
    station = make_station(online=True)
    command = queue(station, "remote_start", payload={"token_uid": "X"})
    [to_send] = services.take_commands(gateway="test", at=NOON)
    assert to_send.payload == {"token_uid": "X", "remote_start_id": command.pk}


def test_nonsense_is_not_queued(make_station: MakeStation) -> None:
    station, other = make_station("CP1", online=True), make_station("CP2", online=True)
    with pytest.raises(services.UnknownAction):
        queue(station, "explode")
    with pytest.raises(services.NoSuchConnector):
        queue(station, "unlock", connector_id=connector_of(other).pk)
    with pytest.raises(services.NoSuchStation):
        services.queue_command(
            station_id=-1,
            action="reset",
            idempotency_key="x",
            at=NOON,
            by=SYSTEM,
        )


@pytest.mark.django_db(transaction=True)
def test_the_gateway_is_woken_at_commit(make_station: MakeStation) -> None:
    station = make_station(online=True)
    with connection.cursor() as cursor:
        cursor.execute("LISTEN station_command")
    queue(station)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    notes = list(connection.connection.notifies(timeout=2, stop_after=1))
    with connection.cursor() as cursor:
        cursor.execute("UNLISTEN station_command")
    assert [note.payload for note in notes] == [str(station.pk)]


@pytest.mark.parametrize("state", ["queued", "sent"])
def test_a_round_over_what_nobody_finished_costs_the_same_however_many_there_are(
    make_station: MakeStation, state: str
) -> None:
    """A gateway that stays away leaves a command of every station of the city behind."""

    def statements(round_no: int, many: int) -> int:
        for number in range(many):
            station = make_station(f"CP{round_no}-{number}", online=True)
            command = queue(station, "clear_cache")
            if state == "sent":
                assert services.mark_commands_sent(sent={command.pk: 1}, at=NOON)
        with CaptureQueriesContext(connection) as looked:
            assert services.expire_commands(at=NOON + timedelta(minutes=5)) == many
        return len(looked)

    assert statements(1, 1) == statements(2, 5)
