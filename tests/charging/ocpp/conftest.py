"""A real gateway on a free port over the test database, and chargers that dial in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from django.db import connection, connections, transaction

from charging.ocpp.gateway.options import GatewayOptions
from charging.ocpp.gateway.server import Gateway
from charging.sessions.models import Token
from charging.stations.models import ChargingStation, Connector, Evse, Site
from charging.stations.rules import hash_password
from mobility.accounts import services as accounts
from mobility.accounts.states import OrganisationKind
from mobility.core import clock, geo, ids
from tests.charging.ocpp.peer import PASSWORD, Peer

CALL_TIMEOUT_S = 1.0


@dataclass
class RunningGateway:
    """The gateway's address and the handle to stop it."""

    name: str
    port: int
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    thread: threading.Thread
    tls_port: int = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp"

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(timeout=10)
        assert not self.thread.is_alive()


def start_gateway(**options: Any) -> RunningGateway:
    """Run a gateway in a thread of this process; returns when it listens."""
    started = threading.Event()
    found: list[Any] = []
    name = f"test-{ids.short_code(10)}"

    async def serve() -> None:
        stop, ready = asyncio.Event(), asyncio.Event()
        settings = {"name": name, "port": 0, "call_timeout_s": CALL_TIMEOUT_S, **options}
        gateway = Gateway(GatewayOptions(**settings))
        running = asyncio.create_task(gateway.run(stop=stop, ready=ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        found.extend((gateway.port, asyncio.get_running_loop(), stop, gateway.tls_port or 0))
        started.set()
        await running

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    port, loop, stop, tls_port = found
    return RunningGateway(name, port, loop, stop, thread, tls_port)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask for a test database: what the gateway commits must never meet a real one."""
    for item in items:
        if "real_database" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(autouse=True)
def _django_db_marker() -> None:
    """Not pytest-django's wrapping of single tests: a gateway's rows live as long as its module.

    The mark above makes the database, `real_database` opens and sweeps it.
    """


@pytest.fixture(scope="module")
def real_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Committed rows, as other processes see them; swept away after the module."""
    with django_db_blocker.unblock():
        # Sweeping must be impossible anywhere else.
        assert str(connection.settings_dict["NAME"]).startswith("test_")
        yield
        tables = [
            model._meta.db_table
            for model in connection.introspection.installed_models(
                connection.introspection.table_names(),
            )
            if model._meta.app_label in {"charging", "mobility"}
        ]
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in tables) + " CASCADE")
        connections.close_all()


@pytest.fixture(scope="module")
def gateway(real_database: None) -> Iterator[RunningGateway]:
    running = start_gateway()
    yield running
    running.close()


@dataclass
class Grid:
    """Provisions stations and tokens on one site of Luca's."""

    gateway: RunningGateway
    site: Site
    peers: list[Peer] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @transaction.atomic
    def station(self, identity: str = "", *, connectors: int = 2, **values: Any) -> ChargingStation:
        """A station that is accepted and has booted before, unless told otherwise."""
        station = ChargingStation.objects.create(
            site=self.site,
            identity=identity or f"CP-{ids.short_code(8)}",
            **{
                "password_hash": hash_password(password=PASSWORD, salt="salt"),
                "registration": "accepted",
                "booted_at": clock.now(),
                **values,
            },
        )
        for number in range(1, connectors + 1):
            evse = Evse.objects.create(station=station, number=number)
            Connector.objects.create(evse=evse, number=1)
        return station

    def token(self, **values: Any) -> str:
        uid = ids.short_code(14)
        Token.objects.create(uid=uid, created_at=clock.now(), **values)
        return uid

    def dial(self, station: ChargingStation, *protocols: str, **options: Any) -> Peer:
        """Connect as this station; closed at the end of the test."""
        peer = Peer.dial(self.gateway.url, station.identity, protocols or ("ocpp1.6",), **options)
        self.peers.append(peer)
        return peer


@pytest.fixture(scope="module")
def site(real_database: None) -> Site:
    owner = accounts.ensure_organisation(
        slug="colonnine",
        name={"it": "Colonnine Milano"},
        kind=OrganisationKind.CHARGE_POINT_OPERATOR,
    )
    return Site.objects.create(
        organisation=owner,
        name={"it": "Piazza Trento"},
        location=geo.point(9.2, 45.45),
    )


@pytest.fixture
def grid(gateway: RunningGateway, site: Site) -> Iterator[Grid]:
    grid = Grid(gateway, site)
    yield grid
    for peer in grid.peers:
        peer.close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """`eventually(check)` waits until `check()` is true and returns what it gave."""

    def wait(check: Callable[[], Any], *, seconds: float = 5.0) -> Any:
        pause = threading.Event()
        for _ in range(int(seconds / 0.02)):
            found = check()
            if found:
                return found
            pause.wait(0.02)
        return check()

    return wait
