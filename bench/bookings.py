"""Booking cycles and races against the real web workers, relay and Celery worker.

Cycle: POST /reservations, POST /trips, the vehicle reports and confirms the unlocking (two POST
/telemetry), POST /trips/{id}/end, the vehicle reports and confirms the lock, and the trip is priced
and paid. Denominator: one such ride. Counted: gunicorn, relay, beat, one Celery worker for rides
and one for telematics, the PostgreSQL cluster and Redis. Not counted: the riders and vehicles (this
process), and what the same processes use when nobody rides, which is stated apart.

Crowd: 50 riders at once, each on a vehicle of their own, through two web workers; they look after
their trip every 0.25 s. Statements are counted in this process, through the same views.

Race: 50 riders reserve one vehicle at the same moment through 4 web workers; exactly one may win.

    ./dev bench bookings [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
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

from django.contrib.gis.geos import MultiPolygon, Polygon  # noqa: E402 — needs Django set up
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from bench.meters import Meter  # noqa: E402
from bench.processes import (  # noqa: E402
    free_port,
    running,
    start_beat,
    start_relay,
    start_web,
    start_worker,
    wait_for_web,
)
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
from mobility.core import clock, geo, ids, outbox  # noqa: E402
from mobility.core.principals import SYSTEM  # noqa: E402
from mobility.geography.models import City  # noqa: E402

RIDERS_OF_A_RACE = 50
AT_ONCE = 16
LON, LAT = 9.2050, 45.4510
PATIENCE_S = 120.0
LOOK_EVERY_S = 0.25
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
@contextmanager
def open_house(port: int, *, web_workers: int) -> Iterator[Meter]:
    """Web workers, relay, beat and two Celery workers, and a meter of what they use."""
    parts = {
        "web": start_web(port, workers=web_workers),
        "worker": start_worker("default"),
        "telematics": start_worker("telematics"),
        "relay": start_relay(),
        "beat": start_beat(),
    }
    with running(*parts.values()):
        wait_for_web(port)
        yield Meter(**parts)


# --- riders and vehicles --------------------------------------------------------------------------
class Riders:
    """HTTP for everybody, a few at a time."""

    def __init__(self, port: int, street: Street, *, at_once: int) -> None:
        limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}/api/v1/", limits=limits, timeout=60
        )
        self.street = street
        # Seconds of each call, by verb.
        self.waits: defaultdict[str, list[float]] = defaultdict(list)

    async def post(self, token: str, path: str, body: dict[str, Any]) -> httpx.Response:
        """One writing call of a rider or a device."""
        return await self.http.post(path, json=body, headers={"Authorization": f"Bearer {token}"})

    async def ride_all(self) -> None:
        """Everybody rides once, in step."""
        pairs = list(zip(self.street.tokens, self.street.codes, strict=True))
        reserved = await asyncio.gather(*(self._reserve(token, code) for token, code in pairs))
        trips = await asyncio.gather(
            *(
                self._ask("start", token, "trips", {"reservation": reservation["id"]}, 201)
                for (token, _code), reservation in zip(pairs, reserved, strict=True)
            )
        )
        await self.obey_all()
        await states_become(trips, {"running"})
        await asyncio.gather(
            *(
                self._ask("end", token, f"trips/{trip['id']}/end", {}, 200)
                for (token, _code), trip in zip(pairs, trips, strict=True)
            )
        )
        await self.obey_all()
        await states_become(trips, {"settled"})

    async def ride_on_and_on(self, token: str, code: str, *, until: float) -> int:
        """One person rides again and again, each at their own pace; how many times."""
        rides, secret = 0, self.street.secrets[code]
        while time.monotonic() < until:
            reservation = await self._reserve(token, code)
            trip = await self._ask("start", token, "trips", {"reservation": reservation["id"]}, 201)
            await self._obey(secret)
            await self._look_until(token, trip["id"], "running")
            await self._ask("end", token, f"trips/{trip['id']}/end", {}, 200)
            await self._obey(secret)
            await self._look_until(token, trip["id"], "ended", "priced", "settled")
            rides += 1
        return rides

    async def _reserve(self, token: str, code: str) -> dict[str, Any]:
        return await self._ask("reserve", token, "reservations", {"vehicle": code}, 201)

    async def _look_until(self, token: str, trip: str, *states: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            seen = await self._ask("look", token, f"trips/{trip}", None, 200)
            if seen["state"] in states:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"a trip never became {states}: {seen}")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _ask(
        self, verb: str, token: str, path: str, body: dict[str, Any] | None, status: int
    ) -> dict[str, Any]:
        """One call of a rider, timed; any other status is the end of the benchmark."""
        began = time.perf_counter()
        if body is None:
            answer = await self.http.get(path, headers={"Authorization": f"Bearer {token}"})
        else:
            answer = await self.post(token, path, body)
        self.waits[verb].append(time.perf_counter() - began)
        if answer.status_code != status:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found

    async def obey_all(self) -> None:
        """Every vehicle asks for its command and confirms it."""
        await asyncio.gather(*(self._obey(secret) for secret in self.street.secrets.values()))

    async def _obey(self, secret: str) -> None:
        heard = await self.post(secret, "telemetry", {"points": [standing_point()]})
        await self.post(secret, "telemetry", {"points": [], "acks": acks_of(heard.json())})

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


def acks_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The commands of a reply, each confirmed."""
    now = clock.now().isoformat()
    return [
        {"command": command["id"], "result": "confirmed", "at": now}
        for command in answer["commands"]
    ]


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
    """The cycle, after two rounds to warm up, with the idle cost taken off."""
    street = provision(riders=rides, vehicles=rides)
    city = Riders(port, street, at_once=AT_ONCE)
    try:
        await city.ride_all()
        await city.ride_all()
        _forget_unused()
        await asyncio.sleep(5)  # what the warm-up left to do
        meter.read()
        await asyncio.sleep(10)
        idle = {part: spent / 10 for part, spent in meter.read().items()}
        began = time.perf_counter()
        for _round in range(rounds):
            await city.ride_all()
        lasted, spent = time.perf_counter() - began, meter.read()
    finally:
        await city.http.aclose()
    count = rides * rounds
    cost = {part: (spent[part] - idle[part] * lasted) * 1000 / count for part in spent}
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
    ]


