"""A real edge on free ports over the test database and Redis, and units that call it."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import OperationalError, connection, connections

from fleet.telematics import services
from fleet.telematics.edge.process import Edge, EdgeOptions
from fleet.telematics.log import point_log
from fleet.telematics.models import Device, DeviceAssignment, Point
from fleet.telematics.services import credentials, partitions
from fleet.telematics.states import Protocol
from fleet.vehicles import mailbox
from fleet.vehicles.models import Vehicle, VehicleCommand
from fleet.vehicles.services import queue_command
from fleet.vehicles.states import LifeState, LinkState
from mobility.accounts import services as accounts
from mobility.accounts.models import Organisation
from mobility.accounts.states import OrganisationKind
from mobility.core import clock, geo, ids
from mobility.core.principals import SYSTEM
from mobility.geography.models import City
from tests.fleet.edge.unit import Unit
from tests.fleet.fixtures import vehicle_type

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask for a test database: what the edge commits must never meet a real one."""
    for item in items:
        if "real_database" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(autouse=True)
def _django_db_marker() -> None:
    """Not pytest-django's wrapping of single tests: the edge's rows live as long as its module.

    The mark above makes the database, `real_database` opens and sweeps it.
    """


@pytest.fixture(scope="module")
def real_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Committed rows, as other processes see them; swept away after the module."""
    with django_db_blocker.unblock():
        # Sweeping must be impossible anywhere else.
        assert str(connection.settings_dict["NAME"]).startswith("test_")
        empty_redis()
        partitions._prepared.clear()
        yield
        empty_redis()
        there = set(connection.introspection.table_names(include_views=False))
        ours = [one for one in apps.get_models() if one._meta.app_label in {"fleet", "mobility"}]
        swept = {one._meta.db_table for one in ours} & there  # unmanaged ones too: points
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in swept) + " CASCADE")
        partitions._prepared.clear()
        connections.close_all()


def empty_redis() -> None:
    client = mailbox.client()
    keys = [key for pattern in ("tele:*", "fleet:*") for key in client.scan_iter(pattern)]
    if keys:
        client.delete(*keys)
    credentials.forget_credentials()
    point_log.cache_clear()


def eventually(what: Callable[[], Any], *, within_s: float = 10.0) -> Any:
    """The first true value of `what`, asked again and again."""
    deadline = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
    return found


@dataclass
class RunningEdge:
    """An edge in a thread of this process."""

    edge: Edge
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    thread: threading.Thread

    @property
    def port(self) -> int:
        assert self.edge.teltonika is not None
        return self.edge.teltonika.port

    def close(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(timeout=20)
        assert not self.thread.is_alive()


def start_edge(options: EdgeOptions) -> RunningEdge:
    """Run an edge; returns when it listens."""
    started = threading.Event()
    found: list[Any] = []

    async def serve() -> None:
        edge, stop = Edge(options), asyncio.Event()
        await edge.start()
        found.extend((edge, asyncio.get_running_loop(), stop))
        started.set()
        await stop.wait()
        await edge.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    return RunningEdge(*found, thread)


@dataclass
class Fleet:
    """Marco's vehicles, each with a unit, and what is known of them."""

    organisation: Organisation
    city: City
    units: list[Unit] = field(default_factory=list)

    def vehicle(self) -> Vehicle:
        return Vehicle.objects.create(
            organisation=self.organisation,
            city=self.city,
            type=vehicle_type("scooter"),
            code=ids.short_code(8),
            life_state=LifeState.IN_SERVICE,
            link_state=LinkState.ONLINE,
        )

    def teltonika(self, *, model: str = "relay") -> tuple[Vehicle, str]:
        """A vehicle and the IMEI of its unit."""
        vehicle = self.vehicle()
        imei = f"35630704{next(_numbers):07d}"
        unit = services.Unit(protocol=Protocol.TELTONIKA, model=model, imei=imei)
        services.add_device(vehicle_code=vehicle.code, at=a_year_ago(), by=SYSTEM, unit=unit)
        return vehicle, imei

    def mqtt(self) -> tuple[Vehicle, str, str]:
        """A vehicle, and the serial and secret of its unit."""
        vehicle = self.vehicle()
        unit = services.Unit(protocol=Protocol.MQTT)
        device, secret = services.add_device(
            vehicle_code=vehicle.code, at=a_year_ago(), by=SYSTEM, unit=unit
        )
        return vehicle, device.serial, secret

    def call(self, port: int, imei: str) -> Unit:
        """A unit whose line is open and known."""
        unit = Unit(port, imei)
        assert unit.call() == b"\x01"
        self.units.append(unit)
        return unit

    def order(self, vehicle: Vehicle, kind: str = "unlock", *, ttl_s: int = 60) -> VehicleCommand:
        return queue_command(
            vehicle_id=vehicle.pk,
            kind=kind,
            idempotency_key=str(ids.uuid7()),
            ttl_s=ttl_s,
            purpose_ref="test",
            at=clock.now(),
            by=SYSTEM,
        )


def a_year_ago() -> datetime.datetime:
    return clock.now() - datetime.timedelta(days=365)


def now_ms() -> int:
    return int(clock.now().timestamp() * 1000)


def drain() -> None:
    """Store what waits in the log."""
    services.drain(shard=0, budget_s=0, now=clock.now)


def stored(vehicle: Vehicle) -> list[Point]:
    drain()
    return list(Point.objects.filter(vehicle_id=vehicle.pk).order_by("at"))


def state_of(command: VehicleCommand) -> str:
    command.refresh_from_db()
    return str(command.state)


def database_away(**_: object) -> None:
    """Stands for a service while PostgreSQL is away."""
    raise OperationalError("server closed the connection unexpectedly")


def unassign(imei: str) -> None:
    DeviceAssignment.objects.filter(device=Device.objects.get(imei=imei)).delete()
    credentials.forget_credentials()


@pytest.fixture(scope="module")
def city(real_database: None) -> City:
    comune = accounts.ensure_organisation(
        slug="comune", name={"it": "Comune di Milano"}, kind=OrganisationKind.CITY
    )
    square = MultiPolygon(Polygon.from_bbox((9.06, 45.38, 9.30, 45.54)), srid=geo.WGS84)
    return City.objects.create(
        slug="milano",
        name={"it": "Milano", "en": "Milan"},
        organisation=comune,
        boundary=square,
        centre=geo.point(9.19, 45.464),
    )


@pytest.fixture(scope="module")
def marcos(city: City) -> Organisation:
    return accounts.ensure_organisation(
        slug="ruote", name={"it": "Ruote di Milano"}, kind=OrganisationKind.FLEET_OPERATOR
    )


@pytest.fixture
def fleet(marcos: Organisation, city: City) -> Iterator[Fleet]:
    house = Fleet(marcos, city)
    yield house
    for unit in house.units:
        unit.close()
