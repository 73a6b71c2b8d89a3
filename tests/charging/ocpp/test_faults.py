"""Kill the gateway, take the database away: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from charging.ocpp.gateway import courier
from charging.sessions.models import ChargingSession
from charging.stations.models import ChargingStation
from tests.charging.ocpp.conftest import Grid, start_gateway
from tests.charging.ocpp.peer import Peer, start_16
from tests.charging.ocpp.stubborn import StubbornCharger, differences

Eventually = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[3]


class Process:
    """`manage.py run_ocpp` as an operator runs it, on the test database."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        url = urlsplit(os.environ["DATABASE_URL"])
        name = str(connection.settings_dict["NAME"])
        self.env = {**os.environ, "DATABASE_URL": url._replace(path=f"/{name}").geturl()}
        self.url = f"ws://127.0.0.1:{self.port}/ocpp"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "manage.py", "run_ocpp", "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.env)
        for _ in range(1200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        self.kill()
        raise AssertionError("the gateway did not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture
def process(grid: Grid) -> Iterator[Process]:
    running = Process()
    yield running
    running.kill()


def kill_repeatedly(process: Process, grid: Grid, *, kills: int, seed: int) -> None:
    """Chargers insist while the gateway dies at random moments; then the books are compared."""
    rng = random.Random(seed)
    stop = threading.Event()
    chargers = [StubbornCharger(process.url, grid.station(), grid.token(), stop) for _ in range(6)]
    threads = [threading.Thread(target=charger.run, daemon=True) for charger in chargers]
    for thread in threads:
        thread.start()
    for _ in range(kills):
        time.sleep(rng.uniform(0.3, 0.8))
        process.kill()
        process.start()
    time.sleep(0.3)
    stop.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert sum(charger.repeats for charger in chargers) >= kills
    for charger in chargers:
        assert differences(charger) == []


def test_killed_between_commit_and_reply(process: Process, grid: Grid) -> None:
    kill_repeatedly(process, grid, kills=2, seed=1)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_killed_again_and_again(process: Process, grid: Grid) -> None:
    """A hundred times over is `./dev bench ocpp-faults`."""
    kill_repeatedly(process, grid, kills=15, seed=2)


def test_sigterm_says_going_away_and_commits_what_it_has(process: Process, grid: Grid) -> None:
    station = grid.station()
    peer = Peer.dial(process.url, station.identity)
    peer.result("Heartbeat")
    assert process.terminate() == 0
    assert peer.closed_with() == 1001
    assert ChargingStation.objects.get(pk=station.pk).connected_at is None


@contextmanager
def database_away() -> Iterator[None]:
    """Nobody can reach the test database: as if the server were restarting."""
    name = str(connection.settings_dict["NAME"])
    address = {**courier._address(), "dbname": "postgres"}
    connection.close()
    with psycopg.connect(autocommit=True, **address) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [name],
            )
            yield
        finally:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_calls_wait_for_the_database_to_come_back(grid: Grid) -> None:
    station, tag = grid.station(), grid.token()
    peer = grid.dial(station)
    peer.result("Heartbeat")
    with database_away():
        peer.send([2, "s1", "StartTransaction", start_16(tag)])
        assert peer.silence(0.5)
    answer = peer.receive()
    assert answer[:2] == [3, "s1"]
    assert ChargingSession.objects.get(station=station).transaction_ref == str(
        answer[2]["transactionId"],
    )


def test_patience_ends_with_an_error_that_asks_to_repeat(grid: Grid) -> None:
    hasty = start_gateway(storage_patience_s=0.3)
    try:
        station, tag = grid.station(), grid.token()
        peer = Peer.dial(hasty.url, station.identity)
        peer.result("Heartbeat")
        with database_away():
            answer = peer.call("StartTransaction", start_16(tag))
            assert answer[2:4] == ["InternalError", "Temporarily unavailable, please repeat"]
            # Heartbeats need no database.
            assert peer.result("Heartbeat")
        assert peer.result("StartTransaction", start_16(tag))["transactionId"] > 0
        assert ChargingSession.objects.filter(station=station).count() == 1
        peer.close()
    finally:
        hasty.close()
