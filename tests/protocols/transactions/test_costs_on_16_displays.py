"""A 1.6 station that says it can shows the price, what a charge costs by now, and its bill."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16

from charging.devices import queries, services
from charging.devices.models import DeviceVariable
from charging.devices.services import read_variables
from charging.sessions.models import ChargingSession
from charging.sessions.services import settle_session
from charging.stations.models import ChargingStation, StationCommand
from mobility.accounts.models import User
from mobility.core import clock, ids, outbox
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.test_other_engines import engine
from tests.protocols.asking import Eventually, connected, exchange, over
from tests.protocols.transactions.charges import Charge, authorize
from tests.protocols.transactions.test_prices_told import PLAIN, priced, showing
from tests.protocols.versions import TWO, V16

MINUTE = timedelta(minutes=1)
BY_TIME = [*PLAIN, {"kind": "time", "unit_cents": "1"}]


@pytest.fixture(autouse=True)
def _fresh_memory() -> Iterator[None]:
    queries.forget_showing_costs()
    yield
    queries.forget_showing_costs()


def understands(station: ChargingStation, value: str = "true") -> None:
    DeviceVariable.objects.create(
        station=station, name="CustomDisplayCostAndPrice", value=value, at=clock.now()
    )
    queries.forget_showing_costs()


def giulia(language: str) -> str:
    person = User.objects.create_user(f"{ids.short_code(8)}@example.org", language=language)
    return str(person.principal)


def shown(call: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """What a message of ours wants shown: its name and its content."""
    action, payload = call
    assert (action, payload["vendorId"]) == ("DataTransfer", "org.openchargealliance.costmsg")
    return payload["messageId"], json.loads(payload["data"])


def deliver_all() -> None:
    while tasks := outbox.claim_undispatched(at=clock.now()):
        for _queue, numbers in tasks:
            outbox.deliver(ids=numbers, at=clock.now())


class Display(ChargePoint16):  # type: ignore[misc]
    """Says that it shows costs, and remembers what it was given."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.shown: list[tuple[str, dict[str, Any]]] = []
        self.news = threading.Event()

    @on("GetConfiguration")
    def configuration(self, **_: Any) -> Any:
        key = {"key": "CustomDisplayCostAndPrice", "readonly": True, "value": "true"}
        return result16.GetConfiguration(configuration_key=[key])

    @on("DataTransfer")
    def message(self, vendor_id: str, message_id: str, data: str) -> Any:
        assert vendor_id == "org.openchargealliance.costmsg"
        self.shown.append((message_id, json.loads(data)))
        return result16.DataTransfer(status="Accepted")


def test_a_foreign_engine_shows_the_price_the_running_cost_and_the_bill(
    grid: Grid, eventually: Eventually
) -> None:
    station = grid.station(connectors=1)
    tag = grid.token(owner_ref=giulia("en"))
    priced(station, BY_TIME)
    begun = clock.now() - timedelta(minutes=10)

    def ask_for_configuration() -> None:
        station.refresh_from_db()
        [command] = read_variables(
            station=station,
            variables=[],
            idempotency_key=ids.short_code(12),
            at=clock.now(),
            by=SYSTEM,
        )
        assert over(command, eventually).state == "accepted"
        queries.forget_showing_costs()

    async def day() -> list[tuple[str, dict[str, Any]]]:
        async with engine(grid, station, Display) as point:
            await point.call(call16.Heartbeat())
            await asyncio.to_thread(ask_for_configuration)
            await point.call(call16.Authorize(id_tag=tag))
            await asyncio.to_thread(eventually, lambda: point.shown)
            began = await point.call(
                call16.StartTransaction(
                    connector_id=1, id_tag=tag, meter_start=1000, timestamp=begun.isoformat()
                )
            )
            number = began.transaction_id
            later = (begun + 5 * MINUTE).isoformat()
            value = {"timestamp": later, "sampledValue": [{"value": "3000"}]}
            await point.call(
                call16.MeterValues(connector_id=1, transaction_id=number, meter_value=[value])
            )
            every = timedelta(0)
            tell = services.tell_running_costs
            assert await asyncio.to_thread(lambda: tell(every=every, at=clock.now())) == 1
            await asyncio.to_thread(eventually, lambda: len(point.shown) > 1)
            await point.call(
                call16.StopTransaction(
                    transaction_id=number, meter_stop=3000, timestamp=clock.now().isoformat()
                )
            )
            await asyncio.to_thread(deliver_all)
            await asyncio.to_thread(eventually, lambda: len(point.shown) > 2)
            return list(point.shown)

    [price, running, final] = asyncio.run(day())
    session = ChargingSession.objects.get(station=station)
    number = int(session.transaction_ref)
    assert session.price_cents is not None

    name, content = price
    assert (name, content["idToken"]) == ("SetUserPrice", tag)
    assert "per kWh" in content["priceText"]
    [italian] = content["priceTextExtra"]
    assert (italian["format"], italian["language"]) == ("UTF8", "it")
    assert "kWh" in italian["content"]

    name, content = running
    assert (name, content["transactionId"], content["meterValue"]) == ("RunningCost", number, 3000)
    # Two kilowatt-hours and the flat fee, and the five minutes in which they flowed.
    assert 2.22 <= content["cost"] <= 2.28
    assert content["state"] == "Charging"
    assert content["chargingPrice"] == {"kWhPrice": 0.61, "hourPrice": 0.6, "flatFee": 1.0}

    name, content = final
    assert (name, content["transactionId"]) == ("FinalCost", number)
    assert content["cost"] == session.price_cents / 100
    assert "Total" in content["priceText"]
    assert "2.00 kWh" in content["priceText"]


