"""Telemetry from the door to the tables, against real web workers, Redis, Celery and PostgreSQL.

Cycle: POST /telemetry with 1, 50 or 500 points → the log → drained: points, latest state, crossings
of 588 zones (the 88 districts of Milan as service areas, 500 synthetic ones: 400 slow, 100 no
riding), speed limits ordered, alarms, the city's border, the offset. Every vehicle is on a trip and
moves about 40 m from point to point, as one does that rides and reports every ten seconds.
Counted: gunicorn, the Celery worker of the queue, beat, PostgreSQL and Redis. Not counted: the
vehicles (this process). What the same processes use while nobody reports is stated apart.

Denominators, measured in the same run: COPY of finished rows, 10,000 at a time and in order, into a
table with the same columns and indexes (CPU of the backend and of the process that writes); and
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
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
import msgspec
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
os.environ |= {"LOG_LEVEL": "ERROR", "HTTPS": "false"}
django.setup()

import shapely  # noqa: E402 — after Django, which says where GEOS is
from django.conf import settings  # noqa: E402
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon  # noqa: E402
from django.db import connection  # noqa: E402

from bench.meters import postmaster_pid, redis_cpu_s, tree_cpu_s  # noqa: E402
from bench.one_by_one import QUEUE, store_point  # noqa: E402
from bench.report import Figure, publish  # noqa: E402
from bench.zones import EAST, NORTH, SOUTH, WEST, districts, synthetic  # noqa: E402
from fleet.telematics import records  # noqa: E402
from fleet.telematics.log import entry_order, point_log  # noqa: E402
from fleet.telematics.models import DeviceAssignment, IngestOffset, ZoneCrossing  # noqa: E402
from fleet.telematics.services import (  # noqa: E402
    Placement,
    add_devices,
    ensure_partitions,
    place_vehicles,
)
from fleet.telematics.store import copy_bytes, point_store  # noqa: E402
from fleet.vehicles import mailbox  # noqa: E402
from fleet.vehicles.models import Vehicle, VehicleType  # noqa: E402
from fleet.vehicles.states import Kind, LifeState, LinkState, RentalState  # noqa: E402
from fleet.zones import services as zones  # noqa: E402
from fleet.zones.rules import Rule  # noqa: E402
from mobility.accounts.services import ensure_organisation  # noqa: E402
from mobility.accounts.states import OrganisationKind  # noqa: E402
from mobility.core import clock, geo, ids  # noqa: E402
from mobility.core.principals import SYSTEM  # noqa: E402
from mobility.geography.models import City  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
E7 = 10_000_000
STEP_S = 1.0
STEP_M = 36.0
# Live points are at most five minutes old; the newest may be as far ahead.
OLDEST_S = 200.0
COPY_ROWS = 10_000
PATIENCE_S = 300.0
SENDERS = 4


@dataclass(frozen=True)
class Fleet:
    """Vehicles on trips, with the secrets of their devices."""

    vehicle_ids: list[int]
    device_ids: list[int]
    secrets: list[str]


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


# --- the city and its fleet -----------------------------------------------------------------------
def publish_city() -> City:
    """A city with 588 zones in force."""
    at = clock.now()
    comune = ensure_organisation(slug="bench", name={"it": "Banco"}, kind=OrganisationKind.CITY)
    city = City.objects.create(
        slug=f"bench-{ids.short_code().lower()}",
        name={"it": "Banco"},
        organisation=comune,
        boundary=_area(shapely.box(WEST, SOUTH, EAST, NORTH)),
        centre=geo.point((WEST + EAST) / 2, (SOUTH + NORTH) / 2),
    )
    draft = zones.create_draft(
        organisation_id=comune.pk, city_id=city.pk, title="Bench", at=at, by=SYSTEM
    )
    small = synthetic(number=500, seed=500, biggest=0.006)
    slow = (Rule(maximum_speed_kmh=15),)
    drawn = [(shape, "slow", slow) for shape in small[:400]]
    drawn += [(shape, "no_ride", ()) for shape in small[400:]]
    drawn += [(shape, "operating", ()) for shape in districts()]
    drafts = [
        zones.ZoneDraft(
            code=f"z{number}",
            name={"it": str(number)},
            kind=kind,
            boundary=_area(shape),
            rules=rules,
        )
        for number, (shape, kind, rules) in enumerate(drawn)
    ]
    zones.replace_zones(set_id=draft.pk, zones=drafts, at=at, by=SYSTEM)
    zones.publish(set_id=draft.pk, acknowledged=True, at=at, by=SYSTEM)
    return city


def provision(city: City, *, vehicles: int) -> Fleet:
    """Scooters on trips."""
    at = clock.now()
    run = ids.short_code()
    operator = ensure_organisation(
        slug="bench-fleet", name={"it": "Banco"}, kind=OrganisationKind.FLEET_OPERATOR
    )
    model, _created = VehicleType.objects.get_or_create(
        code="bench-scooter",
        defaults={
            "name": {"it": "Monopattino"},
            "kind": Kind.SCOOTER,
            "max_range_m": 40_000,
            "max_speed_kmh": 25,
            "battery_wh": 550,
        },
    )
    made = Vehicle.objects.bulk_create(
        Vehicle(
            organisation=operator,
            city=city,
            type=model,
            code=f"{run}{number}",
            life_state=LifeState.IN_SERVICE,
            rental_state=RentalState.ON_TRIP,
            link_state=LinkState.ONLINE,
        )
        for number in range(vehicles)
    )
    secrets = add_devices(vehicle_codes=[row.code for row in made], at=at, by=SYSTEM)
    # Their points begin before this moment.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE fleet_deviceassignment SET during = tstzrange(lower(during) - interval '1 day',"
            " NULL) WHERE vehicle_id = ANY (%s)",
            [[row.pk for row in made]],
        )
    pairs = DeviceAssignment.objects.filter(vehicle__in=made)
    devices = dict(pairs.values_list("vehicle_id", "device_id"))
    spots = [Placement(vehicle_id=row.pk, lon=9.19, lat=45.46, battery_pct=80) for row in made]
    place_vehicles(places=spots, at=at - datetime.timedelta(hours=1), by=SYSTEM)
    return Fleet(
        vehicle_ids=[row.pk for row in made],
        device_ids=[devices[row.pk] for row in made],
        secrets=[secrets[row.code] for row in made],
    )


def _area(shape: shapely.Geometry) -> MultiPolygon:
    area = GEOSGeometry(memoryview(shapely.to_wkb(shapely.force_2d(shape))), srid=geo.WGS84)
    return area if isinstance(area, MultiPolygon) else MultiPolygon(area, srid=geo.WGS84)


# --- where they ride ------------------------------------------------------------------------------
def ride(vehicles: int, each: int, *, start_s: float, step_s: float = STEP_S) -> Any:
    """Ways through the city, one row a vehicle: points (type `POINT`) in the order of time."""
    chance = np.random.default_rng(vehicles * 1_000 + each)
    turns = chance.normal(0, 0.3, (vehicles, each)).cumsum(axis=1)
    heading = chance.uniform(0, 2 * np.pi, (vehicles, 1)) + turns
    lon = chance.uniform(WEST + 0.05, EAST - 0.05, (vehicles, 1))
    lat = chance.uniform(SOUTH + 0.03, NORTH - 0.03, (vehicles, 1))
    lon = lon + (np.cos(heading) * STEP_M / 78_000).cumsum(axis=1)
    lat = lat + (np.sin(heading) * STEP_M / 111_000).cumsum(axis=1)
    points = np.zeros((vehicles, each), dtype=records.POINT)
    jitter = chance.integers(0, 900, (vehicles, each)) * 1_000
    points["at_us"] = (start_s + np.arange(each) * step_s) * 1e6 + jitter * min(step_s, 1.0)
    points["lon_e7"] = np.rint(_reflected(lon, WEST, EAST) * E7)
    points["lat_e7"] = np.rint(_reflected(lat, SOUTH, NORTH) * E7)
    points["odometer_m"] = np.arange(each) * STEP_M
    points["accuracy_dm"] = chance.integers(20, 120, (vehicles, each))
    points["speed_cms"] = chance.integers(200, 600, (vehicles, each))
    points["heading"] = np.degrees(heading) % 360
    points["battery_pct"], points["locked"], points["tilted"] = 80, 0, 0
    return points


def _reflected(values: Any, low: float, high: float) -> Any:
    """Back into the box, as a billiard ball comes back."""
    span = high - low
    folded = np.abs((values - low) % (2 * span))
    return low + np.where(folded > span, 2 * span - folded, folded)


def bodies(points: Any, *, size: int) -> list[list[bytes]]:
    """The requests of each vehicle, `size` points each, in the order of time."""
    encoded = []
    for row in points:
        reports = [
            {
                "at": int(one["at_us"]) // 1000,
                "lon": int(one["lon_e7"]) / E7,
                "lat": int(one["lat_e7"]) / E7,
                "speed_kmh": round(int(one["speed_cms"]) * 0.036, 1),
                "heading_deg": int(one["heading"]),
                "battery_pct": int(one["battery_pct"]),
                "odometer_m": int(one["odometer_m"]),
                "accuracy_m": int(one["accuracy_dm"]) / 10,
                "locked": False,
            }
            for one in row
        ]
        encoded.append(
            [
                msgspec.json.encode({"points": reports[first : first + size]})
                for first in range(0, len(reports), size)
            ]
        )
    return encoded


# --- processes ------------------------------------------------------------------------------------
def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(*command: str) -> subprocess.Popen[bytes]:
    """One of our own processes."""
    env = os.environ | {"C_FORCE_ROOT": "1"}
    return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=env)


def start_web(port: int) -> subprocess.Popen[bytes]:
    """The web workers as `./dev up` starts them."""
    size = ["--worker-class", "gthread", "--workers", "2", "--threads", "8", "--keep-alive", "60"]
    where = ["--preload", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
    return start("-m", "gunicorn", "mobility.wsgi:application", *size, *where)


def start_worker(queue: str, *, app: str = "mobility") -> subprocess.Popen[bytes]:
    """A Celery worker of one process."""
    alone = ["--without-mingle", "--without-gossip", "--without-heartbeat"]
    name = ["-c", "1", "-n", f"bench-{queue}@%h", "-l", "ERROR"]
    return start("-m", "celery", "-A", app, "worker", "-Q", queue, *name, *alone)


def start_beat() -> subprocess.Popen[bytes]:
    """What calls the drains."""
    schedule = Path(tempfile.mkdtemp()) / "beat"
    where = ["-s", str(schedule), "--pidfile=", "-l", "ERROR"]
    return start("-m", "celery", "-A", "mobility", "beat", *where)


@contextmanager
def running(*processes: subprocess.Popen[bytes]) -> Iterator[None]:
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


class Meter:
    """CPU seconds by part since it was read last."""

    def __init__(self, **processes: subprocess.Popen[bytes]) -> None:
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


# --- vehicles that report -------------------------------------------------------------------------
class Sender(threading.Thread):
    """Some vehicles, one after the other on one connection; with `pace_s` no faster than that.

    Each first asks for its commands, before `ready`: the door knows it then, as it does all day.
    """

    def __init__(
        self,
        port: int,
        requests: Sequence[tuple[str, bytes]],
        *,
        ready: threading.Barrier,
        pace_s: float = 0.0,
    ) -> None:
        super().__init__(daemon=True)
        self.port, self.requests, self.pace_s, self.ready = port, requests, pace_s, ready
        self.refused = 0

    def run(self) -> None:
        """Send all; a refusal is sent again."""
        door = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for secret in {secret for secret, _body in self.requests}:
            self._accepted(door, secret, b"{}")
        self.ready.wait()
        due = time.perf_counter()
        for secret, body in self.requests:
            time.sleep(max(0.0, due - time.perf_counter()))
            due += self.pace_s
            while not self._accepted(door, secret, body):
                self.refused += 1
                time.sleep(0.2)
        door.close()

    @staticmethod
    def _accepted(door: http.client.HTTPConnection, secret: str, body: bytes) -> bool:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        door.request("POST", "/api/v1/telemetry", body, headers)
        answer = door.getresponse()
        said = answer.read()
        if answer.status not in {202, 503}:
            raise RuntimeError(f"{answer.status} {said[:300]!r}")
        return answer.status == 202


def send_all(
    port: int,
    requests: Sequence[tuple[str, bytes]],
    *,
    pace_s: float = 0.0,
    begin: Callable[[], object] = lambda: None,
) -> None:
    """All requests through a few connections; each vehicle's stay in their order.

    `begin` is called when everybody is ready, before the first report.
    """
    by_secret: dict[str, list[tuple[str, bytes]]] = {}
    for request in requests:
        by_secret.setdefault(request[0], []).append(request)
    shares: list[list[tuple[str, bytes]]] = [[] for _ in range(SENDERS)]
    for number, share in enumerate(_rounds(by_secret)):
        shares[number % SENDERS] += share
    ready = threading.Barrier(SENDERS, action=begin, timeout=120)
    senders = [Sender(port, share, ready=ready, pace_s=pace_s * SENDERS) for share in shares]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()


def _rounds(by_secret: dict[str, list[tuple[str, bytes]]]) -> Iterator[list[tuple[str, bytes]]]:
    """Groups of vehicles that never meet another sender, their requests taken in turn."""
    secrets = sorted(by_secret)
    for share in range(SENDERS):
        mine = [by_secret[secret] for secret in secrets[share::SENDERS]]
        longest = max((len(requests) for requests in mine), default=0)
        yield [requests[n] for n in range(longest) for requests in mine if n < len(requests)]


def wait_for_web(port: int) -> None:
    """Until the door answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the web workers did not come up")


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


