"""Booking cycles and races against the real web workers, relay and Celery worker.

Cycle: POST /reservations, POST /trips, the vehicle reports and confirms the unlocking (two POST
/telemetry), POST /trips/{id}/end, the vehicle reports and confirms the lock, and the trip is priced
and paid. Denominator: one such ride. Counted: gunicorn, relay, beat, one Celery worker for rides
and one for telematics, the PostgreSQL cluster and Redis. Not counted: the riders and vehicles (this
process), and what the same processes use when nobody rides, which is stated apart.

Race: 50 riders reserve one vehicle at the same moment through 4 web workers; exactly one may win.

    ./dev bench bookings [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import django
import httpx

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
os.environ |= {
    "LOG_LEVEL": "ERROR",
    "DEMO_PAYMENTS": "true",
    "HTTPS": "false",
    "RATE_LIMITING": "false",
}
django.setup()

from django.conf import settings  # noqa: E402 — needs Django set up
from django.contrib.gis.geos import MultiPolygon, Polygon  # noqa: E402

from bench.meters import postmaster_pid, redis_cpu_s, tree_cpu_s  # noqa: E402
from bench.report import Figure, publish  # noqa: E402
from bookings.payments.services import add_payment_method  # noqa: E402
from bookings.pricing.models import Tariff  # noqa: E402
from bookings.pricing.services import draft_version, publish_version  # noqa: E402
from bookings.reservations.models import Reservation  # noqa: E402
from bookings.trips.models import Trip  # noqa: E402
from fleet.telematics.services import Placement, add_devices, place_vehicles  # noqa: E402
from fleet.vehicles.models import Vehicle, VehicleType  # noqa: E402
from fleet.vehicles.states import Kind, LifeState, LinkState  # noqa: E402
from mobility.accounts import services as accounts  # noqa: E402
from mobility.accounts.models import Organisation, User  # noqa: E402
from mobility.accounts.states import OrganisationKind  # noqa: E402
from mobility.core import clock, geo, ids  # noqa: E402
from mobility.core.principals import SYSTEM  # noqa: E402
from mobility.geography.models import City  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
RIDERS_OF_A_RACE = 50
AT_ONCE = 16
LON, LAT = 9.2050, 45.4510
PATIENCE_S = 120.0
REPORT_EVERY_S = 30.0


@dataclass(frozen=True)
class Street:
    """Riders by their tokens, vehicles by their codes and the secrets of their devices."""

    tokens: list[str]
    codes: list[str]
    secrets: dict[str, str]


# --- the city -------------------------------------------------------------------------------------
def provision(*, riders: int, vehicles: int) -> Street:
    """An operator with a tariff, vehicles with devices, riders with cards and tokens."""
    run = ids.short_code()
    at = clock.now()
    operator = accounts.ensure_organisation(
        slug=f"bench-{run.lower()}", name={"en": "Bench"}, kind=OrganisationKind.FLEET_OPERATOR
    )
    _publish_prices(operator, at=at)
    codes = [f"{run}{number}" for number in range(vehicles)]
    _place(codes, operator=operator, city=_city(operator, run), at=at)
    secrets = add_devices(vehicle_codes=codes, at=at, by=SYSTEM)
    tokens = [_rider(f"{run}-{number}@bench.example", at=at) for number in range(riders)]
    return Street(tokens=tokens, codes=codes, secrets=secrets)


def _city(operator: Organisation, run: str) -> City:
    square = MultiPolygon(Polygon.from_bbox((9.06, 45.38, 9.30, 45.54)), srid=geo.WGS84)
    return City.objects.create(
        slug=f"bench-{run.lower()}",
        name={"en": "Bench"},
        organisation=operator,
        boundary=square,
        centre=geo.point(LON, LAT),
    )


def _publish_prices(operator: Organisation, *, at: datetime.datetime) -> None:
    tariff = Tariff.objects.create(
        organisation=operator, code="bench", title={"en": "Bench"}, vehicle_kinds=["scooter"]
    )
    draft = draft_version(
        tariff=tariff,
        valid_from=at - datetime.timedelta(days=1),
        vat_rate=Decimal("0.22"),
        unlock_cents=100,
        minute_cents=25,
        pause_minute_cents=10,
        preauth_cents=500,
        grace_s=0,
    )
    publish_version(version_id=draft.pk, at=at, by=SYSTEM)


def _place(
    codes: Sequence[str], *, operator: Organisation, city: City, at: datetime.datetime
) -> None:
    model, _created = VehicleType.objects.get_or_create(
        code="bench-scooter",
        defaults={
            "name": {"en": "Scooter"},
            "kind": Kind.SCOOTER,
            "max_range_m": 40_000,
            "max_speed_kmh": 20,
            "battery_wh": 550,
        },
    )
    made = Vehicle.objects.bulk_create(
        Vehicle(
            organisation=operator,
            city=city,
            type=model,
            code=code,
            life_state=LifeState.IN_SERVICE,
            link_state=LinkState.ONLINE,
        )
        for code in codes
    )
    spots = [Placement(vehicle_id=row.pk, lon=LON, lat=LAT, battery_pct=80) for row in made]
    place_vehicles(places=spots, at=at, by=SYSTEM)


def _rider(email: str, *, at: datetime.datetime) -> str:
    user = User.objects.create_user(email)
    add_payment_method(user_id=user.pk, token="demo-ok", at=at, by=SYSTEM)
    _token, secret = accounts.issue_token(user=user, label="bench", at=at, by=SYSTEM)
    return secret


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


def start_all(*, port: int, workers: int) -> list[subprocess.Popen[bytes]]:
    """The web workers, the relay, beat and the Celery workers."""
    web = [
        "gunicorn",
        "mobility.wsgi:application",
        "--worker-class",
        "gthread",
        "--graceful-timeout",
        "3",
    ]
    worker = ["celery", "-A", "mobility", "worker", "-c", "1", "-l", "ERROR"]
    size = ["--threads", "8", "--keep-alive", "60", "--workers", str(workers)]
    schedule = Path(tempfile.mkdtemp()) / "beat"
    beat = ["celery", "-A", "mobility", "beat", "-s", str(schedule), "--pidfile="]
    return [
        start("-m", *web, *size, "--bind", f"127.0.0.1:{port}", "--log-level", "error"),
        start("-m", *worker, "-Q", "default", "-n", "rides@%h"),
        start("-m", *worker, "-Q", "telematics", "-n", "points@%h"),
        start("manage.py", "run_relay"),
        start("-m", *beat, "-l", "ERROR"),
    ]


def stop_all(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """All that this benchmark started."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


