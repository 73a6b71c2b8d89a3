"""The doors as operators run them, asked rudely over real sockets."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from fleet.telematics import services
from fleet.telematics.wire import MAX_BODY_BYTES
from fleet.vehicles.models import Vehicle
from mobility.core.principals import SYSTEM
from tests.fleet.edge.conftest import Fleet, a_year_ago, drain, now_ms, stored
from tests.fleet.edge.edge_process import ROOT, environment


@pytest.mark.parametrize(
    "wrong", [{"MQTT_URL": "http://broker"}, {"TELTONIKA_ADDRESS": "127.0.0.1:x"}]
)
def test_the_edge_does_not_start_with_wrong_settings(settings: Any, wrong: dict[str, str]) -> None:
    for name, value in wrong.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError):
        call_command("run_edge")


# --- HTTPS, past Django's test client ---------------------------------------------------------------


@pytest.fixture(scope="module")
def web(real_database: None) -> Iterator[int]:
    """The web server of production; returns its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = ["--worker-class", "gthread", "--threads", "2", "--bind", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", "gunicorn", "mobility.wsgi:application", *options]
    process = subprocess.Popen(command, cwd=ROOT, env=environment())
    try:
        for _ in range(400):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def scooter(fleet: Fleet) -> tuple[Vehicle, str]:
    vehicle = fleet.vehicle()
    _device, secret = services.add_device(vehicle_code=vehicle.code, at=a_year_ago(), by=SYSTEM)
    return vehicle, secret


def point(offset: int) -> dict[str, object]:
    return {"at": now_ms() - 1_000 * offset, "lat": 45.46, "lon": 9.19}


def test_a_body_in_chunks_is_taken_and_bounded(web: int, scooter: tuple[Vehicle, str]) -> None:
    vehicle, secret = scooter
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    body = json.dumps({"points": [point(n) for n in range(3)]}).encode()
    for chunks, status in (
        ([body[:10], body[10:]], 202),
        ([b" " * 65_536] * (MAX_BODY_BYTES // 65_536 + 2), 413),
    ):
        line = http.client.HTTPConnection("127.0.0.1", web, timeout=20)
        with suppress(BrokenPipeError, ConnectionResetError):  # it may refuse before the end
            line.request("POST", "/api/v1/telemetry", iter(chunks), headers, encode_chunked=True)
        answer = line.getresponse()
        assert (answer.status, answer.getheader("Content-Length") is not None) == (status, True)
        line.close()
    assert len(stored(vehicle)) == 3


def test_a_body_that_breaks_off_takes_nothing(web: int, scooter: tuple[Vehicle, str]) -> None:
    vehicle, secret = scooter
    body = json.dumps({"points": [point(0)]})
    head = (
        "POST /api/v1/telemetry HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {secret}\r\nContent-Length: {len(body) + 50}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", web), 10) as line:
        line.sendall((head + body[:-9]).encode())
        line.shutdown(socket.SHUT_WR)
        assert b" 422 " in line.recv(200) or line.recv(1) == b""
    drain()
    assert stored(vehicle) == []