# --- what is measured -----------------------------------------------------------------------------
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
    """Points per CPU second of COPY into the same indexed table, backend and writer together."""
    fleet = np.arange(rows // 100) + 10_000_000
    points = np.zeros(rows, dtype=records.OWNED_POINT)
    way = ride(len(fleet), 100, start_s=time.time() - OLDEST_S).reshape(-1)
    for name in records.POINT.names or ():
        points[name] = way[name]
    points["vehicle_id"] = np.repeat(fleet, 100)
    points["received_us"] = int(time.time() * 1e6)
    chunks = [copy_bytes(points[first : first + COPY_ROWS]) for first in range(0, rows, COPY_ROWS)]
    columns = ", ".join(_columns("fleet_point"))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_copy (LIKE fleet_point INCLUDING ALL)")
        cursor.execute("SELECT pg_backend_pid()")
        backend = int(cursor.fetchone()[0])
        before = tree_cpu_s([backend]) + time.process_time()
        for chunk in chunks:
            with cursor.copy(f"COPY bench_copy ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(chunk)
        spent = tree_cpu_s([backend]) + time.process_time() - before
        cursor.execute("DROP TABLE bench_copy")
    return rows / spent


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


class Watch(threading.Thread):
    """Sees every entry come into the log, and when the offset in the database has passed it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.entries: list[tuple[int, int]] = []
        self.offsets: list[tuple[float, tuple[int, int]]] = []
        self.over = threading.Event()

    def run(self) -> None:
        """Look every two milliseconds."""
        client: Any = mailbox.client()
        last = b"$"
        newest = client.xinfo_stream("tele:0")["last-generated-id"]
        last = newest
        while not self.over.is_set():
            for _key, entries in client.xread({"tele:0": last}, count=10_000) or ():
                self.entries += [entry_order(entry_id.decode()) for entry_id, _ in entries]
                last = entries[-1][0]
            stored = IngestOffset.objects.filter(shard=0).values_list("last_id", flat=True).first()
            if stored:
                self.offsets.append((time.time() * 1000, entry_order(stored)))
            time.sleep(0.002)
        connection.close()

    def latencies_ms(self) -> Any:
        """From each entry's own time to the first look at which it was stored."""
        found, place = [], 0
        for entry in sorted(self.entries):
            while place < len(self.offsets) and self.offsets[place][1] < entry:
                place += 1
            if place < len(self.offsets):
                found.append(self.offsets[place][0] - entry[0])
        return np.array(found or [np.nan])


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
