"""The gateway against engines that are not ours: the package `ocpp`, and the simulator on it."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v21 import ChargePoint as ChargePoint21
from ocpp.v21 import call as call21
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201

from charging.sessions import services as sessions
from charging.sessions.models import ChargingSession, Token
from charging.stations import services
from charging.stations.models import ChargingStation, Connector, StationCommand
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from mobility.simulator.chargers import charger, run_chargers
from mobility.simulator.clock import SimClock
from mobility.simulator.credentials import ChargerSpec
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import PASSWORD, basic

Eventually = Callable[..., Any]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC).isoformat()


@asynccontextmanager
async def engine(grid: Grid, station: ChargingStation, kind: Any) -> AsyncIterator[Any]:
    """A charge point of the package `ocpp`, which checks every answer against its schemas."""
    version = f"ocpp{kind._ocpp_version}"
    async with websockets.connect(
        f"{grid.gateway.url}/{station.identity}",
        subprotocols=[websockets.Subprotocol(version)],
        additional_headers=basic(station.identity, PASSWORD),
        proxy=None,
    ) as socket:
        point = kind(station.identity, socket, response_timeout=5)
        listening = asyncio.create_task(point.start())
        yield point
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


class Obedient(ChargePoint16):  # type: ignore[misc]
    """Accepts a remote start and remembers it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.asked: list[str] = []

    @on("RemoteStartTransaction")
    def remote_start(self, id_tag: str, **_: Any) -> Any:
        self.asked.append(id_tag)
        return result16.RemoteStartTransaction(status="Accepted")


def test_a_16_day_with_a_foreign_engine(grid: Grid, eventually: Eventually) -> None:
    station, tag = grid.station(booted_at=None), grid.token()

    async def day() -> None:
        async with engine(grid, station, Obedient) as point:
            boot = await point.call(
                call16.BootNotification(charge_point_model="M", charge_point_vendor="V"),
            )
            assert boot.status == "Accepted"
            await point.call(call16.Heartbeat())
            await point.call(
                call16.StatusNotification(connector_id=1, error_code="NoError", status="Preparing"),
            )
            allowed = await point.call(call16.Authorize(id_tag=tag))
            assert allowed.id_tag_info["status"] == "Accepted"
            began = await point.call(
                call16.StartTransaction(
                    connector_id=1,
                    id_tag=tag,
                    meter_start=0,
                    timestamp=NOON,
                ),
            )
            value = {"timestamp": NOON, "sampledValue": [{"value": "10"}]}
            await point.call(
                call16.MeterValues(
                    connector_id=1,
                    transaction_id=began.transaction_id,
                    meter_value=[value],
                ),
            )
            await point.call(
                call16.StopTransaction(
                    transaction_id=began.transaction_id,
                    meter_stop=20,
                    timestamp=NOON,
                ),
            )
            command = await asyncio.to_thread(remote_start, station, tag)
            row = await asyncio.to_thread(eventually, lambda: finished(command))
            assert (row.state, point.asked) == ("accepted", [tag])

    asyncio.run(day())
    assert ChargingSession.objects.get(station=station).complete


def remote_start(station: ChargingStation, tag: str) -> StationCommand:
    return services.queue_command(
        station_id=station.pk,
        action="remote_start",
        payload={"token_uid": tag, "token_kind": "rfid"},
        idempotency_key=ids.short_code(12),
        at=clock.now(),
        by=SYSTEM,
    )


def finished(command: StationCommand) -> StationCommand | None:
    return (
        StationCommand.objects.filter(pk=command.pk).exclude(state__in=["queued", "sent"]).first()
    )


@pytest.mark.parametrize(
    ("engine_of", "calls"), [(ChargePoint201, call201), (ChargePoint21, call21)]
)
def test_a_day_of_2_with_a_foreign_engine(grid: Grid, engine_of: Any, calls: Any) -> None:
    station, uid = grid.station(booted_at=None), grid.token()
    token = {"idToken": uid, "type": "ISO14443"}

    def event(kind: str, number: int, **extra: Any) -> Any:
        return calls.TransactionEvent(
            event_type=kind,
            timestamp=NOON,
            trigger_reason="Authorized",
            seq_no=number,
            transaction_info={"transactionId": "T-1"},
            evse={"id": 1, "connectorId": 1},
            **extra,
        )

    async def day() -> None:
        async with engine(grid, station, engine_of) as point:
            about = {"model": "M", "vendorName": "V"}
            boot = await point.call(
                calls.BootNotification(charging_station=about, reason="PowerUp"),
            )
            assert boot.status == "Accepted"
            await point.call(
                calls.StatusNotification(
                    timestamp=NOON,
                    connector_status="Occupied",
                    evse_id=1,
                    connector_id=1,
                ),
            )
            allowed = await point.call(calls.Authorize(id_token=token))
            assert allowed.id_token_info["status"] == "Accepted"
            began = await point.call(event("Started", 0, id_token=token))
            assert began.id_token_info["status"] == "Accepted"
            await point.call(event("Updated", 1))
            await point.call(event("Ended", 2))

    asyncio.run(day())
    assert ChargingSession.objects.get(station=station).complete


Pair = tuple[ChargingStation, ChargingStation]