class Meter:
    """CPU seconds of all serving processes since it was read last."""

    def __init__(self, processes: Iterable[subprocess.Popen[bytes]]) -> None:
        self.roots = [process.pid for process in processes]
        self.postmaster = postmaster_pid()
        self.last = self._now()

    def read(self) -> dict[str, float]:
        """Seconds by part since the last reading."""
        now = self._now()
        spent = {part: now[part] - self.last[part] for part in now}
        self.last = now
        return spent

    def _now(self) -> dict[str, float]:
        web, worker, telematics, relay, beat = self.roots
        return {
            "web": tree_cpu_s([web]),
            "worker": tree_cpu_s([worker]),
            "telematics": tree_cpu_s([telematics]),
            "relay and beat": tree_cpu_s([relay, beat]),
            "database": tree_cpu_s([self.postmaster]),
            "redis": redis_cpu_s([settings.REDIS_URL, settings.TELEMETRY_REDIS_URL]),
        }


# --- riders and vehicles --------------------------------------------------------------------------
class Riders:
    """HTTP for everybody, a few at a time."""

    def __init__(self, port: int, street: Street, *, at_once: int) -> None:
        limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}/api/v1/", limits=limits, timeout=60
        )
        self.street = street

    async def post(self, token: str, path: str, body: dict[str, Any]) -> httpx.Response:
        """One writing call of a rider or a device."""
        return await self.http.post(path, json=body, headers={"Authorization": f"Bearer {token}"})

    async def ride_all(self) -> list[float]:
        """Everybody rides once, in step; seconds of each rider's own calls."""
        waits: list[float] = []
        pairs = list(zip(self.street.tokens, self.street.codes, strict=True))

        async def ask(token: str, path: str, body: dict[str, Any], status: int) -> dict[str, Any]:
            began = time.perf_counter()
            answer = await self.post(token, path, body)
            waits.append(time.perf_counter() - began)
            if answer.status_code != status:
                raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
            found: dict[str, Any] = answer.json()
            return found

        reserved = await asyncio.gather(
            *(ask(token, "reservations", {"vehicle": code}, 201) for token, code in pairs)
        )
        trips = await asyncio.gather(
            *(
                ask(token, "trips", {"reservation": reservation["id"]}, 201)
                for (token, _code), reservation in zip(pairs, reserved, strict=True)
            )
        )
        await self.obey_all()
        await states_become(trips, {"running"})
        await asyncio.gather(
            *(
                ask(token, f"trips/{trip['id']}/end", {}, 200)
                for (token, _code), trip in zip(pairs, trips, strict=True)
            )
        )
        await self.obey_all()
        await states_become(trips, {"settled"})
        return waits

    async def obey_all(self) -> None:
        """Every vehicle asks for its command and confirms it."""
        await asyncio.gather(*(self._obey(secret) for secret in self.street.secrets.values()))

    async def _obey(self, secret: str) -> None:
        heard = await self.post(secret, "telemetry", {"points": [standing_point()]})
        acks = [
            {"command": command["id"], "result": "confirmed", "at": clock.now().isoformat()}
            for command in heard.json()["commands"]
        ]
        await self.post(secret, "telemetry", {"points": [], "acks": acks})

    async def report_all(self) -> None:
        """Every vehicle tells where it stands, or it would be withdrawn as silent."""
        body = {"points": [standing_point()]}
        secrets = list(self.street.secrets.values())
        for first in range(0, len(secrets), AT_ONCE):
            some = secrets[first : first + AT_ONCE]
            await asyncio.gather(*(self.post(secret, "telemetry", body) for secret in some))

    async def race(self, code: str) -> Counter[int]:
        """All riders reserve one vehicle at the same moment; how they were answered."""
        answers = await asyncio.gather(
            *(self.post(token, "reservations", {"vehicle": code}) for token in self.street.tokens)
        )
        for token, answer in zip(self.street.tokens, answers, strict=True):
            if answer.status_code == 201:
                await self.post(token, f"reservations/{answer.json()['id']}/cancel", {})
        return Counter(answer.status_code for answer in answers)


