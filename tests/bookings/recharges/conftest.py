"""Luca's charger with its prices, and what it says."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.response import Response
from rest_framework.test import APIClient

from charging.sessions import services as sessions
from charging.sessions.facts import Reading, ReadingBatch, Sample, SessionStart, SessionStop
from charging.sessions.models import Token
from charging.stations import services as stations
from charging.stations.facts import CommandResult
from charging.stations.models import ChargingStation, Connector, StationCommand
from charging.tariffs import services as prices
from charging.tariffs.models import Tariff
from mobility.accounts.models import Organisation
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import connector_of

PRICES = [
    {"kind": "flat", "unit_cents": "30"},
    {"kind": "energy", "unit_cents": "50"},
    {"kind": "idle", "unit_cents": "10", "free_units": "10"},
]


@pytest.fixture
def charger(
    travel: Any, make_station: Callable[..., ChargingStation], colonnine: Organisation
) -> ChargingStation:
    """A charger of 22 kW with two connectors, connected and priced."""
    at = clock.now()
    station = make_station("CP1", connectors=2, online=True, at=at)
    tariff = Tariff.objects.create(
        organisation=colonnine, code="ac", name={"it": "AC"}, is_default=True
    )
    draft = prices.draft_version(
        tariff_id=tariff.pk,
        components=PRICES,
        valid_from=at - datetime.timedelta(days=1),
        at=at,
        by=SYSTEM,
    )
    prices.publish_version(version_id=draft.pk, at=at, by=SYSTEM)
    Connector.objects.filter(evse__station=station).update(status="Available")
    return station


@pytest.fixture
def socket(charger: ChargingStation) -> Connector:
    return connector_of(charger)


@pytest.fixture
def buy(rider: APIClient, socket: Connector) -> Callable[..., Response]:
    """Giulia taps "charge"."""
    return lambda **wish: rider.post(
        "/api/v1/recharges", {"connector": str(socket.public_id), **wish}
    )


@pytest.fixture
def answer(charger: ChargingStation, relay: Callable[[], int]) -> Callable[..., StationCommand]:
    """The charger answers the newest command."""

    def tell(state: str, **result: Any) -> StationCommand:
        command = StationCommand.objects.open().latest("id")
        stations.mark_commands_sent(sent={command.pk: charger.connection_epoch}, at=clock.now())
        finished = CommandResult(command_id=command.pk, state=state, result=result)
        stations.finish_commands(results=[finished], at=clock.now())
        relay()
        return command

    return tell


@pytest.fixture
def plug_in(charger: ChargingStation, relay: Callable[[], int]) -> Callable[..., str]:
    """A car is plugged in and current flows; returns the transaction."""

    def begin(uid: str = "", evse: int = 1) -> str:
        start = SessionStart(
            station_id=charger.pk,
            evse_number=evse,
            uid=uid or Token.objects.filter(kind="app").latest("id").uid,
            at=clock.now(),
            meter_start_wh=1_000,
        )
        (started,) = sessions.start_sessions(starts=[start], at=clock.now())
        relay()
        return started.transaction_ref

    return begin


@pytest.fixture
def flow(charger: ChargingStation, travel: Any) -> Callable[..., None]:
    """Time passes, and the meter tells what flowed since the plug."""

    def pass_by(transaction: str, energy_wh: int, *, minutes: float, power_w: int = 11_000) -> None:
        travel.shift(datetime.timedelta(minutes=minutes))
        samples = (
            Sample(value=1_000 + energy_wh, unit="Wh"),
            Sample(value=power_w, unit="W", measurand="Power.Active.Import"),
        )
        batch = ReadingBatch(
            station_id=charger.pk,
            evse_number=1,
            transaction_ref=transaction,
            readings=(Reading(at=clock.now(), samples=samples),),
        )
        sessions.record_readings(readings=[batch], at=clock.now())

    return pass_by


@pytest.fixture
def unplug(charger: ChargingStation, relay: Callable[[], int]) -> Callable[..., None]:
    """The session ends with so many watt-hours, and is settled."""

    def end(transaction: str, energy_wh: int) -> None:
        stop = SessionStop(
            station_id=charger.pk,
            transaction_ref=transaction,
            at=clock.now(),
            meter_stop_wh=1_000 + energy_wh,
            reason="Remote",
        )
        sessions.stop_sessions(stops=[stop], at=clock.now())
        relay()
        sessions.settle_due(at=clock.now())
        relay()

    return end
