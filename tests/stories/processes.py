"""Start the processes of the house on free ports, watch them, and stop them by their ids."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
TETHER = [sys.executable, str(Path(__file__).with_name("tethered.py"))]
STOP_PATIENCE_S = 10.0


class ProcessDied(AssertionError):
    """A process ended although nobody asked it to; the message carries the end of its log."""


@dataclass
class Process:
    """One process with its own log file."""

    name: str
    argv: list[str]
    log: Path
    handle: "subprocess.Popen[bytes] | None" = None
    _sink: IO[bytes] | None = None

    def start(self, env: dict[str, str]) -> None:
        """Start it so that it cannot outlive this test run, even a killed one."""
        self._sink = self.log.open("ab")
        self.handle = subprocess.Popen(
            self.argv,
            cwd=ROOT,
            env=env,
            stdout=self._sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def check(self) -> None:
        """Raise ProcessDied when it is no longer there."""
        if self.handle is None or self.handle.poll() is not None:
            code = self.handle.returncode if self.handle else "never started"
            raise ProcessDied(f"{self.name} ended ({code}):\n{self.tail()}")

    def tail(self, lines: int = 30) -> str:
        """The end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def ask_to_stop(self) -> None:
        """SIGTERM to this one process; its children are its own business."""
        if self.handle is not None and self.handle.poll() is None:
            self.handle.terminate()

    def kill(self) -> None:
        """SIGKILL to it and all its children: what a power cut or the kernel does."""
        if self.handle is not None and self.handle.poll() is None:
            os.killpg(self.handle.pid, signal.SIGKILL)
            self.handle.wait(5)

    def make_sure_it_is_gone(self, deadline: float) -> None:
        """Wait until ``deadline`` (monotonic), then kill its whole session."""
        if self.handle is None:
            return
        try:
            self.handle.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.handle.pid, signal.SIGKILL)
            self.handle.wait(5)
        if self._sink is not None:
            self._sink.close()


@dataclass
class House:
    """All processes of one run, and how to reach them."""

    env: dict[str, str]
    web_url: str
    live_url: str
    ocpp_url: str
    folder: Path
    processes: dict[str, Process] = field(default_factory=dict)

    def add(self, name: str, *argv: str) -> None:
        """Start a process under ``name``; ``argv`` follows the interpreter."""
        process = Process(name, [*TETHER, sys.executable, *argv], self.folder / f"{name}.log")
        self.processes[name] = process
        process.start(self.env)

    def kill_and_restart(self, name: str, *, away_s: float) -> None:
        """A crash: the process and its children die at once and come back after a while."""
        self.processes[name].kill()
        time.sleep(away_s)
        self.processes[name].start(self.env)

    def run_once(self, name: str, *argv: str, patience_s: float = 120.0) -> str:
        """Run a command of the house to its end; its output, or ProcessDied when it failed."""
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=patience_s,
            check=False,
        )
        (self.folder / f"{name}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
        if done.returncode != 0:
            raise ProcessDied(f"{name} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
        return done.stdout

    def check(self) -> None:
        """Raise ProcessDied when any of them is gone."""
        for process in self.processes.values():
            process.check()

    def wait_until(self, condition: Callable[[], bool], *, what: str, patience_s: float) -> None:
        """Look five times a second; a dead process ends the waiting at once."""
        deadline = time.monotonic() + patience_s
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- {p.name}\n{p.tail(8)}" for p in self.processes.values())
                raise TimeoutError(f"{what} did not happen in {patience_s:.0f} s\n{logs}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Ask all, in the reverse order of their start, then make sure."""
        for process in reversed(self.processes.values()):
            process.ask_to_stop()
        deadline = time.monotonic() + STOP_PATIENCE_S
        for process in self.processes.values():
            process.make_sure_it_is_gone(deadline)


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Does somebody accept connections there?"""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