def test_a_station_that_says_nothing_of_it_is_sent_nothing(grid: Grid) -> None:
    station, peer = connected(grid, V16, connectors=1)
    priced(station, BY_TIME)
    understands(station, "false")
    token = grid.token()
    authorize(peer, V16, token)
    charge = Charge(peer, V16, token, begun=clock.now() - 10 * MINUTE)
    charge.start(1000)
    charge.read(5, 3000)
    assert services.tell_running_costs(every=timedelta(0), at=clock.now()) == 0
    charge.stop(10, 3000)
    deliver_all()
    assert peer.silence()


def test_a_refused_card_and_a_price_nobody_knows_are_not_told(grid: Grid) -> None:
    station, peer = connected(grid, V16, connectors=1)
    understands(station)
    authorize(peer, V16, grid.token())
    priced(station, PLAIN)
    authorize(peer, V16, grid.token(state="blocked"))
    assert peer.silence()


def test_a_driver_without_a_language_reads_italian(grid: Grid) -> None:
    station, peer = connected(grid, V16, connectors=1)
    priced(station, PLAIN)
    understands(station, "1")
    authorize(peer, V16, grid.token())
    name, content = shown(exchange(peer, {"status": "Accepted"}))
    assert name == "SetUserPrice"
    assert "0,61" in content["priceText"]
    assert [extra["language"] for extra in content["priceTextExtra"]] == ["en"]


@pytest.mark.parametrize("version", TWO)
def test_a_driver_reads_prices_in_their_language(grid: Grid, version: str) -> None:
    station, peer = connected(grid, version, connectors=1)
    priced(station, PLAIN)
    showing(station, "TariffCostCtrlr", "true", "Tariff")
    for language, word in (("en", "per kWh"), ("it", "kWh")):
        token = grid.token(owner_ref=giulia(language))
        said = authorize(peer, version, token)["idTokenInfo"]["personalMessage"]
        assert said["language"] == language
        assert word in said["content"]


def test_a_cost_that_stands_is_told_once_and_who_refuses_is_left_alone(
    grid: Grid, eventually: Eventually
) -> None:
    station, peer = connected(grid, V16, connectors=1)
    priced(station, PLAIN)
    understands(station)
    charge = Charge(peer, V16, grid.token(), begun=clock.now() - 30 * MINUTE)
    charge.start(1000)
    charge.read(5, 3000)

    def round_of(minutes: int) -> int:
        return services.tell_running_costs(every=MINUTE, at=clock.now() + minutes * MINUTE)

    assert round_of(0) == 1
    _, content = shown(exchange(peer, {"status": "Accepted"}))
    assert content["cost"] == 2.22
    # Not more often than asked, and not again while it is the same.
    assert (round_of(0), round_of(2)) == (0, 0)
    charge.read(10, 4000)
    assert round_of(4) == 1
    _, content = shown(exchange(peer, {"status": "UnknownVendorId"}))
    assert content["cost"] == 2.83
    over(StationCommand.objects.latest("pk"), eventually)
    charge.read(20, 5000)
    assert round_of(8) == 0


@pytest.mark.parametrize(
    "components",
    [
        [{"kind": "energy", "unit_cents": "61", "step": 500}],
        [{"kind": "energy", "unit_cents": "61", "free_units": "2"}],
        [
            {"kind": "energy", "unit_cents": "50"},
            {"kind": "idle", "unit_cents": "5", "cap_cents": 9},
        ],
        [
            {"kind": "energy", "unit_cents": "40", "when": {"max_kwh": "2"}},
            {"kind": "energy", "unit_cents": "61"},
        ],
    ],
)
def test_a_price_list_that_would_be_told_by_halves_is_not_reckoned_with(
    grid: Grid, components: list[dict[str, Any]]
) -> None:
    station, peer = connected(grid, V16, connectors=1)
    priced(station, components)
    understands(station)
    charge = Charge(peer, V16, grid.token(), begun=clock.now() - 30 * MINUTE)
    charge.start(1000)
    charge.read(5, 4000)
    services.tell_running_costs(every=MINUTE, at=clock.now())
    _, content = shown(exchange(peer, {"status": "Accepted"}))
    assert set(content) == {"transactionId", "cost", "timestamp", "meterValue", "state"}


def test_the_parking_that_is_free_at_first_is_said(grid: Grid) -> None:
    station, peer = connected(grid, V16, connectors=1)
    parking = {"kind": "idle", "unit_cents": "5", "free_units": "30"}
    priced(station, [{"kind": "energy", "unit_cents": "50"}, parking])
    understands(station)
    charge = Charge(peer, V16, grid.token(), begun=clock.now() - 30 * MINUTE)
    charge.start(1000)
    charge.read(5, 4000)
    status = {"connectorId": 1, "errorCode": "NoError", "status": "SuspendedEV"}
    peer.result("StatusNotification", status)
    services.tell_running_costs(every=MINUTE, at=clock.now())
    _, content = shown(exchange(peer, {"status": "Accepted"}))
    assert content["state"] == "Idle"
    assert content["idlePrice"] == {"graceMinutes": 30, "hourPrice": 3.0}


def test_a_bill_that_comes_hours_later_is_shown_to_nobody(grid: Grid) -> None:
    station, peer = connected(grid, V16, connectors=1)
    priced(station, PLAIN)
    understands(station)
    charge = Charge(peer, V16, grid.token(), begun=clock.now() - timedelta(hours=5))
    charge.start(1000)
    charge.stop(60, 3000)
    session = ChargingSession.objects.get(station=station)
    settle_session(session_id=session.pk, at=clock.now())
    deliver_all()
    assert peer.silence()
