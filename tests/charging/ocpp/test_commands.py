"""Commands to chargers: delivered once, in order, and always with an outcome."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from websockets.exceptions import ConnectionClosedOK

from charging.ocpp.gateway import courier
from charging.stations import services
from charging.stations.facts import CommandToSend
from charging.stations.models import ChargingStation, Connector, StationCommand
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import CALL_TIMEOUT_S, Grid, start_gateway
from tests.charging.ocpp.peer import Peer

Eventually = Callable[..., Any]


def queue(station: ChargingStation, action: str, **options: Any) -> StationCommand:
    return services.queue_command(
        station_id=station.pk,
        action=action,
        idempotency_key=options.pop("key", "") or ids.short_code(12),
        at=clock.now(),
        by=SYSTEM,
        **options,
    )


def outcome(command: StationCommand, eventually: Eventually) -> StationCommand:
    """The command once it is over."""

    def over() -> StationCommand | None:
        row = StationCommand.objects.get(pk=command.pk)
        return row if row.state not in ("queued", "sent") else None

    found: StationCommand | None = eventually(over)
    assert found is not None, StationCommand.objects.get(pk=command.pk).state
    return found


def connected(grid: Grid, version: str = "ocpp1.6") -> tuple[ChargingStation, Peer]:
    """A station on the line; an answered call proves that its socket is registered."""
    station = grid.station()
    peer = grid.dial(station, version)
    peer.result("Heartbeat")
    return station, peer


@pytest.mark.parametrize(
    ("answer", "state"),
    [({"status": "Accepted"}, "accepted"), ({"status": "Rejected"}, "rejected")],
)
def test_a_remote_start_and_its_answer(
    grid: Grid,
    eventually: Eventually,
    answer: dict[str, str],
    state: str,
) -> None:
    station, peer = connected(grid)
    connector = Connector.objects.get(evse__station=station, evse__number=2)
    command = queue(
        station,
        "remote_start",
        connector_id=connector.pk,
        payload={"token_uid": "04AB", "token_kind": "rfid"},
    )
    call = peer.receive()
    assert call[0] == 2
    assert call[2:] == ["RemoteStartTransaction", {"idTag": "04AB", "connectorId": 2}]
    peer.answer(call, answer)
    row = outcome(command, eventually)
    assert (row.state, row.result) == (state, answer)


def test_notify_wakes_faster_than_the_sweep(grid: Grid, eventually: Eventually) -> None:
    station, peer = connected(grid)
    waits = []
    for _ in range(3):
        command = queue(station, "reset", payload={"kind": "soft"})
        began = time.monotonic()
        call = peer.receive()
        waits.append(time.monotonic() - began)
        peer.answer(call, {"status": "Accepted"})
        outcome(command, eventually)
    assert min(waits) < 0.5


def test_no_answer_is_a_time_out_and_a_late_answer_is_ignored(
    grid: Grid,
    eventually: Eventually,
) -> None:
    station, peer = connected(grid)
    command = queue(station, "reset", payload={"kind": "hard"})
    late = peer.receive()
    assert outcome(command, eventually).state == "timed_out"
    peer.answer(late, {"status": "Accepted"})
    following = queue(station, "unlock")
    call = peer.receive()
    assert call[2] == "UnlockConnector"
    peer.answer(call, {"status": "Unlocked"})
    assert outcome(following, eventually).state == "accepted"
    assert StationCommand.objects.get(pk=command.pk).state == "timed_out"


def test_one_call_at_a_time_and_stop_before_the_rest(grid: Grid, eventually: Eventually) -> None:
    station, peer = connected(grid)
    first = queue(station, "reset", payload={"kind": "soft"})
    call = peer.receive()
    trigger = queue(station, "trigger", payload={"message": "heartbeat"})
    stop = queue(station, "remote_stop", payload={"transaction_ref": "7"})
    assert peer.silence(0.2)
    # Our own call is answered although one of theirs is open.
    assert peer.result("Heartbeat")
    peer.answer(call, {"status": "Accepted"})
    second = peer.receive()
    assert second[2] == "RemoteStopTransaction"
    peer.answer(second, {"status": "Accepted"})
    third = peer.receive()
    assert third[2] == "TriggerMessage"
    peer.answer(third, {"status": "NotImplemented"})
    states = [outcome(command, eventually).state for command in (first, stop, trigger)]
    assert states == ["accepted", "accepted", "rejected"]


def test_an_offline_station_fails_at_once_and_hears_nothing_later(
    grid: Grid,
    eventually: Eventually,
) -> None:
    station = grid.station()
    command = queue(station, "remote_start", payload={"token_uid": "04AB"})
    assert outcome(command, eventually).state == "failed"
    peer = grid.dial(station)
    peer.result("Heartbeat")
    assert peer.silence(1.2)


def test_a_lost_connection_fails_the_command_and_nothing_is_sent_again(
    grid: Grid,
    eventually: Eventually,
) -> None:
    station, peer = connected(grid)
    command = queue(station, "remote_start", payload={"token_uid": "04AB"})
    peer.receive()
    peer.cut()
    row = outcome(command, eventually)
    assert (row.state, row.result["reason"]) == ("failed", "connection_lost")
    again = grid.dial(station)
    again.result("Heartbeat")
    assert again.silence(1.2)


def test_the_newest_socket_gets_the_command(grid: Grid, eventually: Eventually) -> None:
    station, _old = connected(grid)
    new = grid.dial(station)
    new.result("Heartbeat")
    command = queue(station, "reset", payload={"kind": "soft"})
    call = new.receive()
    assert call[2] == "Reset"
    new.answer(call, {"status": "Accepted"})
    assert outcome(command, eventually).state == "accepted"


def test_one_idempotency_key_is_one_call(grid: Grid, eventually: Eventually) -> None:
    station, peer = connected(grid)
    key = ids.short_code(12)
    commands = [queue(station, "reset", payload={"kind": "soft"}, key=key) for _ in range(2)]
    assert commands[0].pk == commands[1].pk
    peer.answer(peer.receive(), {"status": "Accepted"})
    assert outcome(commands[0], eventually).state == "accepted"
    assert peer.silence(0.3)


@pytest.mark.parametrize(
    ("reply", "state", "reason"),
    [
        ([4, None, "NotSupported", "no", {}], "rejected", "refused"),
        ([3, None, {"status": "Perhaps"}], "failed", "invalid_answer"),
        ([3, None, {}], "failed", "invalid_answer"),
    ],
)
def test_refusals_and_nonsense(
    grid: Grid,
    eventually: Eventually,
    reply: list[Any],
    state: str,
    reason: str,
) -> None:
    station, peer = connected(grid, "ocpp2.0.1")
    command = queue(station, "unlock")
    call = peer.receive()
    peer.send([reply[0], call[1], *reply[2:]])
    row = outcome(command, eventually)
    assert (row.state, row.result["reason"]) == (state, reason)


def test_an_answer_that_no_column_can_hold_still_counts(
    grid: Grid,
    eventually: Eventually,
) -> None:
    station, peer = connected(grid, "ocpp2.0.1")
    command = queue(station, "reset", payload={"kind": "soft"})
    peer.answer(peer.receive(), {"status": "Accepted", "statusInfo": {"reasonCode": "a\x00b"}})
    row = outcome(command, eventually)
    assert (row.state, row.result["statusInfo"]) == ("accepted", {"reasonCode": "ab"})


def test_what_cannot_be_said_is_never_sent(grid: Grid, eventually: Eventually) -> None:
    station, peer = connected(grid)
    command = queue(station, "remote_start", payload={"token_uid": "x" * 30})
    row = outcome(command, eventually)
    assert (row.state, row.result) == ("failed", {"reason": "token_too_long"})
    assert peer.silence(0.2)


def test_the_commands_of_201(grid: Grid, eventually: Eventually) -> None:
    station, peer = connected(grid, "ocpp2.0.1")
    connector = Connector.objects.get(evse__station=station, evse__number=1)
    command = queue(
        station,
        "remote_start",
        connector_id=connector.pk,
        payload={"token_uid": "APP-1", "token_kind": "app"},
    )
    call = peer.receive()
    assert call[2] == "RequestStartTransaction"
    assert call[3]["evseId"] == 1
    assert call[3]["remoteStartId"] == command.pk
    peer.answer(call, {"status": "Accepted", "transactionId": "T9"})
    assert outcome(command, eventually).result["transactionId"] == "T9"


def test_a_time_out_is_patient_for_as_long_as_agreed(grid: Grid, eventually: Eventually) -> None:
    station, peer = connected(grid)
    command = queue(station, "reset", payload={"kind": "soft"})
    call = peer.receive()
    time.sleep(CALL_TIMEOUT_S * 0.6)
    peer.answer(call, {"status": "Accepted"})
    assert outcome(command, eventually).state == "accepted"


def test_a_socket_that_closes_under_a_command_is_a_lost_connection() -> None:
    """Not a failure of ours: it may be closing while we still look for its link."""
    command = CommandToSend(
        command_id=1,
        public_id="",
        station_id=1,
        identity="CP1",
        action="clear_cache",
        evse_number=None,
        connector_number=None,
        payload={},
        expires_at=clock.now(),
    )
    ended = courier._unanswered(command, ConnectionClosedOK(None, None))
    assert (ended.state, ended.result) == ("failed", {"reason": "connection_lost"})


def test_a_gateway_that_was_killed_with_a_command_out_starts_again(
    grid: Grid, eventually: Eventually
) -> None:
    """What it left in the database: its station is connected to it, and has a command to answer."""
    station = grid.station()
    with transaction.atomic():
        epoch = services.open_connection(
            station_id=station.pk, ocpp_version="ocpp1.6", gateway="killed", at=clock.now()
        )
        command = queue(station, "clear_cache")
        services.mark_commands_sent(sent={command.pk: epoch}, at=clock.now())
    again = start_gateway(name="killed")
    try:
        row = outcome(command, eventually)
        assert (row.state, row.result) == ("failed", {"reason": "connection_lost"})
        assert ChargingStation.objects.get(pk=station.pk).connected_at is None
        peer = Peer.dial(again.url, station.identity)
        assert peer.result("Heartbeat")
        peer.close()
    finally:
        again.close()
