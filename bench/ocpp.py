"""Chargers against the real gateway: CPU per request, latency, connections, memory.

Denominator: requests answered. Counted: the gateway process and every process of the PostgreSQL
cluster. Not counted: the simulated chargers (this process). The 1.6 cycle is 17 calls: Heartbeat,
3 StatusNotification, Authorize, StartTransaction, 10 MeterValues of 3 samples, StopTransaction;
the 2.0.1 cycle 16: Heartbeat, 2 StatusNotification, Authorize, TransactionEvent Started,
10 Updated, Ended, each with meter values. "Saturated" means that every charger always has one
call outstanding. "At 20 (2,000) requests/s" is open loop: 200 chargers are connected, calls of the
1.6 cycle fall due at fixed instants whatever the gateway does, and latency counts from when a call
was due. Meter values a second are MeterValues of 3 samples in running charges, each answered after
its commit. The crowd that comes back meets the gateway's own limit of handshakes and, told 503,
comes again, as chargers do. The pipeline without database answers heartbeats with the log of frames
switched off, beside a server that echoes over the same library with the same client.

    ./dev bench ocpp [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import time
from dataclasses import dataclass

import django
import orjson
import uvloop
import websockets
from websockets.asyncio.server import ServerConnection, serve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
os.environ["LOG_LEVEL"] = "ERROR"
django.setup()

from bench.ocpp_chargers import PASSWORD, Charger, Meter, pss_kb  # noqa: E402 — needs Django
from bench.processes import free_port, running, start, wait_for_port  # noqa: E402
from bench.report import Figure, publish  # noqa: E402
from charging.sessions.models import Token  # noqa: E402
from charging.stations.models import ChargingStation, Connector, Evse, Site  # noqa: E402
from charging.stations.rules import hash_password  # noqa: E402
from mobility.accounts import services as accounts  # noqa: E402
from mobility.accounts.states import OrganisationKind  # noqa: E402
from mobility.core import clock, geo  # noqa: E402

CROWD, QUICK_CROWD = 5_000, 1_000


# --- scenes ---------------------------------------------------------------------------------------
async def gather_chargers(
    url: str,
    meter: Meter,
    *,
    count: int,
    protocol: str,
) -> tuple[list[Charger], dict[str, float]]:
    """Everybody comes at once; what that costs."""
    chargers = [Charger(number, url, meter) for number in range(count)]
    memory_kb = pss_kb(meter.pid)
    meter.restart()
    await asyncio.gather(*(charger.greet(protocol) for charger in chargers))
    cost = meter.read()
    return chargers, {
        "cpu_ms": cost["cpu"] * cost["requests"] / count,
        "seconds": time.perf_counter() - meter.began,
        "kb_each": (pss_kb(meter.pid) - memory_kb) / count,
    }


async def saturate(
    chargers: list[Charger], meter: Meter, *, cycle: str, seconds: float
) -> dict[str, float]:
    """All chargers cycle without a pause."""
    stop = asyncio.Event()

    async def busy(charger: Charger) -> None:
        while not stop.is_set():
            await getattr(charger, cycle)()

    tasks = [asyncio.create_task(busy(charger)) for charger in chargers]
    await asyncio.sleep(2)
    meter.restart()
    await asyncio.sleep(seconds)
    figures = meter.read()
    stop.set()
    await asyncio.gather(*tasks)
    return figures


async def open_loop(
    chargers: list[Charger], meter: Meter, *, per_s: float, seconds: float
) -> dict[str, float]:
    """Calls of the 1.6 cycle fall due at `per_s` a second, in turn at these chargers."""

    async def busy(charger: Charger) -> None:
        while True:
            await charger.cycle_16()

    for charger in chargers:
        charger.due = asyncio.Queue()
    tasks = [asyncio.create_task(busy(charger)) for charger in chargers]
    await asyncio.sleep(0.5)
    meter.restart()
    began, told = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - began) < seconds:
        due = int(elapsed * per_s) + 1
        for number in range(told, due):
            queue = chargers[number % len(chargers)].due
            assert queue is not None  # narrows; given above
            queue.put_nowait(began + number / per_s)
        told = due
        await asyncio.sleep(0.002)
    figures = meter.read()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return figures


async def heartbeats_per_cpu_s(url: str, pid: int, *, seconds: float, count: int = 50) -> float:
    """Heartbeats a CPU-second of the serving process: framing and checking, nothing stored."""
    meter = Meter(pid)
    chargers = [Charger(number, url, meter) for number in range(count)]
    await asyncio.gather(*(charger.connect("ocpp1.6") for charger in chargers))
    stop = asyncio.Event()

    async def busy(charger: Charger) -> None:
        while not stop.is_set():
            await charger.call("Heartbeat", {})

    tasks = [asyncio.create_task(busy(charger)) for charger in chargers]
    await asyncio.sleep(0.5)
    meter.restart()
    await asyncio.sleep(seconds)
    figure = 1000 / meter.read()["gateway"]
    stop.set()
    await asyncio.gather(*tasks)
    await asyncio.gather(*(charger.close() for charger in chargers))
    return figure


def echo_server(port: int) -> None:
    """The floor: the same library answers a canned result, nothing else."""

    async def answer(peer: ServerConnection) -> None:
        async for frame in peer:
            number = orjson.loads(frame)[1]
            await peer.send(
                orjson.dumps([3, number, {"currentTime": "2026-01-01T00:00:00Z"}]), text=True
            )

    async def run() -> None:
        protocols = [websockets.Subprotocol("ocpp1.6")]
        async with serve(answer, "127.0.0.1", port, subprotocols=protocols, compression=None):
            await asyncio.get_running_loop().create_future()

    uvloop.run(run())


# --- set-up ---------------------------------------------------------------------------------------
def provision(count: int, *, prefix: str = "BENCH") -> None:
    """Stations and cards of the benchmark, once."""
    owner = accounts.ensure_organisation(
        slug="bench",
        name={"it": "Banco di prova"},
        kind=OrganisationKind.CHARGE_POINT_OPERATOR,
    )
    site, _ = Site.objects.get_or_create(
        organisation=owner,
        name={"it": "Banco"},
        defaults={"location": geo.point(9.2, 45.45)},
    )
    known = set(ChargingStation.objects.values_list("identity", flat=True))
    password = hash_password(password=PASSWORD, salt="bench")
    stations = ChargingStation.objects.bulk_create(
        ChargingStation(
            site=site,
            identity=f"{prefix}-{number}",
            password_hash=password,
            registration="accepted",
            booted_at=clock.now(),
        )
        for number in range(count)
        if f"{prefix}-{number}" not in known
    )
    evses = Evse.objects.bulk_create(Evse(station=station, number=1) for station in stations)
    Connector.objects.bulk_create(Connector(evse=evse, number=1) for evse in evses)
    Token.objects.bulk_create(
        (
            Token(uid=f"BENCH{number}", created_at=clock.now(), allows_parallel=True)
            for number in range(count)
        ),
        ignore_conflicts=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the servers listen, and their processes."""

    gateway: tuple[int, int]
    without_log: tuple[int, int]
    echo: tuple[int, int]