async def crowd(port: int, *, seconds: float) -> list[Figure]:
    """50 people at once over HTTP, each on a vehicle of their own, ride after ride."""
    street = provision(riders=RIDERS_OF_A_RACE, vehicles=RIDERS_OF_A_RACE)
    city = Riders(port, street, at_once=RIDERS_OF_A_RACE)
    until, began = time.monotonic() + seconds, time.perf_counter()
    try:
        rides = await asyncio.gather(
            *(
                city.ride_on_and_on(token, code, until=until)
                for token, code in zip(street.tokens, street.codes, strict=True)
            )
        )
    finally:
        await city.http.aclose()
    lasted = time.perf_counter() - began
    figures = [
        Figure(name="50 riders: cycles", value=sum(rides) / lasted, unit="/s", more_is_better=True)
    ]
    for verb in ("reserve", "start", "look", "end"):
        waits = sorted(city.waits[verb])
        for share, name in ((0.5, "p50"), (0.95, "p95")):
            wait = 1000 * waits[int(len(waits) * share)]
            figures.append(Figure(name=f"50 riders: {verb}, {name}", value=wait, unit="ms"))
    return figures


def count_statements() -> list[Figure]:
    """Statements of each of a rider's calls, counted in this process."""
    street = provision(riders=1, vehicles=1)
    phone = APIClient(headers={"Authorization": f"Bearer {street.tokens[0]}", "Host": "127.0.0.1"})
    trip = ""
    figures = []
    for verb, path, body in (
        ("search", "vehicles", {"lat": LAT, "lon": LON}),
        ("reserve", "reservations", {"vehicle": street.codes[0]}),
        ("start", "trips", {"vehicle": street.codes[0]}),
        ("look", "trips/{trip}", {}),
        ("end", "trips/{trip}/end", {}),
    ):
        call = phone.get if verb in {"search", "look"} else phone.post
        address = f"/api/v1/{path.format(trip=trip)}"
        with CaptureQueriesContext(connection) as asked:
            answer = call(address, body, format=None if call == phone.get else "json")
        # Counted at once: the next call of anybody clears what was captured.
        figures.append(Figure(name=f"statements: {verb}", value=len(asked), unit=""))
        if answer.status_code >= 300:
            raise RuntimeError(f"{verb}: {answer.status_code} {answer.content[:300]!r}")
        if verb == "start":
            trip = answer.json()["id"]
            _obey_here(street.secrets[street.codes[0]])
    return figures


def _obey_here(secret: str) -> None:
    """The vehicle does as it was told, and everybody hears of it, in this process."""
    device = APIClient(headers={"Authorization": f"Bearer {secret}", "Host": "127.0.0.1"})
    heard = device.post("/api/v1/telemetry", {"points": [standing_point()]}, format="json")
    device.post("/api/v1/telemetry", {"points": [], "acks": acks_of(heard.json())}, format="json")
    while tasks := outbox.claim_undispatched(at=clock.now()):
        for _queue, events in tasks:
            outbox.deliver(ids=events, at=clock.now())


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
    """Cycles and a crowd with two web workers, then races against four."""
    figures = count_statements()
    port = free_port()
    with open_house(port, web_workers=2) as meter:
        figures += await ride(port, meter, rides=30 if quick else 100, rounds=2 if quick else 10)
        figures += await crowd(port, seconds=10 if quick else 60)
    port = free_port()
    with open_house(port, web_workers=4):
        figures += await race(port, races=40 if quick else 1000)
    return figures


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
