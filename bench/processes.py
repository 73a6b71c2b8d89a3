"""The house's own processes, as `./dev up` starts them, for as long as a measurement needs them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 60.0

Process = subprocess.Popen[bytes]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(*command: str) -> Process:
    """One of our own processes."""
    env = os.environ | {"C_FORCE_ROOT": "1"}
    return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=env)


def start_web(port: int, *, workers: int = 2) -> Process:
    """The web workers."""
    size = ["--workers", str(workers), "--threads", "8", "--keep-alive", "60"]
    where = ["--preload", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
    quickly = ["--graceful-timeout", "3"]
    kind = ["--worker-class", "gthread"]
    return start("-m", "gunicorn", "mobility.wsgi:application", *kind, *size, *where, *quickly)


def start_worker(queue: str, *, app: str = "mobility") -> Process:
    """A Celery worker of one process."""
    alone = ["--without-mingle", "--without-gossip", "--without-heartbeat"]
    name = ["-c", "1", "-n", f"bench-{queue}@%h", "-l", "ERROR"]
    return start("-m", "celery", "-A", app, "worker", "-Q", queue, *name, *alone)


def start_beat() -> Process:
    """What calls the sweeps and drains."""
    schedule = Path(tempfile.mkdtemp()) / "beat"
    where = ["-s", str(schedule), "--pidfile=", "-l", "ERROR"]
    return start("-m", "celery", "-A", "mobility", "beat", *where)


def start_relay() -> Process:
    """What hands events to the workers."""
    return start("manage.py", "run_relay")


@contextmanager
def running(*processes: Process) -> Iterator[None]:
    """These processes until the end of the block."""
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_for(address: str) -> None:
    """Until somebody answers there."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"nobody answers at {address}")


def wait_for_web(port: int) -> None:
    """Until the web workers answer."""
    wait_for(f"http://127.0.0.1:{port}/healthz")


def wait_for_port(port: int) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nobody listens on port {port}")
