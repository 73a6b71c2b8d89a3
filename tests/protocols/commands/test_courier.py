"""Commands over a real socket: once, in order, with an end; never out of thin air."""

from __future__ import annotations

import pytest

from charging.sessions.models import ChargingSession
from charging.stations.models import Connector, StationCommand
from mobility.core import ids
from tests.charging.ocpp.conftest import Grid
from tests.protocols.asking import Eventually, ask, connected, exchange, over
from tests.protocols.transactions.charges import Charge
from tests.protocols.versions import V16, V201, boot, status

START = {"token_uid": "04AB", "token_kind": "rfid"}


def test_a_remote_start_without_an_answer_timed_out_and_is_not_sent_again(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "remote_start", START, evse=1)
    peer.receive()
    row = over(command, eventually)
    assert (row.state, row.result["reason"]) == ("timed_out", "no_answer")
    peer.cut()
    again = grid.dial(station, version)
    again.result("Heartbeat")
    assert again.silence(1.2)


def test_an_accepted_start_that_never_begins_is_no_charge_and_not_sent_again(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "remote_start", START, evse=1)
    exchange(peer, {"status": "Accepted"})
    assert over(command, eventually).state == "accepted"
    assert not ChargingSession.objects.filter(station=station).exists()
    peer.cut()
    again = grid.dial(station, version)
    again.result("Heartbeat")
    assert again.silence(1.2)


def test_a_station_that_answers_and_hangs_up_at_once_has_answered(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    for _reset in range(8):
        station, peer = connected(grid, version)
        command = ask(station, "reset", {"kind": "hard"})
        peer.answer(peer.receive(), {"status": "Accepted"})
        # The answer and the end of its socket reach the database in one transaction.
        peer.cut()
        assert over(command, eventually).state == "accepted"


@pytest.mark.parametrize("kind", ["soft", "hard"])
def test_a_restart_ends_a_charge_only_when_the_station_says_so(
    grid: Grid, eventually: Eventually, version: str, kind: str
) -> None:
    station, peer = connected(grid, version)
    charge = Charge(peer, version, grid.token())
    charge.start(1000)
    command = ask(station, "reset", {"kind": kind})
    later = version != V16 and kind == "soft"
    word, payload = exchange(peer, {"status": "Scheduled" if later else "Accepted"})
    said = kind.capitalize() if version == V16 else {"soft": "OnIdle", "hard": "Immediate"}[kind]
    assert (word, payload["type"]) == ("Reset", said)
    assert over(command, eventually).state == "accepted"
    assert charge.session(station).ended_at is None
    reason = (
        f"{kind.capitalize()}Reset" if version == V16 else "Local" if later else "ImmediateReset"
    )
    charge.stop(20, 3000, reason=reason)
    peer.cut()
    again = grid.dial(station, version)
    assert again.result("BootNotification", boot(version))["status"] == "Accepted"
    session = charge.session(station)
    assert (session.state, session.stop_reason) == ("ended", reason)


def test_a_rejected_start_is_rejected_and_an_offline_station_fails_at_once(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "remote_start", START, evse=1)
    exchange(peer, {"status": "Rejected"})
    assert over(command, eventually).state == "rejected"
    offline = ask(grid.station(), "remote_start", START, evse=1)
    assert (offline.state, offline.result["reason"]) == ("failed", "offline")


def test_a_stop_is_sent_for_a_transaction_we_believe_to_be_over(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "remote_stop", {"transaction_ref": "4711"})
    word, payload = exchange(peer, {"status": "Rejected"})
    assert word in {"RemoteStopTransaction", "RequestStopTransaction"}
    assert str(payload["transactionId"]) == "4711"
    row = over(command, eventually)
    assert (row.state, row.result["status"]) == ("rejected", "Rejected")


def test_one_key_is_one_call(grid: Grid, eventually: Eventually, version: str) -> None:
    station, peer = connected(grid, version)
    key = ids.short_code(12)
    first, second = (ask(station, "clear_cache", key=key) for _ in range(2))
    assert first.pk == second.pk
    exchange(peer, {"status": "Accepted"})
    assert over(first, eventually).state == "accepted"
    assert peer.silence(0.3)


def test_a_change_of_availability_waits_for_the_charge_and_then_comes_true(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "change_availability", {"operative": False}, evse=1)
    exchange(peer, {"status": "Scheduled"})
    assert over(command, eventually).state == "accepted"
    connector = Connector.objects.get(evse__station=station, evse__number=1)
    assert connector.availability == "scheduled"
    peer.result("StatusNotification", status(version, "Unavailable"))
    connector.refresh_from_db()
    assert (connector.availability, connector.status) == ("inoperative", "Unavailable")
    command = ask(station, "change_availability", {"operative": True}, evse=1)
    exchange(peer, {"status": "Accepted"})
    over(command, eventually)
    connector.refresh_from_db()
    assert connector.availability == "operative"


def test_a_request_the_schema_refuses_never_leaves(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "data_transfer", {"vendor": "x" * 300})
    row = over(command, eventually)
    assert (row.state, row.result["reason"]) == ("failed", "malformed")
    assert peer.silence(0.2)


def test_a_password_is_forgotten_when_the_command_is_over(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "set_password", {"password": "a-new-password-of-24-chr"})
    call = peer.receive()
    assert "a-new-password-of-24-chr" in str(call)
    said = (
        {"status": "Accepted"}
        if version == V16
        else {
            "setVariableResult": [
                {
                    "attributeStatus": "Accepted",
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                },
            ],
        }
    )
    peer.answer(call, said)
    row = over(command, eventually)
    assert (row.state, row.payload, row.result) == ("accepted", {}, {"status": "Accepted"})


def test_the_secrets_of_a_network_profile_are_forgotten_too(
    grid: Grid, eventually: Eventually
) -> None:
    station, peer = connected(grid, V201)
    network = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://example.org",
        "messageTimeout": 30,
        "securityProfile": 2,
        "ocppInterface": "Wireless0",
        "apn": {"apn": "m2m", "apnPassword": "guess-me", "apnAuthentication": "CHAP"},
    }
    body = {"configurationSlot": 1, "connectionData": network}
    command = ask(station, "set_network_profile", {"body": body})
    call = peer.receive()
    assert call[3]["connectionData"]["apn"]["apnPassword"] == "guess-me"
    # While it waits for its answer, the row names it to nobody who reads the table.
    command.refresh_from_db()
    assert "guess-me" not in str(command.payload)
    peer.answer(call, {"status": "Accepted"})
    assert over(command, eventually).payload == {}


