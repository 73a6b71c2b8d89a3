"""Chargers dial in: who gets a socket, which version, and which of two sockets counts."""

from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from charging.ocpp.gateway import handshakes, server
from charging.ocpp.gateway.options import GatewayOptions
from charging.stations.models import ChargingStation, RefusedHandshake
from mobility.core import clock, ids
from tests.charging.ocpp.conftest import Grid, start_gateway
from tests.charging.ocpp.peer import PASSWORD, Peer, basic, boot_16, boot_201

Eventually = Callable[..., Any]


def refusal(grid: Grid, identity: str, **options: Any) -> int:
    """The HTTP status a handshake is refused with."""
    station = ChargingStation(identity=identity)
    with pytest.raises(InvalidStatus) as caught:
        grid.dial(station, **options)
    return caught.value.response.status_code


def test_the_stations_first_allowed_version_is_chosen(grid: Grid) -> None:
    both = grid.station()
    assert grid.dial(both, "ocpp2.0.1", "ocpp1.6").socket.subprotocol == "ocpp2.0.1"
    assert grid.dial(both, "ocpp1.6", "ocpp2.0.1").socket.subprotocol == "ocpp1.6"
    assert grid.dial(both, "ocpp2.1", "ocpp1.6").socket.subprotocol == "ocpp2.1"
    old = grid.station(ocpp_versions=["ocpp1.6"])
    assert grid.dial(old, "ocpp2.0.1", "ocpp1.6").socket.subprotocol == "ocpp1.6"


@pytest.mark.parametrize("offered", ["ocpp9", None])
def test_no_common_version_is_a_finished_handshake_and_a_close(
    grid: Grid,
    eventually: Eventually,
    offered: str | None,
) -> None:
    station = grid.station()
    protocols = (offered,) if offered else ()
    with connect(
        f"{grid.gateway.url}/{station.identity}",
        subprotocols=protocols or None,
        additional_headers=basic(station.identity, PASSWORD),
        proxy=None,
    ) as peer:
        assert peer.subprotocol is None
        with pytest.raises(Exception, match="1002"):
            peer.recv(timeout=5)
    refused = RefusedHandshake.objects.filter(identity=station.identity)
    assert eventually(refused.first).reason == "no_subprotocol"
    assert ChargingStation.objects.get(pk=station.pk).connected_at is None


def test_an_unknown_identity_is_404_until_it_is_provisioned(
    grid: Grid,
    eventually: Eventually,
) -> None:
    identity = f"NEW-{ids.short_code(8)}"
    assert refusal(grid, identity) == 404
    refused = RefusedHandshake.objects.filter(identity=identity)
    row = eventually(refused.first)
    assert (row.reason, row.path) == ("unknown_identity", f"/ocpp/{identity}")
    assert grid.dial(grid.station(identity)).socket.subprotocol == "ocpp1.6"


@pytest.mark.parametrize(
    "spelling",
    ["{}%7C123", "{}%7C123/", "prefix/{}%7C123", "{}%7c123?x=1"],
)
def test_one_identity_in_many_spellings(grid: Grid, spelling: str) -> None:
    name = ids.short_code(8)
    station = grid.station(f"{name}|123")
    peer = grid.dial(station, path=spelling.format(name))
    peer.result("Heartbeat")


def test_wrong_credentials_are_401(grid: Grid, eventually: Eventually) -> None:
    station = grid.station()
    assert refusal(grid, station.identity, password="wrong-password-here") == 401
    assert refusal(grid, station.identity, password=None) == 401
    assert refusal(grid, station.identity, user="somebody-else") == 401
    refused = RefusedHandshake.objects.filter(identity=station.identity)
    assert eventually(lambda: refused.count() == 3)
    assert ChargingStation.objects.get(pk=station.pk).connected_at is None


def test_a_profile_2_station_is_refused_in_the_clear(grid: Grid) -> None:
    station = grid.station(security_profile=2)
    assert refusal(grid, station.identity) == 403


