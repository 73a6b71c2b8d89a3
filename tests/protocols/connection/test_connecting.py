"""Chargers dial in, in every version: who gets which socket, and which of two counts."""

from __future__ import annotations

import socket as sockets
import time
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from charging.stations.models import ChargingStation, RefusedHandshake, StationCommand
from charging.stations.services import queue_command
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid, start_gateway
from tests.charging.ocpp.peer import PASSWORD, Peer, basic
from tests.protocols.versions import ALL, V16, V21, V201, begin, boot

Eventually = Callable[..., Any]


@pytest.mark.parametrize(
    ("offered", "allowed", "chosen"),
    [
        ((V21, V16), ALL, V21),
        ((V16, V21), ALL, V16),
        ((V201, V21, V16), ALL, V201),
        ((V21, V201, V16), (V16, V201), V201),
        ((V21, "ocpp9", V16), (V16,), V16),
    ],
)
def test_the_first_of_the_stations_order_that_its_record_allows(
    grid: Grid, offered: tuple[str, ...], allowed: tuple[str, ...], chosen: str
) -> None:
    station = grid.station(ocpp_versions=list(allowed))
    assert grid.dial(station, *offered).socket.subprotocol == chosen


@pytest.mark.parametrize("offered", ["ocpp9", V21, None])
def test_no_common_version_finishes_the_handshake_and_closes_and_is_listed(
    grid: Grid, eventually: Eventually, offered: str | None
) -> None:
    station = grid.station(ocpp_versions=[V16])
    peer = Peer.dial(grid.gateway.url, station.identity, [offered] if offered else [])
    assert peer.socket.subprotocol is None
    assert peer.closed_with() == 1002
    refused = RefusedHandshake.objects.filter(identity=station.identity, reason="no_subprotocol")
    assert eventually(refused.exists)


def test_an_unknown_station_is_404_and_welcome_once_it_is_provisioned(
    grid: Grid, version: str
) -> None:
    identity = f"NEW-{ids.short_code(8)}"
    with pytest.raises(InvalidStatus) as caught:
        grid.dial(ChargingStation(identity=identity), version)
    assert caught.value.response.status_code == 404
    assert grid.dial(grid.station(identity), version).result("Heartbeat")


@pytest.mark.parametrize("sign", ["|", " ", "ä", "%"])
@pytest.mark.parametrize("spelling", ["{}", "{}/", "some/prefix/{}"])
def test_an_encoded_identity_is_one_station_however_it_is_spelled(
    grid: Grid, version: str, sign: str, spelling: str
) -> None:
    name = ids.short_code(8)
    station = grid.station(f"{name}{sign}1")
    code = "".join(f"%{byte:02X}" for byte in sign.encode())
    peer = grid.dial(station, version, path=spelling.format(f"{name}{code}1"))
    assert peer.result("Heartbeat")
    assert ChargingStation.objects.get(pk=station.pk).connection_epoch == 1


def test_a_half_open_socket_gives_way_and_its_end_changes_nothing(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station = grid.station()
    half_open = grid.dial(station, version)
    half_open.result("Heartbeat")
    new = grid.dial(station, version)
    assert new.result("Heartbeat")
    assert half_open.closed_with() == 1008
    row = ChargingStation.objects.get(pk=station.pk)
    assert (row.connection_epoch, row.connected_at is not None) == (2, True)
    queue_command(
        station_id=station.pk, action="reset", payload={}, idempotency_key=ids.short_code(20),
        at=clock.now(), by=SYSTEM,
    )  # fmt: skip
    call = new.receive()
    new.answer(call, {"status": "Accepted"})
    accepted = StationCommand.objects.filter(station=station, state="accepted")
    assert eventually(accepted.exists)


def test_a_socket_that_died_without_a_word_gives_way_at_once(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station = grid.station()
    with deaf(grid.gateway.port, station.identity, version):
        rows = ChargingStation.objects.filter(pk=station.pk, connected_at__isnull=False)
        assert eventually(rows.exists)
        began = time.monotonic()
        new = grid.dial(station, version)
        assert new.result("Heartbeat")
        # Nobody waits for a farewell of the dead, nor for its pings to run out.
        assert time.monotonic() - began < 3
    # Its end arrives now, long after.
    assert new.silence(0.3)
    assert new.result("Heartbeat")
    assert rows.get().connection_epoch == 2


def test_who_answers_no_ping_is_offline_and_its_command_fails_at_once(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    strict = start_gateway(ping_interval_s=0.1, ping_timeout_s=0.1, call_timeout_s=30.0)
    try:
        station = grid.station()
        with deaf(strict.port, station.identity, version):
            rows = ChargingStation.objects.filter(pk=station.pk, connected_at__isnull=False)
            assert eventually(rows.exists)
            command = queue_command(
                station_id=station.pk, action="reset", payload={},
                idempotency_key=ids.short_code(20), at=clock.now(), by=SYSTEM,
            )  # fmt: skip
            assert eventually(lambda: not rows.exists())
            ended = StationCommand.objects.filter(pk=command.pk, state="failed")
            assert eventually(ended.exists, seconds=3)
    finally:
        strict.close()


def deaf(port: int, identity: str, version: str) -> sockets.socket:
    """A socket that shakes hands and then never answers anything."""
    peer = sockets.create_connection(("127.0.0.1", port), timeout=5)
    headers = "".join(f"{k}: {v}\r\n" for k, v in basic(identity, PASSWORD).items())
    peer.sendall(
        f"GET /ocpp/{identity} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {version}\r\n{headers}\r\n".encode(),
    )
    return peer


def test_compression_is_negotiated_and_works_both_ways(grid: Grid, version: str) -> None:
    peer = grid.dial(grid.station(), version, compression="deflate")
    response = peer.socket.response
    assert response is not None
    assert "permessage-deflate" in response.headers["Sec-WebSocket-Extensions"]
    for _ in range(3):
        assert peer.result("BootNotification", boot(version))["status"] == "Accepted"


def test_a_station_goes_on_after_a_reconnect_without_a_boot(grid: Grid, version: str) -> None:
    station, token = grid.station(), grid.token()
    peer = grid.dial(station, version)
    action, payload = begin(version, token)
    first = peer.result(action, payload)
    peer.cut()
    again = grid.dial(station, version)
    assert again.result(action, payload) == first
    assert again.result("Heartbeat")


def test_nothing_comes_unasked(grid: Grid, version: str) -> None:
    peer = grid.dial(grid.station(booted_at=None), version)
    assert peer.result("BootNotification", boot(version))["status"] == "Accepted"
    assert peer.silence(0.6)