def test_a_pending_station_is_set_up_and_not_started(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station = grid.station(registration="pending", booted_at=None)
    peer = grid.dial(station, version)
    assert peer.result("BootNotification", boot(version))["status"] == "Pending"
    start = ask(station, "remote_start", START, evse=1)
    row = over(start, eventually)
    assert (row.state, row.result["reason"]) == ("failed", "station_pending")
    trigger = ask(station, "trigger", {"message": "boot"})
    word, payload = exchange(peer, {"status": "Accepted"})
    assert (word, payload["requestedMessage"]) == ("TriggerMessage", "BootNotification")
    assert over(trigger, eventually).state == "accepted"


def test_a_pending_station_may_say_what_it_was_asked_to_say_and_nothing_else(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station = grid.station(registration="pending", booted_at=None)
    peer = grid.dial(station, version)
    assert peer.error("StatusNotification", status(version)) == "SecurityError"
    peer.result("BootNotification", boot(version))
    assert peer.error("StatusNotification", status(version)) == "SecurityError"
    trigger = ask(station, "trigger", {"message": "status"}, evse=1)
    exchange(peer, {"status": "Accepted"})
    over(trigger, eventually)
    assert peer.result("StatusNotification", status(version)) == {}
    assert peer.error("Heartbeat") == "SecurityError"


def test_a_rejected_station_keeps_its_socket_and_is_asked_nothing(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station = grid.station(registration="rejected")
    peer = grid.dial(station, version)
    answer = peer.result("BootNotification", boot(version))
    assert answer["status"] == "Rejected"
    assert answer["currentTime"].endswith("Z")
    command = ask(station, "reset", {"kind": "soft"})
    row = over(command, eventually)
    assert (row.state, row.result["reason"]) == ("failed", "station_rejected")
    assert peer.silence(0.2)


@pytest.mark.parametrize("version", [V16])
def test_stop_overtakes_start_overtakes_the_rest(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    first = ask(station, "clear_cache")
    call = peer.receive()
    rest = ask(station, "get_list_version")
    start = ask(station, "remote_start", START, evse=1)
    stop = ask(station, "remote_stop", {"transaction_ref": "7"})
    peer.answer(call, {"status": "Accepted"})
    order = [exchange(peer, {"status": "Accepted"})[0] for _ in range(2)]
    order.append(exchange(peer, {"listVersion": 3})[0])
    assert order == ["RemoteStopTransaction", "RemoteStartTransaction", "GetLocalListVersion"]
    for command in (first, rest, start, stop):
        over(command, eventually)
    assert StationCommand.objects.get(pk=rest.pk).result["details"] == {"version": 3}
