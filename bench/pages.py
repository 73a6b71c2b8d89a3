"""The staff's pages and the live map with 10,000 vehicles in the city.

Pages: the real web workers answer one request after the other, as a member of staff with a session
asks them: the admin's list of vehicles (first page, a filter, a search), the staff API's list, the
desk's home and its pages of alarms and work orders with the calls of the API behind them, and the
snapshot of the map. Each is asked N times after a warm-up; the figure is the 95th percentile of the
whole answer, and the number of queries stands beside it for a city of 1,000 and of 10,000 vehicles:
it must be the same.

Map: one look (the query included) and the writing of the snapshot and of a second in which 1,000
vehicles moved, in this process; then 500 listeners on one live process while every second another
1,000 vehicles move: its CPU per second, and the delay from the commit of a change to its arrival.
Not counted: the listeners and the one who moves the vehicles (this process), and the database.

    ./dev bench pages [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import django
import httpx
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
os.environ |= {"LOG_LEVEL": "ERROR", "HTTPS": "false"}
django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from bench.meters import tree_cpu_s  # noqa: E402
from bench.pages_city import Fleet, provision  # noqa: E402
from bench.processes import free_port, running, start, start_web, wait_for, wait_for_web  # noqa: E402
from bench.report import Figure, publish  # noqa: E402
from fleet.telematics.standing import read_standing  # noqa: E402
from mobility.core import clock  # noqa: E402
from mobility.live import audience, queries, rules  # noqa: E402
from mobility.live.audience import Audience  # noqa: E402

VEHICLES, MOVED = 10_000, 1_000
LISTENERS = 500
LIMIT_MS = 100.0
WARM_UP = 4
STAFF = Audience.staff(None)


# --- pages ----------------------------------------------------------------------------------------
def addresses(fleet: Fleet) -> dict[str, str]:
    """What staff open."""
    return {
        "admin list of vehicles": "/admin/fleet/vehicle/",
        "admin list, filtered": "/admin/fleet/vehicle/?block=low_battery&life_state__exact=in_service",
        "admin list, searched": f"/admin/fleet/vehicle/?q={fleet.prefix}00042",
        "admin list, last page": f"/admin/fleet/vehicle/?p={len(fleet.vehicle_ids) // 50}",
        "staff API list": "/api/v1/fleet/vehicles?limit=50",
        "desk home": "/admin/",
        "alarms page": "/admin/alarms/",
        "alarms of the API": "/api/v1/fleet/alarms?limit=200",
        "work orders page": "/admin/work-orders/",
        "work orders of the API": "/api/v1/fleet/work-orders?limit=50",
        "zones page": "/admin/zones/",
        "support page": "/admin/support/",
        "trail page": "/admin/trail/",
        "live map page": "/admin/map/",
        "saved views of the API": "/api/v1/desk/views",
        "forecast of the API": "/api/v1/fleet/forecast",
        "zone sets of the API": "/api/v1/fleet/zone-sets?limit=50",
        "plans of the API": "/api/v1/fleet/plans?limit=50",
        "tasks of the API": "/api/v1/fleet/tasks?limit=50",
        "admin list of faults": "/admin/fleet/faultreport/",
        "admin list of work orders": "/admin/fleet/workorder/",
    }


def count_queries(fleet: Fleet) -> dict[str, int]:
    """How many queries each page asks, in this process."""
    client = Client(headers={"accept-language": "en", "host": "127.0.0.1"})
    client.force_login(fleet.marco)
    counted = {}
    for name, address in addresses(fleet).items():
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code}")
        counted[name] = len(asked)
    return counted


def time_pages(port: int, fleet: Fleet, *, times: int) -> dict[str, list[float]]:
    """Milliseconds of each answer, one at a time."""
    session = Client()
    session.force_login(fleet.marco)
    cookies = {"sessionid": session.cookies["sessionid"].value}
    took: dict[str, list[float]] = {}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        cookies=cookies,
        timeout=30,
        headers={"accept-language": "en"},
    ) as http:
        for name, address in addresses(fleet).items():
            for _ in range(WARM_UP):
                http.get(address).raise_for_status()
            took[name] = [_timed(lambda a=address: http.get(a)) for _ in range(times)]
    return took


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]


def measure_pages(*, times: int) -> tuple[Fleet, list[Figure]]:
    """Counts with few and with many vehicles, then times with many."""
    few = count_queries(provision(VEHICLES // 10))
    fleet = provision(VEHICLES)
    many = count_queries(fleet)
    port = free_port()
    web = start_web(port)
    with running(web):
        wait_for_web(port)
        spent = tree_cpu_s([web.pid])
        took = time_pages(port, fleet, times=times)
        spent = tree_cpu_s([web.pid]) - spent
    figures = [
        Figure(name=f"p95 {name}", value=p95(values), unit="ms", limit=LIMIT_MS)
        for name, values in took.items()
    ]
    grown = sum(many[name] != few[name] for name in many)
    answers = len(took) * (times + WARM_UP)
    figures.append(
        Figure(name="web: CPU per answer, all pages alike", value=1000 * spent / answers, unit="ms")
    )
    figures.append(
        Figure(name="pages whose queries grow with the fleet", value=grown, unit="", limit=0.5)
    )
    return fleet, figures


# --- the map --------------------------------------------------------------------------------------
def measure_map() -> list[Figure]:
    """One look, a snapshot, a second in which a thousand moved."""
    watch = queries.Watch()

    def look() -> rules.Picture:
        return watch.pictures(audiences=frozenset({STAFF}), at=clock.now())[STAFF]

    look()
    looks, read = [_timed(look) for _ in range(9)], [_timed(read_standing) for _ in range(9)]
    before = look()
    after = _rolled(before)
    snapshot, delta = rules.encode_snapshot(before), rules.encode_delta(before=before, after=after)
    encode = {
        "snapshot": [_timed(lambda: rules.encode_snapshot(before)) for _ in range(9)],
        "delta": [
            _timed(lambda: rules.encode_delta(before=before, after=after)) for _ in range(99)
        ],
        "packing": [_timed(lambda: rules.packed(delta)) for _ in range(99)],
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


def main() -> int:
    """Make the city, ask, watch, publish."""
    parser = argparse.ArgumentParser(description="Benchmark the staff's pages and the live map.")
    parser.add_argument(
        "--quick", action="store_true", help="few requests, ten seconds of watching"
    )
    options = parser.parse_args()
    fleet, figures = measure_pages(times=20 if options.quick else 200)
    figures += measure_map()
    figures += asyncio.run(measure_listeners(fleet, seconds=10 if options.quick else 60))
    return 0 if publish(name="pages", figures=figures, notes={"quick": options.quick}) else 1


if __name__ == "__main__":
    raise SystemExit(main())
