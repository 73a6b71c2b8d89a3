"""A little city: a folder with the real `./dev` and the smallest system it can run.

The little system keeps the names of the real one (its modules, commands, addresses), so what is
tested is the command itself: what it starts, watches, restarts and leaves behind.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]

MANAGE = """
import json, os, sys, time
from pathlib import Path

match sys.argv[1]:
    case "demo":
        users = {"users": [{"role": "resident", "email": "giulia@demo.example", "password": "x"}]}
        file = Path(os.environ["DATA_DIR"]) / "demo.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(users))
    case "crash":
        sys.exit("no road ahead")
    case _:
        time.sleep(600)
"""
WSGI = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ready"]
"""
ASGI = """
async def application(scope, receive, send):
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
"""
SETTINGS = """
import os

SECRET_KEY = os.environ["SECRET_KEY"]
"""
CELERY = """
import os
import celery

app = celery.Celery("mobility", broker=os.environ["CELERY_BROKER_URL"])
"""


@dataclass
class LittleCity:
    """One clone of the little system, and the processes of `./dev` that a test began in it."""

    folder: Path
    port: int
    env: dict[str, str]
    patience: float = 60
    begun: list[subprocess.Popen[str]] = field(default_factory=list)

    def dev(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `./dev` to its end."""
        process = self.begin(*words)
        out, err = process.communicate(timeout=self.patience)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Begin `./dev` and leave it running."""
        process = subprocess.Popen(
            ["./dev", *words],
            cwd=self.folder,
            env=self.env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.begun.append(process)
        return process

    def up(self, *words: str) -> subprocess.Popen[str]:
        """Begin `./dev up` and wait until it has said where it listens."""
        process = self.begin("up", "--port", str(self.port), *words)
        card = self.folder / ".data/main/up.json"
        await_true(lambda: card.exists() or process.poll() is not None, seconds=self.patience)
        return process

    def child(self, words: str) -> int:
        """Return the id of the process of this city whose command line has these words."""
        return next(pid for pid, line in self.processes() if words in line)

    def processes(self) -> list[tuple[int, str]]:
        """List every process on this machine that works in this folder or names it."""
        mine = str(self.folder)
        return [(pid, line) for pid, line in all_processes() if mine in line + working_folder(pid)]

    def log(self, name: str) -> str:
        """Return what a process has logged."""
        return (self.folder / ".data/log" / f"{name}.log").read_text()


def all_processes() -> Iterator[tuple[int, str]]:
    """List living processes by id and command line."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(words):
                yield int(entry.name), b" ".join(words).decode(errors="replace")


def working_folder(pid: int) -> str:
    """Return the working folder of a process, or nothing if it is gone."""
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""


def await_true(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait for a condition, and fail if it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def lay_out(folder: Path, *, commands: Sequence[str] = ("run_ocpp", "run_relay", "demo")) -> None:
    """Write the little system into a folder, with the packages of the real one."""
    package = folder / "mobility"
    (package / "management/commands").mkdir(parents=True)
    for name in ("dev", "requirements.lock"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "dev").chmod(0o755)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / "manage.py").write_text(MANAGE)
    modules = {"__init__": "", "settings": SETTINGS, "wsgi": WSGI, "asgi": ASGI, "celery": CELERY}
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text)
    for command in commands:
        (package / f"management/commands/{command}.py").touch()


def clean_env() -> dict[str, str]:
    """Return our environment without the servers that these tests run on."""
    ours = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "TELEMETRY_REDIS_URL", "DEV_STAND"}
    return {key: value for key, value in os.environ.items() if key not in {*ours, "CI", "DATA_DIR"}}


@pytest.fixture
def little_city(tmp_path: Path, free_port: int, dev: ModuleType) -> Iterator[LittleCity]:
    """A little city in an empty folder; whatever a test leaves running there is ended."""
    if not (dev.postgres_of_machine() or shutil.which("apt-get")):
        pytest.skip("this machine has no database servers and no apt to get them by")
    folder = tmp_path / "city"
    folder.mkdir()
    lay_out(folder)
    city = LittleCity(folder, free_port, clean_env())
    yield city
    for process in city.begun:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
    city.dev("stop")


@pytest.fixture
def free_port() -> int:
    """A base port far from the usual ones, another one for each worker process."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return 18000 + 100 * worker


@pytest.fixture(scope="session")
def dev() -> ModuleType:
    """The command itself as a module, for what can be asked without running it."""
    loader = SourceFileLoader("dev", str(ROOT / "dev"))
    spec = spec_from_loader("dev", loader)
    assert spec is not None, "a loader always has a spec"
    module = module_from_spec(spec)
    sys.modules["dev"] = module  # dataclasses look their module up by name
    loader.exec_module(module)
    return module