def standing_point() -> dict[str, Any]:
    """What a parked vehicle reports now."""
    now = clock.now().isoformat()
    return {"at": now, "lat": LAT, "lon": LON, "speed_kmh": 0, "battery_pct": 80, "locked": True}


async def states_become(trips: list[dict[str, Any]], wanted: set[str]) -> None:
    """Wait until all trips are there; seldom asked, so that asking costs next to nothing."""
    names = [trip["id"] for trip in trips]
    deadline = time.monotonic() + PATIENCE_S
    while True:
        await asyncio.sleep(0.5)
        missing = await Trip.objects.filter(public_id__in=names).exclude(state__in=wanted).acount()
        if not missing:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"{missing} trips never became {wanted}")


# --- scenes ---------------------------------------------------------------------------------------
async def ride(port: int, meter: Meter, *, rides: int, rounds: int) -> list[Figure]:
    """The cycle, after one round to warm up, with the idle cost taken off."""
    street = provision(riders=rides, vehicles=rides)
    city = Riders(port, street, at_once=AT_ONCE)
    try:
        await city.ride_all()
        _forget_unused()
        meter.read()
        began = time.perf_counter()
        await asyncio.sleep(5)
        idle = {part: spent / 5 for part, spent in meter.read().items()}
        began, waits = time.perf_counter(), []
        for _round in range(rounds):
            waits += await city.ride_all()
        lasted, spent = time.perf_counter() - began, meter.read()
    finally:
        await city.http.aclose()
    count = rides * rounds
    cost = {part: (spent[part] - idle[part] * lasted) * 1000 / count for part in spent}
    waits.sort()
    return [
        Figure(
            name="booking cycle",
            value=sum(cost.values()),
            unit="CPU-s/1,000",
            limit=15,
            aim=8,
        ),
        *(
            Figure(name=f"  of that {part}", value=value, unit="CPU-s/1,000")
            for part, value in cost.items()
        ),
        Figure(name="idle, all processes", value=sum(idle.values()) * 1000, unit="CPU-ms/s"),
        Figure(name="a rider's call: p50", value=1000 * waits[len(waits) // 2], unit="ms"),
        Figure(name="a rider's call: p95", value=1000 * waits[int(len(waits) * 0.95)], unit="ms"),
    ]


async def race(port: int, *, races: int) -> list[Figure]:
    """Races for one vehicle after the other."""
    street = provision(riders=RIDERS_OF_A_RACE, vehicles=races)
    city = Riders(port, street, at_once=RIDERS_OF_A_RACE)
    winners: Counter[int] = Counter()
    strange = 0
    reported = time.monotonic()
    try:
        for number, code in enumerate(street.codes):
            if time.monotonic() - reported > REPORT_EVERY_S:
                await city.report_all()
                reported = time.monotonic()
            answers = await city.race(code)
            winners[answers[201]] += 1
            strange += sum(count for status, count in answers.items() if status not in {201, 409})
            if number % 5 == 4:
                await asyncio.to_thread(_forget_unused)
    finally:
        await city.http.aclose()
    wrong = races - winners[1]
    return [
        Figure(name=f"races of {RIDERS_OF_A_RACE} riders", value=races, unit=""),
        Figure(name="  without exactly one winner", value=wrong, unit="", limit=0.5),
        Figure(name="  answers that were neither 201 nor 409", value=strange, unit="", limit=0.5),
    ]


def _forget_unused() -> None:
    """Winners reserve without riding, which an hour's limit would stop."""
    long_ago = clock.now() - datetime.timedelta(hours=2)
    Reservation.objects.filter(state="cancelled").update(reserved_at=long_ago)


async def measure(*, quick: bool) -> list[Figure]:
    """Cycles with two web workers, then races against four."""
    figures = []
    port = free_port()
    processes = start_all(port=port, workers=2)
    try:
        await _answers(port)
        figures += await ride(
            port, Meter(processes), rides=30 if quick else 200, rounds=2 if quick else 5
        )
    finally:
        stop_all(processes)
    port = free_port()
    processes = start_all(port=port, workers=4)
    try:
        await _answers(port)
        figures += await race(port, races=40 if quick else 1000)
    finally:
        stop_all(processes)
    return figures


async def _answers(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    async with httpx.AsyncClient() as http:
        while time.monotonic() < deadline:
            try:
                if (await http.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.3)
    raise RuntimeError("the web process does not answer")


def main() -> int:
    """Start the house, ride, race, publish."""
    parser = argparse.ArgumentParser(description="Benchmark bookings.")
    parser.add_argument("--quick", action="store_true", help="60 rides and 40 races")
    options = parser.parse_args()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the benchmark provisions between its scenes
    figures = asyncio.run(measure(quick=options.quick))
    return 0 if publish(name="bookings", figures=figures, notes={"quick": options.quick}) else 1


if __name__ == "__main__":
    raise SystemExit(main())
