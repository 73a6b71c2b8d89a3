"""`./dev up` starts everything, keeps it running, and leaves nothing behind."""

import itertools
import os
import signal
import socket
import stat
import urllib.request
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.dev.conftest import LittleCity, await_true


def test_marco_runs_the_city_and_ends_it_with_one_key(little_city: LittleCity) -> None:
    up = little_city.up()
    with urllib.request.urlopen(f"http://127.0.0.1:{little_city.port}/readyz") as reply:
        assert reply.read() == b"ready"
    logs = {path.stem for path in (little_city.folder / ".data/log").glob("*.log")}
    assert {"web", "live", "ocpp", "worker", "telematics", "beat", "relay"} <= logs
    assert "superuser" not in little_city.log("worker")
    dead = little_city.child("run_relay")
    os.kill(dead, signal.SIGKILL)
    await_true(
        lambda: "run_relay" in str([line for pid, line in little_city.processes() if pid != dead])
    )
    demo = little_city.folder / ".data/demo.json"
    assert stat.S_IMODE(demo.parent.stat().st_mode) == 0o700

    up.send_signal(signal.SIGINT)
    out, err = up.communicate(timeout=20)

    assert up.returncode == 0, err
    assert f"http://127.0.0.1:{little_city.port}/admin/" in out
    assert "giulia@demo.example" in out
    assert "relay ended; starting it again" in err
    assert little_city.processes() == []


def test_a_second_up_shows_the_first_and_stop_ends_both(little_city: LittleCity) -> None:
    with socket.socket() as somebody:
        somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        somebody.bind(("127.0.0.1", little_city.port))
        somebody.listen()
        first = little_city.up()
    second = little_city.dev("up")
    assert second.returncode == 0
    assert f"http://127.0.0.1:{little_city.port + 1}/admin/" in second.stdout

    assert little_city.dev("stop").returncode == 0
    _, err = first.communicate(timeout=20)
    assert f"Port {little_city.port} is taken" in err
    assert first.returncode == 0
    assert little_city.processes() == []


def test_killing_the_supervisor_leaves_nothing_and_up_works_at_once(
    little_city: LittleCity,
) -> None:
    up = little_city.up()
    up.kill()
    up.wait()
    (little_city.folder / ".data/main/up.json").unlink()
    again = little_city.up()
    assert again.poll() is None
    again.kill()
    again.wait()
    await_true(lambda: little_city.processes() == [], seconds=20)


def test_services_stay_and_up_uses_them(little_city: LittleCity) -> None:
    exports = little_city.dev("services")
    assert "export DATABASE_URL=" in exports.stdout
    assert exports.stdout == little_city.dev("shell-env").stdout
    servers = little_city.processes()
    up = little_city.up()
    up.terminate()
    up.wait()
    assert little_city.processes() == servers
    assert "postgres" in little_city.dev("stop").stderr
    assert little_city.processes() == []


def test_a_process_that_cannot_live_is_reported_in_one_sentence(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []
    hours = itertools.count(step=3600)
    monkeypatch.setattr(dev, "say", said.append)
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "LOGS", tmp_path)
    monkeypatch.setattr(dev, "time", SimpleNamespace(monotonic=lambda: next(hours)))
    broken = dev.Process("relay", ["sh", "-c", "echo no road ahead; exit 1"], dict(os.environ))
    for _ in range(5):
        broken.start()
        broken.child.wait()
        broken.start_again_at = 0.0
        dev.tend(broken)
    assert broken.deaths == 5
    assert len(said) == 2
    assert "again and again" in said[1]
    assert "no road ahead" in said[1]


def test_a_process_that_lived_for_long_begins_anew_with_short_pauses(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dev, "LOGS", tmp_path)
    steady = dev.Process("relay", ["sleep", "60"], dict(os.environ), deaths=4)
    steady.start()
    dev.tend(steady)
    assert steady.deaths == 4
    steady.started_at -= 31
    dev.tend(steady)
    assert steady.deaths == 0
    dev.stop_processes([steady])
    assert not steady.alive()
