"""What one station, or somebody else in the database, does must not be felt by all the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from charging.certificates.models import StationCertificate
from charging.frames.facts import Forgiveness
from charging.ocpp.gateway import courier
from charging.ocpp.gateway.recorder import Recorder
from charging.sessions.models import InboxMessage
from charging.stations.models import ChargingStation
from mobility.core import clock
from tests.charging.ocpp.conftest import Grid, start_gateway
from tests.charging.ocpp.peer import Peer, boot_16
from tests.protocols.versions import V16, V21, status

Eventually = Callable[..., Any]


@contextmanager
def held(station: ChargingStation) -> Iterator[None]:
    """Somebody has changed the station's row and does not commit."""
    name = str(connection.settings_dict["NAME"])
    with psycopg.connect(**{**courier._address(), "dbname": name}) as somebody:
        somebody.execute(
            "SELECT FROM charging_chargingstation WHERE id = %s FOR UPDATE", [station.pk]
        )
        yield


def test_a_row_that_somebody_holds_stops_nobody_else(grid: Grid) -> None:
    station, neighbour = grid.station(), grid.station()
    stuck, free = grid.dial(station), grid.dial(neighbour)
    stuck.result("Heartbeat")
    free.result("Heartbeat")
    with held(station):
        stuck.send([2, "b1", "BootNotification", boot_16()])
        began = time.monotonic()
        for word in ("Available", "Charging", "Available"):
            assert free.result("StatusNotification", status(V16, word)) == {}
        assert time.monotonic() - began < 4.0
    # Who needs the row has waited for it.
    answer = stuck.receive(15)
    assert (answer[:2], answer[2]["status"]) == ([3, "b1"], "Accepted")


def test_a_row_that_is_held_too_long_is_told_to_its_station_alone(grid: Grid) -> None:
    hasty = start_gateway(storage_patience_s=2.5)
    station = grid.station()
    try:
        stuck = Peer.dial(hasty.url, station.identity)
        stuck.result("Heartbeat")
        with held(station):
            stuck.send([2, "b1", "BootNotification", boot_16()])
            answer = stuck.receive(15)
        assert (answer[:2], answer[2]) == ([4, "b1"], "InternalError")
        assert "repeat" in answer[3]
        # It is not set aside as impossible: the same words are taken now.
        assert not InboxMessage.objects.filter(station=station).exists()
        assert stuck.result("BootNotification", boot_16())["status"] == "Accepted"
    finally:
        hasty.close()


def test_a_table_that_somebody_holds_is_waited_for(grid: Grid) -> None:
    """As while a migration runs: everybody's word waits, and is taken when it is over."""
    stations = [grid.station() for _ in range(6)]
    peers = [grid.dial(station) for station in stations]
    for peer in peers:
        peer.result("Heartbeat")
    name = str(connection.settings_dict["NAME"])
    with psycopg.connect(**{**courier._address(), "dbname": name}) as somebody:
        somebody.execute("LOCK TABLE charging_connector IN ACCESS EXCLUSIVE MODE")
        for number, peer in enumerate(peers):
            peer.send([2, f"s{number}", "StatusNotification", status(V16)])
        time.sleep(2.5)
    answers = [peer.receive(15) for peer in peers]
    assert sum(answer[0] == 3 for answer in answers) >= len(peers) - 3
    assert all(answer[0] == 3 or "repeat" in answer[3] for answer in answers)


def test_a_certificate_in_the_same_moment_as_the_books_keeps_its_connection(grid: Grid) -> None:
    """A connection is the gateway's from the commit on that made it so, whatever is noted beside."""
    busy = start_gateway(behind_tls_proxy=True, proxy_certificates=True, books_every_s=0.001)
    try:
        for number in range(12):
            station = grid.station(security_profile=3, password_hash="")
            serial = f"{station.pk:x}"
            StationCertificate.objects.create(
                station=station,
                kind="charging_station",
                serial=serial,
                valid_from=clock.now(),
                valid_until=clock.now(),
                issued_at=clock.now(),
            )
            shown = {
                "X-Forwarded-Proto": "https",
                "X-Client-Cert-Verify": "SUCCESS",
                "X-Client-Cert-Subject": f"CN={station.identity}",
                "X-Client-Cert-Serial": serial,
            }
            url = f"{busy.url}/{station.identity}"
            protocols = [Subprotocol(V16)]
            peer = Peer(connect(url, subprotocols=protocols, additional_headers=shown, proxy=None))
            peer.result("Heartbeat")
            time.sleep(0.05)
            assert peer.result("Heartbeat"), number
            assert StationCertificate.objects.get(station=station).state == "in_use"
            assert ChargingStation.objects.get(pk=station.pk).connected_at is not None
            peer.close()
    finally:
        busy.close()


def test_a_station_writes_no_lines_of_its_own_into_the_log(
    grid: Grid, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    peer = grid.dial(grid.station(), V21)
    forged = "x\nroot logged in " + "y" * 5000
    peer.send([3, forged, {}])
    peer.send([5, forged, forged, forged, {}])
    peer.send([6, "s1", forged, {}])
    peer.result("Heartbeat")
    words = ("came late", "cannot use our answer", "not processed")
    told = [record.getMessage() for record in caplog.records]
    lines = [line for line in told if any(word in line for word in words)]
    assert len(lines) == 3
    assert all("\n" not in line and len(line) < 600 for line in lines)


def test_made_up_makes_do_not_fill_the_memory(grid: Grid, eventually: Eventually) -> None:
    recorder = Recorder(writer=None)  # type: ignore[arg-type] # nothing is written
    recorder._profiles = [
        Forgiveness(vendor="ACME", model="*", firmware="*", quirks=frozenset({"too_long"}))
    ]
    for number in range(20):
        recorder.forgiven(("v" * 200_000 + str(number), "m", "f"))
    remembered = sum(len(vendor) for vendor, _model, _firmware in recorder._by_make)
    assert remembered < 10_000
    assert recorder.forgiven(("acme", "any", "1")) == {"too_long"}
