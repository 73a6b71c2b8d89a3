"""CPU of everything that serves: a process with all its children, the PostgreSQL cluster, Redis."""

from __future__ import annotations

import json
import os
import statistics
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection

from bench.processes import Process
from bench.timing import timed

TICKS = os.sysconf("SC_CLK_TCK")


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def _children() -> dict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                found[int(_fields(int(entry.name))[1])].append(int(entry.name))
    return found


def tree_cpu_s(roots: Iterable[int]) -> float:
    """User and system seconds of processes and all below them, ended children included."""
    children = _children()
    waiting, ticks = list(roots), 0
    while waiting:
        pid = waiting.pop()
        with suppress(OSError):
            # A child that ends later is in its parent's figure from then on.
            ticks += sum(int(field) for field in _fields(pid)[11:15])
        waiting += children[pid]
    return ticks / TICKS


def stolen_s() -> float:
    """CPU seconds that a hypervisor gave to others since the machine started, of all cores."""
    # man 5 proc: "cpu" user nice system idle iowait irq softirq steal …
    [line] = [row for row in Path("/proc/stat").read_text().splitlines() if row.startswith("cpu ")]
    return int(line.split()[8]) / TICKS


def fixed_work_ms() -> float:
    """Milliseconds of some work that is always the same: how fast this machine is just now."""
    return statistics.median(timed(_work) for _ in range(9))


def _work() -> None:
    words = {str(number): number for number in range(20_000)}
    json.loads(json.dumps(words))
    sorted(words, key=lambda word: words[word] % 97)


def postmaster_pid() -> int:
    """The first process of the PostgreSQL cluster behind Django's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        folder = Path(cursor.fetchone()[0])
    return int((folder / "postmaster.pid").read_text().split()[0])


def redis_cpu_s(urls: Iterable[str]) -> float:
    """User and system seconds of the Redis servers behind these addresses, each counted once."""
    seconds: dict[str, float] = {}
    for url in urls:
        with redis.Redis.from_url(url) as client:
            info = client.info()
        seconds[info["run_id"]] = info["used_cpu_user"] + info["used_cpu_sys"]
    return sum(seconds.values())


class Meter:
    """CPU seconds by part since it was read last: the named processes, the database, Redis."""

    def __init__(self, **processes: Process) -> None:
        self.processes = processes
        self.postmaster = postmaster_pid()
        self.last = self._now()

    def read(self) -> dict[str, float]:
        """Seconds by part since the last reading."""
        now = self._now()
        spent = {part: now[part] - self.last[part] for part in now}
        self.last = now
        return spent

    def _now(self) -> dict[str, float]:
        own = {name: tree_cpu_s([process.pid]) for name, process in self.processes.items()}
        urls = [settings.REDIS_URL, settings.TELEMETRY_REDIS_URL]
        return {**own, "database": tree_cpu_s([self.postmaster]), "redis": redis_cpu_s(urls)}
