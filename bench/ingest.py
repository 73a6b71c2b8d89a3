"""Telemetry from the door to the tables, against real web workers, Redis, Celery and PostgreSQL.

Cycle: POST /telemetry with 1, 50 or 500 points → the log → drained: points, latest state, crossings
of 588 zones (the 88 districts of Milan as service areas, 500 synthetic ones: 400 slow, 100 no
riding), speed limits ordered, alarms, the city's border, the offset. Every vehicle is on a trip and
moves about 40 m from point to point, as one does that rides and reports every ten seconds.
Counted: gunicorn, the Celery worker of the queue, beat, PostgreSQL and Redis. Not counted: the
vehicles (this process). What the same processes use while nobody reports is stated apart.

Denominators, measured in the same run: COPY of finished rows, 10,000 at a time and in order, by two
sessions into a table with the same columns, indexes and partitions (CPU of PostgreSQL and of the
process that writes); and
one Celery task per message that stores a point and the latest state through the ORM, nothing else
(CPU of worker, PostgreSQL and Redis).

Latency is from the durable append (the entry's own time) to the first moment at which another
session sees the offset at or behind it. The backlog is an hour at 1,000 points/s (`--quick`: a part
of it), appended while nobody drains, 50 points an entry.

    ./dev bench ingest [--quick]
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
os.environ |= {"LOG_LEVEL": "ERROR", "HTTPS": "false"}
django.setup()

from django.conf import settings  # noqa: E402 — needs Django set up
from django.db import connection  # noqa: E402

from bench.ingest_city import (  # noqa: E402
    Fleet,
    bodies,
    provision,
    publish_city,
    ride,
)
from bench.ingest_load import Watch, send_all  # noqa: E402
from bench.meters import Meter  # noqa: E402
from bench.one_by_one import QUEUE, store_point  # noqa: E402
from bench.processes import (  # noqa: E402
    free_port,
    running,
    start_beat,
    start_web,
    start_worker,
    wait_for_web,
)
from bench.report import Figure, publish  # noqa: E402
from fleet.telematics import records  # noqa: E402
from fleet.telematics.log import point_log  # noqa: E402
from fleet.telematics.models import ZoneCrossing  # noqa: E402
from fleet.telematics.services import ensure_partitions  # noqa: E402
from fleet.telematics.store import copy_bytes, point_store  # noqa: E402
from fleet.vehicles import mailbox  # noqa: E402
from mobility.core import clock  # noqa: E402
from mobility.geography.models import City  # noqa: E402

# Live points are at most five minutes old; the newest may be as far ahead.
OLDEST_S = 200.0
COPY_ROWS = 10_000
PATIENCE_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured."""

    single: int
    points: int
    copied: int
    tasks: int
    seconds: float
    backlog: int


FULL = Sizes(
    single=20_000, points=1_000_000, copied=1_000_000, tasks=5_000, seconds=20, backlog=3_600_000
)
QUICK = Sizes(single=1_000, points=60_000, copied=200_000, tasks=500, seconds=4, backlog=100_000)


# --- what is measured -----------------------------------------------------------------------------
def wait_until_stored() -> None:
    """Until nothing waits in the log."""
    deadline = time.monotonic() + PATIENCE_S
    while any(point_log().backlog(shard=shard) for shard in range(settings.TELEMATICS_SHARDS)):
        if time.monotonic() > deadline:
            raise RuntimeError("the log was not stored in time")
        time.sleep(0.02)