async def measure(*, quick: bool, places: Places) -> list[Figure]:
    """All scenes, one after the other."""
    port, pid = places.gateway
    url = f"ws://127.0.0.1:{port}/ocpp"
    seconds = 5.0 if quick else 30.0
    meter = Meter(pid)
    count = QUICK_CROWD if quick else CROWD
    crowd, arrival = await gather_chargers(url, meter, count=count, protocol="ocpp1.6")
    for charger in crowd[200:]:
        await charger.close()
    old = crowd[:200]
    busy = await saturate(old, meter, cycle="cycle_16", seconds=seconds)
    metering = await saturate(old, meter, cycle="charge_16", seconds=seconds)
    # Twenty of the two hundred are in use, so that each gets through whole cycles.
    quiet = await open_loop(old[:20], meter, per_s=20, seconds=seconds)
    crowded = await open_loop(old[20:], meter, per_s=2_000, seconds=seconds)
    await asyncio.gather(*(charger.close() for charger in old))
    new, _ = await gather_chargers(url, meter, count=200, protocol="ocpp2.0.1")
    busy_201 = await saturate(new, meter, cycle="cycle_201", seconds=seconds)
    await asyncio.gather(*(charger.close() for charger in new))
    pipeline, logged, floor = [
        await heartbeats_per_cpu_s(f"ws://127.0.0.1:{at}/ocpp", server, seconds=seconds / 5)
        for at, server in (places.without_log, places.gateway, places.echo)
    ]
    return [
        *_cycle("1.6 cycle, 200 stations, saturated", busy),
        *_cycle("2.0.1 cycle, 200 stations, saturated", busy_201),
        Figure(
            name="meter values a second, durable",
            value=metering["per_s"],
            unit="1/s",
            aim=2_500,
            more_is_better=True,
        ),
        *_paced("20 requests/s", quiet, aim=25),
        *_paced("2,000 requests/s", crowded, aim=None),
        Figure(name="connect + boot + status", value=arrival["cpu_ms"], unit="CPU-ms", limit=4.0),
        Figure(
            name=f"{count:,} stations back after",
            value=arrival["seconds"],
            unit="s",
            limit=20.0 if count == CROWD else None,
        ),
        Figure(
            name="  told to come again", value=sum(c.turned_away for c in crowd), unit="handshakes"
        ),
        Figure(name="memory of a connection", value=arrival["kb_each"], unit="KB", aim=25),
        Figure(
            name="pipeline without database over a raw echo",
            value=pipeline / floor,
            unit="",
            aim=0.6,
            more_is_better=True,
        ),
        Figure(name="  with the log of frames", value=logged / floor, unit=""),
        Figure(name="calls answered with an error", value=meter.failures, unit="", limit=0.5),
    ]


