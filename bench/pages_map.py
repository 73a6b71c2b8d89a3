"""One look at the live map, and 500 who watch it; a part of `./dev bench pages`."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from django.db import connection

from bench.meters import tree_cpu_s
from bench.pages_city import Fleet
from bench.processes import free_port, running, start, wait_for
from bench.report import Figure
from bench.timing import p95, timed
from fleet.telematics.standing import read_standing
from mobility.core import clock
from mobility.live import audience, queries, rules
from mobility.live.audience import Audience

MOVED, LISTENERS = 1_000, 500
STAFF = Audience.staff(None)


def measure_map() -> list[Figure]:
    """One look, a snapshot, a second in which a thousand moved."""
    watch = queries.Watch()

    def look() -> rules.Picture:
        return watch.pictures(audiences=frozenset({STAFF}), at=clock.now())[STAFF]

    look()
    looks, read = [timed(look) for _ in range(9)], [timed(read_standing) for _ in range(9)]
    before = look()
    after = _rolled(before)
    snapshot, delta = rules.encode_snapshot(before), rules.encode_delta(before=before, after=after)
    encode = {
        "snapshot": [timed(lambda: rules.encode_snapshot(before)) for _ in range(9)],
        "delta": [timed(lambda: rules.encode_delta(before=before, after=after)) for _ in range(99)],
        "packing": [timed(lambda: rules.packed(delta)) for _ in range(99)],
    }
    median = statistics.median
    return [
        Figure(name="map: query of all vehicles", value=median(read), unit="ms"),
        Figure(name="map: whole look (vehicles, sites, faces)", value=median(looks), unit="ms"),
        Figure(name="map: snapshot written", value=median(encode["snapshot"]), unit="ms"),
        Figure(name="map: snapshot", value=len(snapshot) / 1000, unit="kB"),
        Figure(name="map: snapshot, packed", value=len(rules.packed(snapshot)) / 1000, unit="kB"),
        Figure(name="map: 1,000 moved, written", value=median(encode["delta"]), unit="ms", limit=1),
        Figure(name="map: 1,000 moved", value=len(delta) / 1000, unit="kB", limit=20),
        Figure(name="map: 1,000 moved, packing", value=median(encode["packing"]), unit="ms"),
        Figure(
            name="map: 1,000 moved, packed",
            value=len(rules.packed(delta)) / 1000,
            unit="kB",
            limit=20,
        ),
    ]


def _rolled(before: rules.Picture) -> rules.Picture:
    chance = np.random.default_rng(7)
    rows = before.vehicles.copy()
    some = np.sort(chance.choice(len(rows), MOVED, replace=False))
    # A scooter at 20 km/h rolls about 5.5 m in a second.
    rows["lon"][some] += chance.integers(-70, 70, MOVED)
    rows["lat"][some] += chance.integers(-50, 50, MOVED)
    rows["heading"][some] = chance.integers(0, 360, MOVED)
    return replace(before, vehicles=rows)


_MOVE = """
UPDATE fleet_lateststate SET lon_e7 = lon_e7 + (random() * 1400 - 700)::int,
       lat_e7 = lat_e7 + (random() * 1000 - 500)::int, heading = (random() * 359)::int,
       at = now(), received_at = now()
WHERE vehicle_id = ANY (%s)
"""


class Listener:
    """One page that watches: reads what comes and notes when."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self.snapshots = 0
        self.bytes = 0
        self._inflate = zlib.decompressobj(wbits=31)

    async def watch(self, port: int, token: str) -> None:
        """Until cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"GET /live/map?token={token} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        try:
            while True:
                size = int(await reader.readline(), 16)
                block = await reader.readexactly(size + 2)
                self._note(block[:-2])
        finally:
            writer.close()

    def _note(self, block: bytes) -> None:
        self.bytes += len(block)
        text = self._inflate.decompress(block)
        self.snapshots += text.startswith(b"event: snapshot")
        if text.startswith(b"event: delta"):
            self.arrivals.append(time.perf_counter())


async def measure_listeners(fleet: Fleet, *, seconds: int) -> list[Figure]:
    """500 watch while a thousand vehicles move each second."""
    port = free_port()
    live = start("-m", "uvicorn", "mobility.asgi:application", "--host", "127.0.0.1", "--port", str(port), "--log-level", "error")  # fmt: skip
    crowd = [Listener() for _ in range(LISTENERS)]
    with running(live):
        await asyncio.to_thread(wait_for, f"http://127.0.0.1:{port}/live/healthz")
        token = audience.sign(STAFF, at=clock.now())
        tasks = [asyncio.create_task(listener.watch(port, token)) for listener in crowd]
        await asyncio.sleep(3)
        spent, began = tree_cpu_s([live.pid]), time.perf_counter()
        heard = [listener.bytes for listener in crowd]
        moved = await _roll(fleet, seconds=seconds)
        await asyncio.sleep(1.5)
        lasted = time.perf_counter() - began
        spent = tree_cpu_s([live.pid]) - spent
        heard = [listener.bytes - was for listener, was in zip(crowd, heard, strict=True)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    delays = sorted(_delays(moved, crowd))
    late = sum(listener.snapshots > 1 for listener in crowd)
    return [
        Figure(name=f"live: CPU of the process, {LISTENERS} listeners", value=spent / lasted, unit="s/s", limit=1),
        Figure(name="live: to each listener", value=statistics.mean(heard) / lasted / 1000, unit="kB/s"),
        Figure(name="live: commit to arrival, p50", value=1000 * delays[len(delays) // 2], unit="ms"),
        Figure(name="live: commit to arrival, p95", value=1000 * p95(delays), unit="ms", aim=2_000),
        Figure(name="live: listeners who fell behind", value=late, unit=""),
    ]  # fmt: skip


async def _roll(fleet: Fleet, *, seconds: int) -> list[float]:
    """Move another thousand each second; the moments of the commits."""
    chance, commits = random.Random(3), []
    for _ in range(seconds):
        began = time.perf_counter()
        await asyncio.to_thread(_move, chance.sample(fleet.vehicle_ids, MOVED))
        commits.append(time.perf_counter())
        await asyncio.sleep(max(0.0, began + 1 - time.perf_counter()))
    return commits


def _move(vehicle_ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, [vehicle_ids])


def _delays(commits: Sequence[float], crowd: Sequence[Listener]) -> list[float]:
    """From each commit to the first picture after it, for every listener."""
    return [
        next(arrival for arrival in listener.arrivals if arrival >= commit) - commit
        for listener in crowd
        for commit in commits
        if listener.arrivals and listener.arrivals[-1] >= commit
    ]