@pytest.fixture
def simulate(
    grid: Grid,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[float], Pair]]:
    """`simulate(speed)` starts two simulated chargers, one of each version."""
    monkeypatch.setattr(charger, "ARRIVAL_SPREAD_S", 0.2)
    endings: list[Callable[[], None]] = []

    def begin(speed: float) -> Pair:
        stations = grid.station(booted_at=None), grid.station(booted_at=None)
        Connector.objects.filter(evse__station__in=stations).update(max_power_w=50_000)
        endings.append(start_chargers(grid, stations, speed))
        return stations

    yield begin
    for end in endings:
        end()


def start_chargers(grid: Grid, stations: Pair, speed: float) -> Callable[[], None]:
    """Run them in a thread; the result stops them and compares the books."""
    specs = [
        ChargerSpec(
            url=f"{grid.gateway.url}/{station.identity}",
            identity=station.identity,
            password=PASSWORD,
            protocol=protocol,
            connectors=2,
        )
        for station, protocol in zip(stations, ("ocpp1.6", "ocpp2.0.1"), strict=True)
    ]
    tokens = [grid.token() for _ in range(20)]
    handle: list[Any] = []

    async def run() -> None:
        stop = asyncio.Event()
        handle.extend((asyncio.get_running_loop(), stop))
        clock = SimClock(speed=speed)
        await run_chargers(specs, rng=random.Random(7), clock=clock, tokens=tokens, stop=stop)

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()

    def end() -> None:
        handle[0].call_soon_threadsafe(handle[1].set)
        thread.join(timeout=20)
        assert not thread.is_alive()
        check_books(stations)

    return end


def check_books(stations: tuple[ChargingStation, ...]) -> None:
    """After the chargers said good-bye everything is ended, whole and believable."""
    left = ChargingSession.objects.filter(station__in=stations)
    assert left.filter(ended_at__isnull=True).count() == 0
    for session in left.filter(state="ended"):
        assert session.complete
        assert sessions.settle_session(session_id=session.pk, at=clock.now())
    assert set(left.values_list("state", flat=True)) <= {"settled"}
    assert not [flags for flags in left.values_list("flags", flat=True) if "suspect" in flags]


def test_simulated_chargers_charge_and_stop(
    simulate: Callable[[float], Pair],
    eventually: Eventually,
) -> None:
    for station in simulate(720.0):
        assert eventually(lambda station=station: stopped_from_afar(station), seconds=25)


def stopped_from_afar(station: ChargingStation) -> bool:
    """Whether a remote stop ended a session; simulated links break, so it may take a few."""
    if ChargingSession.objects.filter(station=station, stop_reason="Remote").exists():
        return True
    session = ChargingSession.objects.filter(station=station, state="charging").first()
    if session is not None:
        services.queue_command(
            station_id=station.pk,
            action="remote_stop",
            payload={"transaction_ref": session.transaction_ref},
            idempotency_key=f"stop {session.pk} {clock.now():%M%S}",
            at=clock.now(),
            by=SYSTEM,
        )
    return False


def test_simulated_chargers_obey(
    simulate: Callable[[float], Pair],
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(charger, "MEAN_IDLE_S", 1e9)
    monkeypatch.setattr(charger, "MEAN_DROP_S", 1e9)
    monkeypatch.setattr(charger, "RESTART_AFTER_S", 0.3)

    def state(station: ChargingStation, action: str, **payload: Any) -> str:
        command = services.queue_command(
            station_id=station.pk,
            action=action,
            payload=payload,
            idempotency_key=ids.short_code(12),
            at=clock.now(),
            by=SYSTEM,
        )
        found: str = eventually(lambda: finished(command), seconds=15).state
        return found

    for station in simulate(60.0):
        both_are = both_connectors(station, eventually)
        assert both_are("Available")
        assert state(station, "trigger", message="status") == "accepted"
        assert state(station, "trigger", message="meter_values") == "rejected"
        assert state(station, "change_availability", operative=False) == "accepted"
        assert both_are("Unavailable")
        assert state(station, "remote_start", token_uid="04AB", token_kind="app") == "rejected"
        assert state(station, "change_availability", operative=True) == "accepted"
        assert both_are("Available")
        assert state(station, "unlock") == "accepted"
        begun = ChargingSession.objects.filter(station=station)
        uid = Token.objects.filter(state="accepted").order_by("-pk")[0].uid
        assert state(station, "remote_start", token_uid=uid, token_kind="app") == "accepted"
        assert eventually(begun.exists, seconds=15)
        booted_at = ChargingStation.objects.get(pk=station.pk).booted_at
        assert state(station, "reset", kind="hard") == "accepted"
        assert eventually(begun.filter(ended_at__isnull=False).exists, seconds=15)
        again = ChargingStation.objects.filter(pk=station.pk, booted_at__gt=booted_at)
        assert eventually(again.exists, seconds=15)


def both_connectors(station: ChargingStation, eventually: Eventually) -> Callable[[str], bool]:
    """`check(word)`: whether both connectors come to report this status."""
    words = Connector.objects.filter(evse__station=station)

    def check(word: str) -> bool:
        return bool(eventually(lambda: words.filter(status=word).count() == 2, seconds=15))

    return check
