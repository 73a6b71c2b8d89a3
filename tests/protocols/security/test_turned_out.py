"""What is revoked does not live on in an open socket, and no later authority waits for a restart."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import WebSocketException

from charging.certificates import services as certificates
from charging.certificates.models import StationCertificate
from charging.certificates.rules import pem_of
from charging.stations import services
from charging.stations.facts import Opening
from charging.stations.models import ChargingStation, StationCommand
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid, start_gateway
from tests.charging.ocpp.peer import Peer
from tests.protocols.asking import ask, over
from tests.protocols.security import papers
from tests.protocols.versions import V16

Eventually = Callable[..., Any]


def test_a_socket_does_not_survive_its_password(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    peer.result("Heartbeat")
    command = ask(station, "clear_cache")
    peer.receive()
    services.reset_password(station_id=station.pk, at=clock.now(), by=SYSTEM)
    # At once, not at the next look of the gateway at its books ten seconds later.
    assert peer.closed_with() == 1008
    ended = over(command, eventually)
    assert (ended.state, ended.result) == ("failed", {"reason": "connection_lost"})
    row = ChargingStation.objects.get(pk=station.pk)
    assert row.connected_at is None


def test_a_socket_does_not_survive_its_certificate(
    grid: Grid, tmp_path: Path, eventually: Eventually
) -> None:
    station = grid.station(security_profile=3, password_hash="")
    server, key = papers.server_files(tmp_path)
    signer = papers.authority()
    believed = tmp_path / "ca.pem"
    # The gateway starts before there is any authority, as on a new installation.
    secure = start_gateway(
        tls_port=0,
        certificate=str(server),
        key=str(key),
        client_ca=str(believed),
        books_every_s=0.2,
    )
    url = f"wss://127.0.0.1:{secure.tls_port}/ocpp"
    context = papers.client(tmp_path, signer=signer, common=station.identity)

    def come_in() -> Peer | None:
        try:
            return Peer.dial(url, station.identity, (V16,), ssl=context, password=None)
        except (WebSocketException, OSError, EOFError, ssl.SSLError):
            return None

    try:
        assert come_in() is None
        believed.write_text(pem_of(signer.certificate))
        peer = eventually(come_in)
        assert peer is not None
        peer.result("Heartbeat")
        shown = papers.x509.load_pem_x509_certificate((tmp_path / "client.pem").read_bytes())
        now = clock.now()
        held = StationCertificate.objects.create(
            station=station,
            kind="charging_station",
            state="in_use",
            serial=f"{shown.serial_number:x}",
            pem=pem_of(shown),
            valid_from=now,
            valid_until=now + timedelta(days=9),
            issued_at=now,
        )
        certificates.revoke_certificate(certificate_id=held.pk, at=now, by=SYSTEM)
        assert peer.closed_with() == 1008
        assert come_in() is None
    finally:
        secure.close()


@pytest.mark.parametrize("proof", ["certificate", "password"])
def test_what_is_revoked_during_the_handshake_opens_nothing(grid: Grid, proof: str) -> None:
    """The door looked at the record before, the socket is opened after the revocation."""
    station = grid.station(revoked_certificates=["ab12"])
    shown = {"certificate": "ab12"} if proof == "certificate" else {"proof": "sha256$old$gone"}
    opening = Opening(station_id=station.pk, ocpp_version=V16, gateway="g", **shown)
    assert services.open_connections(openings=[opening], at=clock.now()) == [None]
    assert ChargingStation.objects.get(pk=station.pk).connection_epoch == 0


def test_a_station_that_is_not_here_is_not_turned_out(grid: Grid) -> None:
    station = grid.station()
    assert services.turn_out_station(station_id=station.pk, at=clock.now()) is False
    assert not StationCommand.objects.filter(station=station).exists()