def stored_points(fleet: Fleet) -> int:
    """Points of these vehicles in the table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM fleet_point WHERE vehicle_id = ANY (%s)", [fleet.vehicle_ids]
        )
        return int(cursor.fetchone()[0])


def measure_batches(
    city: City, port: int, meter: Meter, *, size: int, points: int, notes: dict[str, Any]
) -> tuple[float, float]:
    """CPU seconds per 1,000 points and points per wall second, for requests of `size` points."""
    each = max(size, 20)
    fleet = provision(city, vehicles=max(1, points // each))
    way = ride(len(fleet.secrets), each, start_s=time.time() - OLDEST_S)
    requests = [
        (secret, body)
        for secret, row in zip(fleet.secrets, bodies(way, size=size), strict=True)
        for body in row
    ]
    crossed = ZoneCrossing.objects.count()
    began = [0.0]

    def begin() -> None:
        meter.read()
        began[0] = time.perf_counter()

    send_all(port, requests, begin=begin)
    wait_until_stored()
    seconds = time.perf_counter() - began[0]
    spent = meter.read()
    sent = way.size
    if stored_points(fleet) != sent:
        raise RuntimeError(f"{stored_points(fleet)} of {sent} points are stored")
    notes[f"batch {size}"] = {
        "points": sent,
        "crossings per point": round((ZoneCrossing.objects.count() - crossed) / sent, 3),
        "cpu_s": {part: round(value, 3) for part, value in spent.items()},
    }
    return sum(spent.values()) / sent * 1_000, sent / seconds


def measure_copy(rows: int) -> float:
    """Points per CPU second of COPY into the same table, PostgreSQL and the writers together.

    The table has the columns, indexes and day partitions of the real one. Two sessions write at
    once: both cores are as busy as under the load this is compared with, for a core whose sibling
    rests does more in a second.
    """
    today = clock.now().astimezone(datetime.UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_copy (LIKE fleet_point INCLUDING ALL) PARTITION BY RANGE (at)"
        )
        for day in (today - datetime.timedelta(days=1), today):
            cursor.execute(
                f"CREATE TABLE bench_copy_{day:%Y%m%d} PARTITION OF bench_copy FOR VALUES"
                f" FROM ('{day} 00:00:00+00') TO ('{day + datetime.timedelta(days=1)} 00:00:00+00')"
            )
    shares = [_copy_chunks(rows // 2, first_vehicle=number * rows) for number in (1, 2)]
    writers = [threading.Thread(target=_copy, args=(share,)) for share in shares]
    meter, before = Meter(), time.process_time()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    time.sleep(0.5)  # a backend's figure reaches its parent when it has ended
    spent = meter.read()["database"] + time.process_time() - before
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_copy")
    return rows / spent


def _copy_chunks(rows: int, *, first_vehicle: int) -> list[bytes]:
    fleet = np.arange(rows // 100) + first_vehicle
    points = np.zeros(rows, dtype=records.OWNED_POINT)
    way = ride(len(fleet), 100, start_s=time.time() - OLDEST_S).reshape(-1)
    for name in records.POINT.names or ():
        points[name] = way[name]
    points["vehicle_id"] = np.repeat(fleet, 100)
    points["received_us"] = int(time.time() * 1e6)
    return [copy_bytes(points[first : first + COPY_ROWS]) for first in range(0, rows, COPY_ROWS)]


def _copy(chunks: list[bytes]) -> None:
    columns = ", ".join(_columns("fleet_point"))
    with connection.cursor() as cursor:
        for chunk in chunks:
            with cursor.copy(f"COPY bench_copy ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(chunk)
    connection.close()


def measure_tasks(city: City, *, tasks: int) -> float:
    """Points per CPU second of one Celery task per message through the ORM."""
    fleet = provision(city, vehicles=20)
    way = ride(20, max(1, tasks // 20), start_s=time.time() - OLDEST_S)
    worker = start_worker(QUEUE, app="bench.one_by_one")
    with running(worker):
        meter = Meter(worker=worker)
        _store_one_by_one(fleet, way[:, :1])
        meter.read()
        _store_one_by_one(fleet, way)
        spent = sum(meter.read().values())
    return float(way.size / spent)


def _store_one_by_one(fleet: Fleet, way: Any) -> None:
    for vehicle_id, row in zip(fleet.vehicle_ids, way, strict=True):
        for one in row:
            store_point.delay(
                vehicle_id=vehicle_id,
                at_us=int(one["at_us"]),
                lon_e7=int(one["lon_e7"]),
                lat_e7=int(one["lat_e7"]),
            )
    deadline = time.monotonic() + PATIENCE_S
    while stored_points(fleet) < way.size:
        if time.monotonic() > deadline:
            raise RuntimeError("the tasks were not done in time")
        time.sleep(0.1)


def measure_latency(city: City, port: int, *, rate: int, seconds: float) -> tuple[float, float]:
    """p50 and p99 in ms from the durable append to the commit, at so many points a second."""
    size = 10 if rate <= 1_000 else 50
    requests = int(rate * seconds / size)
    fleet = provision(city, vehicles=min(200, requests))
    each = -(-requests // len(fleet.secrets)) * size
    way = ride(len(fleet.secrets), each, start_s=time.time() - OLDEST_S, step_s=0.9)
    rows = bodies(way, size=size)
    queue = [
        (secret, row[n])
        for n in range(len(rows[0]))
        for secret, row in zip(fleet.secrets, rows, strict=True)
    ]
    watch = Watch()
    watch.start()
    send_all(port, queue[:requests], pace_s=size / rate)
    wait_until_stored()
    time.sleep(0.1)
    watch.over.set()
    watch.join()
    latencies = watch.latencies_ms()
    return float(np.percentile(latencies, 50)), float(np.percentile(latencies, 99))


def append_backlog(city: City, *, points: int) -> tuple[Fleet, float]:
    """An hour's reports in the log, 50 points an entry; returns the bytes of Redis per point."""
    vehicles, size = 1_000, 50
    fleet = provision(city, vehicles=vehicles)
    each = -(-points // vehicles // size) * size
    way = ride(vehicles, each, start_s=time.time() - 3_600, step_s=3_600 / each)
    client: Any = mailbox.client()
    before = client.info("memory")["used_memory"]
    for first in range(0, each, size):
        for number, device_id in enumerate(fleet.device_ids):
            reports = records.reports_of(
                device_id=device_id, points=way[number, first : first + size]
            )
            payload = records.pack_entry(received_at=clock.now(), reports=reports)
            point_log().append(vehicle_id=fleet.vehicle_ids[number], payload=payload)
    return fleet, (client.info("memory")["used_memory"] - before) / way.size


def measure_bytes(*, rows: int = 100_000) -> tuple[float, float, float]:
    """Bytes per point: of a geometry row with its key, hot as stored here, and closed."""
    today = clock.now().astimezone(datetime.UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_geometry (vehicle_id bigint, at timestamptz, received_at"
            " timestamptz, place geometry(Point, 4326), odometer_m int, accuracy_dm smallint,"
            " speed_cms smallint, heading smallint, battery_pct smallint, locked smallint,"
            " tilted smallint, PRIMARY KEY (vehicle_id, at))"
        )
        cursor.execute(
            "INSERT INTO bench_geometry SELECT vehicle_id, at, received_at, ST_SetSRID("
            " ST_MakePoint(lon_e7 / 1e7, lat_e7 / 1e7), 4326), odometer_m, accuracy_dm, speed_cms,"
            " heading, battery_pct, locked, tilted FROM fleet_point"
            " ORDER BY vehicle_id, at LIMIT %s",
            [rows],
        )
        written = cursor.rowcount
        geometry = _size(cursor, "bench_geometry") / written
        cursor.execute("DROP TABLE bench_geometry")
        cursor.execute(f"SELECT count(*) FROM fleet_point_{today:%Y%m%d}")
        count = int(cursor.fetchone()[0])
        hot = _size(cursor, f"fleet_point_{today:%Y%m%d}") / count
    closed = point_store().close(day=today)
    return geometry, hot, closed.bytes_after / max(1, closed.hot)


def _size(cursor: Any, table: str) -> int:
    cursor.execute("SELECT pg_total_relation_size(%s)", [table])
    return int(cursor.fetchone()[0])


def _columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped ORDER BY attnum",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


# --- the run --------------------------------------------------------------------------------------
def figures(sizes: Sizes, notes: dict[str, Any]) -> Iterator[Figure]:
    """Everything, one after the other."""
    city = publish_city()
    ensure_partitions(at=clock.now())
    port = free_port()
    web, beat = start_web(port), start_beat()
    worker = start_worker("telematics")
    with running(web, beat):
        wait_for_web(port)
        with running(worker):
            meter = Meter(web=web, worker=worker, beat=beat)
            yield from _costs(city, port, meter, sizes, notes)
            for rate in (1_000, 10_000):
                p50, p99 = measure_latency(city, port, rate=rate, seconds=sizes.seconds)
                yield Figure(
                    name=f"accepted to committed, {rate:,} points/s, p50", value=p50, unit="ms"
                )
                yield Figure(
                    name=f"accepted to committed, {rate:,} points/s, p99",
                    value=p99,
                    unit="ms",
                    aim=150,
                )
        yield from _backlog(city, sizes)
    geometry, hot, closed = measure_bytes()
    yield Figure(name="hot, bytes per point", value=hot, unit="B")
    yield Figure(name="closed, bytes per point", value=closed, unit="B")
    yield Figure(name="closed, of a geometry row", value=closed / geometry, unit="", aim=0.10)


def _costs(
    city: City, port: int, meter: Meter, sizes: Sizes, notes: dict[str, Any]
) -> Iterator[Figure]:
    measure_batches(city, port, meter, size=50, points=2_000, notes={})
    meter.read()
    time.sleep(sizes.seconds)
    idle = sum(meter.read().values()) / sizes.seconds
    yield Figure(name="while nobody reports", value=idle, unit="CPU-s/s")
    copied = measure_copy(sizes.copied)
    yield Figure(name="raw COPY, same indexes", value=copied, unit="points/CPU-s")
    one_by_one = measure_tasks(city, tasks=sizes.tasks)
    yield Figure(name="one Celery task per message", value=one_by_one, unit="points/CPU-s")
    aims = {1: 2.0, 50: 0.05, 500: None}
    for size, aim in aims.items():
        points = sizes.single if size == 1 else sizes.points
        cost, wall = measure_batches(city, port, meter, size=size, points=points, notes=notes)
        unit = "CPU-s/1,000"
        yield Figure(name=f"batch {size}, all processes", value=cost, unit=unit, aim=aim)
        yield Figure(name=f"batch {size}, by the clock", value=wall, unit="points/s")
        if size == 500:
            rate = 1_000 / cost
            yield Figure(
                name="batch 500, of raw COPY",
                value=rate / copied,
                unit="",
                limit=0.30,
                aim=0.50,
                more_is_better=True,
            )
            yield Figure(
                name="batch 500, times one task per message",
                value=rate / one_by_one,
                unit="",
                aim=200,
                more_is_better=True,
            )


def _backlog(city: City, sizes: Sizes) -> Iterator[Figure]:
    fleet, per_point = append_backlog(city, points=sizes.backlog)
    yield Figure(name="waiting in Redis, bytes per point", value=per_point, unit="B")
    worker = start_worker("telematics")
    with running(worker):
        _wait_for_first(sizes)
        began, before = time.perf_counter(), stored_points(fleet)
        wait_until_stored()
        seconds = time.perf_counter() - began
    rate = (stored_points(fleet) - before) / seconds
    yield Figure(name="backlog, drained by the clock", value=rate, unit="points/s")
    hour = 3_600_000 / rate
    yield Figure(name="a backlog of one hour (3.6 M points)", value=hour, unit="s", aim=90)


def _wait_for_first(sizes: Sizes) -> None:
    """Until the worker is up and has stored something: its start is not what is measured."""
    waiting = point_log().backlog(shard=0)
    deadline = time.monotonic() + 60
    while point_log().backlog(shard=0) == waiting and time.monotonic() < deadline:
        time.sleep(0.01)


def main(words: Iterable[str] | None = None) -> int:
    """Measure, print, write; 1 if a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args(list(words) if words is not None else None)
    notes: dict[str, Any] = {"quick": arguments.quick}
    found = list(figures(QUICK if arguments.quick else FULL, notes))
    return 0 if publish(name="ingest", figures=found, notes=notes) else 1


if __name__ == "__main__":
    sys.exit(main())