def test_a_browser_is_told_to_upgrade(grid: Grid) -> None:
    with sockets.create_connection(("127.0.0.1", grid.gateway.port), timeout=5) as peer:
        peer.sendall(b"GET /ocpp/CP1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert peer.recv(100).startswith(b"HTTP/1.1 426")


def test_deflate_is_used_where_offered(grid: Grid) -> None:
    peer = grid.dial(grid.station(), "ocpp2.0.1", compression="deflate")
    response = peer.socket.response
    assert response is not None
    assert "permessage-deflate" in response.headers["Sec-WebSocket-Extensions"]
    peer.result("BootNotification", boot_201())


def test_the_newest_socket_owns_the_station(grid: Grid, eventually: Eventually) -> None:
    station = grid.station()
    old = grid.dial(station)
    old.result("Heartbeat")
    new = grid.dial(station)
    new.result("Heartbeat")
    assert old.closed_with() == 1008
    row = ChargingStation.objects.get(pk=station.pk)
    assert row.connected_at is not None
    assert row.connection_epoch == 2
    assert new.silence(0.3)
    assert ChargingStation.objects.get(pk=station.pk).connected_at is not None
    new.close()
    eventually(lambda: ChargingStation.objects.get(pk=station.pk).connected_at is None)
    assert ChargingStation.objects.get(pk=station.pk).connected_at is None


def test_a_reconnect_goes_on_without_a_boot(grid: Grid) -> None:
    station = grid.station()
    grid.dial(station).cut()
    again = grid.dial(station)
    assert "currentTime" in again.result("Heartbeat")


def test_a_station_that_stops_answering_pings_is_dropped(
    grid: Grid,
    eventually: Eventually,
) -> None:
    strict = start_gateway(ping_interval_s=0.2, ping_timeout_s=0.2)
    try:
        station = grid.station()
        with sockets.create_connection(("127.0.0.1", strict.port), timeout=5) as deaf:
            headers = "".join(f"{k}: {v}\r\n" for k, v in basic(station.identity, PASSWORD).items())
            deaf.sendall(
                f"GET /ocpp/{station.identity} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n{headers}\r\n".encode(),
            )
            rows = ChargingStation.objects.filter(pk=station.pk, connected_at__isnull=False)
            assert eventually(rows.exists)
            assert eventually(lambda: not rows.exists())
    finally:
        strict.close()


def test_stopping_closes_with_going_away_and_leaves_nobody_connected(grid: Grid) -> None:
    other = start_gateway()
    station = grid.station()
    peer = Peer.dial(other.url, station.identity)
    peer.result("BootNotification", boot_16())
    other.close()
    assert peer.closed_with() == 1001
    row = ChargingStation.objects.get(pk=station.pk)
    assert (row.connected_at, row.vendor) == (None, "ACME")


def test_a_starting_gateway_frees_what_its_crash_left(grid: Grid, eventually: Eventually) -> None:
    first = start_gateway()
    station = grid.station()
    peer = Peer.dial(first.url, station.identity)
    peer.result("Heartbeat")
    second = start_gateway(name=first.name)
    try:
        row = ChargingStation.objects.get(pk=station.pk)
        assert row.connected_at is None
    finally:
        peer.close()
        second.close()
        first.close()


def test_a_second_start_on_a_taken_port_changes_nothing(grid: Grid) -> None:
    running = start_gateway(books_every_s=0.2)
    try:
        station = grid.station()
        peer = Peer.dial(running.url, station.identity)
        peer.result("Heartbeat")
        again = GatewayOptions(name=running.name, port=running.port)
        with pytest.raises(OSError, match="in use"):
            asyncio.run(run_gateway(again))
        assert ChargingStation.objects.get(pk=station.pk).connected_at is not None
        assert peer.silence(0.5)
        assert peer.result("Heartbeat")
        peer.close()
    finally:
        running.close()


async def run_gateway(options: GatewayOptions) -> None:
    await server.Gateway(options).run(stop=asyncio.Event())


def test_two_gateways_and_one_station(grid: Grid, eventually: Eventually) -> None:
    one, two = start_gateway(books_every_s=0.2), start_gateway()
    try:
        station = grid.station()
        old = Peer.dial(one.url, station.identity)
        old.result("Heartbeat")
        new = Peer.dial(two.url, station.identity)
        new.result("Heartbeat")
        assert old.closed_with() == 1008
        assert new.result("Heartbeat")
        row = ChargingStation.objects.get(pk=station.pk)
        assert (row.gateway, row.connection_epoch) == (two.name, 2)
        new.close()
    finally:
        one.close()
        two.close()


def test_presence_is_written_and_forgotten_closings_are_made_good(
    grid: Grid,
    eventually: Eventually,
) -> None:
    tidy = start_gateway(books_every_s=0.2)
    try:
        here, ghost = grid.station(), grid.station()
        peer = Peer.dial(tidy.url, here.identity)
        peer.result("Heartbeat")
        seen = ChargingStation.objects.get(pk=here.pk).last_seen_at
        ChargingStation.objects.filter(pk=ghost.pk).update(
            gateway=tidy.name,
            connected_at=clock.now(),
        )
        gone = ChargingStation.objects.filter(pk=ghost.pk, connected_at__isnull=True)
        assert eventually(gone.exists)
        peer.result("Heartbeat")
        later = ChargingStation.objects.filter(pk=here.pk, last_seen_at__gt=seen)
        assert eventually(later.exists)
        peer.close()
    finally:
        tidy.close()


def test_more_handshakes_than_agreed_hear_503(grid: Grid) -> None:
    busy = start_gateway(max_handshakes=0)
    try:
        station = grid.station()
        with pytest.raises(InvalidStatus) as caught:
            Peer.dial(busy.url, station.identity)
        assert caught.value.response.status_code == 503
    finally:
        busy.close()


def test_who_says_nothing_at_the_door_does_not_keep_it_open(grid: Grid) -> None:
    hasty = start_gateway(handshake_patience_s=0.3)
    try:
        with sockets.create_connection(("127.0.0.1", hasty.port), timeout=5) as silent:
            silent.sendall(b"GET /ocpp/SILENT HTTP/1.1\r\n")
            assert silent.recv(100) == b""
    finally:
        hasty.close()


def test_of_many_who_say_nothing_the_oldest_makes_room(grid: Grid) -> None:
    narrow = start_gateway(max_silent=2)
    silent: list[sockets.socket] = []

    def knock() -> sockets.socket:
        silent.append(sockets.create_connection(("127.0.0.1", narrow.port), timeout=5))
        return silent[-1]

    try:
        peer = Peer.dial(narrow.url, grid.station().identity)
        first, _second, _third = knock(), knock(), knock()
        assert first.recv(100) == b""
        # A station that speaks comes in beside them, and who has spoken is in nobody's way.
        other = Peer.dial(narrow.url, grid.station().identity)
        for _ in range(5):
            knock()
        assert silent[-3].recv(100) == b""
        for socket in silent[-2:]:
            socket.settimeout(0.2)
            with pytest.raises(TimeoutError):
                socket.recv(100)
        assert peer.result("Heartbeat")
        assert other.result("Heartbeat")
    finally:
        for socket in silent:
            socket.close()
        narrow.close()


def test_a_database_that_is_away_is_told_before_the_handshake_is_given_up() -> None:
    options = GatewayOptions(name="any")
    assert options.handshake_patience_s > options.storage_patience_s


def test_a_flood_of_refusals_is_counted_and_not_written_down(
    grid: Grid,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flood, late = f"FLOOD-{ids.short_code(8)}", f"LATE-{ids.short_code(8)}"
    with monkeypatch.context() as patch:
        patch.setattr(handshakes, "_REFUSALS_KEPT_PER_MIN", 0)
        assert refusal(grid, flood) == 404
    assert refusal(grid, late) == 404
    assert eventually(RefusedHandshake.objects.filter(identity=late).exists)
    assert not RefusedHandshake.objects.filter(identity=flood).exists()


def test_what_stands_behind_a_question_mark_is_not_shown_to_other_operators(
    grid: Grid, eventually: Eventually
) -> None:
    """Some makes put their password there, and an identity that nobody has is shown to all."""
    identity = f"NOBODY-{ids.short_code(8)}"
    with pytest.raises(InvalidStatus):
        Peer.dial(grid.gateway.url, identity, path=f"{identity}?password=secret")
    row = eventually(RefusedHandshake.objects.filter(identity=identity).first)
    assert row.path == f"/ocpp/{identity}"