def _cycle(name: str, cost: dict[str, float]) -> list[Figure]:
    return [
        Figure(name=name, value=cost["cpu"], unit="CPU-s/1,000", limit=1.0, aim=0.6),
        Figure(name="  of it gateway", value=cost["gateway"], unit="CPU-s/1,000"),
        Figure(name="  of it PostgreSQL", value=cost["database"], unit="CPU-s/1,000"),
        Figure(name="  requests a second", value=cost["per_s"], unit="1/s"),
    ]


def _paced(name: str, cost: dict[str, float], *, aim: float | None) -> list[Figure]:
    return [
        Figure(name=f"{name}: p50", value=cost["p50_ms"], unit="ms"),
        Figure(name=f"{name}: p99", value=cost["p99_ms"], unit="ms", aim=aim),
        Figure(name="  served", value=cost["per_s"], unit="1/s"),
        Figure(name="  CPU", value=cost["cpu"], unit="CPU-s/1,000"),
    ]


def main() -> int:
    """Provision, start the servers, measure, publish."""
    parser = argparse.ArgumentParser(description="Benchmark the OCPP gateway.")
    parser.add_argument(
        "--quick", action="store_true", help="a sixth of the time, a fifth of the crowd"
    )
    parser.add_argument("--echo", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.echo:
        echo_server(options.echo)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the meter asks the database where it runs
    _let_many_in()
    provision(QUICK_CROWD if options.quick else CROWD)
    ports = [free_port() for _ in range(3)]
    servers = [
        start("manage.py", "run_ocpp", "--port", str(ports[0])),
        start("manage.py", "run_ocpp", "--port", str(ports[1]), "--frames-every", "0"),
        start("-m", "bench.ocpp", "--echo", str(ports[2])),
    ]
    with running(*servers):
        for port in ports:
            wait_for_port(port)
        where = [(port, server.pid) for port, server in zip(ports, servers, strict=True)]
        places = Places(gateway=where[0], without_log=where[1], echo=where[2])
        figures = uvloop.run(measure(quick=options.quick, places=places))
    return 0 if publish(name="ocpp", figures=figures, notes={"quick": options.quick}) else 1


def _let_many_in() -> None:
    """A socket is a file: as many as the system lets this process and its children have."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    raise SystemExit(main())
