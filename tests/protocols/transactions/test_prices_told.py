"""Stations are told prices and costs in words their version has, and nothing by halves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from charging.devices.models import DeviceVariable
from charging.sessions import services
from charging.sessions.tasks import tell_costs
from charging.stations.models import ChargingStation, Connector, StationCommand
from charging.tariffs.models import TariffVersion
from charging.tariffs.services import ensure_tariff, place_tariff
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import Peer
from tests.protocols.asking import Eventually, connected, over
from tests.protocols.transactions.charges import START, Charge, authorize
from tests.protocols.versions import TWO, V21

NIGHTLY = [
    {
        "kind": "energy",
        "unit_cents": "36.6",
        "when": {"start_time": "22:00", "end_time": "06:00", "day_of_week": ["SATURDAY"]},
    },
    {"kind": "energy", "unit_cents": "61"},
    {"kind": "idle", "unit_cents": "12.2", "free_units": "30"},
    {"kind": "flat", "unit_cents": "122"},
]


def priced(station: ChargingStation, components: list[dict[str, Any]]) -> TariffVersion:
    now = clock.now()
    tariff = ensure_tariff(
        organisation_id=station.site.organisation_id,
        code=ids.short_code(10).lower(),
        name={"it": "Prova"},
        components=components,
        valid_from=START - timedelta(days=1),
        at=START - timedelta(days=1),
        by=SYSTEM,
    )
    connector = Connector.objects.get(evse__station=station, evse__number=1)
    place_tariff(tariff_id=tariff.pk, connector_id=connector.pk, at=now, by=SYSTEM)
    version: TariffVersion = tariff.versions.get()
    return version


def tell(station: ChargingStation) -> StationCommand:
    connector = Connector.objects.get(evse__station=station, evse__number=1)
    return services.tell_tariff(
        connector_id=connector.pk, idempotency_key=ids.short_code(12), at=clock.now(), by=SYSTEM
    )


def asked(peer: Peer, command: StationCommand, answer: dict[str, Any]) -> dict[str, Any]:
    call = peer.receive()
    peer.answer(call, answer)
    payload: dict[str, Any] = call[3]
    return payload


@pytest.mark.parametrize("version", [V21])
def test_a_tariff_is_told_without_tax_in_the_standard_s_words(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station, peer = connected(grid, version)
    told = priced(station, NIGHTLY)
    command = tell(station)
    said = asked(peer, command, {"status": "Accepted"})
    assert over(command, eventually).state == "accepted"
    tariff = said["tariff"]
    assert (said["evseId"], tariff["tariffId"], tariff["currency"]) == (
        1,
        str(told.public_id),
        "EUR",
    )
    night, day = tariff["energy"]["prices"]
    assert (night["priceKwh"], day["priceKwh"]) == (0.3, 0.5)
    assert night["conditions"] == {
        "startTimeOfDay": "22:00",
        "endTimeOfDay": "06:00",
        "dayOfWeek": ["Saturday"],
    }
    assert tariff["energy"]["taxRates"] == [{"type": "vat", "tax": 22.0}]
    [idle] = tariff["idleTime"]["prices"]
    assert idle == {"priceMinute": 0.1, "conditions": {"minIdleTime": 1800}}
    assert tariff["fixedFee"]["prices"] == [{"priceFixed": 1.0}]
    assert {text["language"] for text in tariff["description"]} == {"it", "en"}


@pytest.mark.parametrize(
    ("version", "components"),
    [
        (V21, [{"kind": "energy", "unit_cents": "61", "step": 500}]),
        (V21, [{"kind": "idle", "unit_cents": "10", "cap_cents": 500}]),
        ("ocpp2.0.1", NIGHTLY),
        ("ocpp1.6", NIGHTLY),
    ],
)
def test_what_the_version_cannot_say_is_not_said(
    grid: Grid, version: str, components: list[dict[str, Any]], eventually: Eventually
) -> None:
    station, peer = connected(grid, version)
    priced(station, components)
    assert over(tell(station), eventually).state == "failed"
    assert peer.silence()


def showing(station: ChargingStation, component: str, value: str, instance: str = "") -> None:
    DeviceVariable.objects.create(
        station=station,
        component=component,
        name="Enabled",
        instance=instance,
        value=value,
        at=clock.now(),
    )


PLAIN = [{"kind": "energy", "unit_cents": "61"}, {"kind": "flat", "unit_cents": "100"}]


@pytest.mark.parametrize("version", TWO)
def test_a_station_that_shows_prices_is_told_its_price_with_the_verdict(
    grid: Grid, version: str
) -> None:
    station, peer = connected(grid, version, connectors=1)
    token = grid.token()
    priced(station, PLAIN)
    assert "personalMessage" not in authorize(peer, version, token)["idTokenInfo"]
    showing(station, "DisplayMessageCtrlr", "true")
    said = authorize(peer, version, token)["idTokenInfo"]["personalMessage"]
    assert (said["format"], said["language"]) == ("UTF8", "it")
    assert "0,61" in said["content"]
    assert "1,00" in said["content"]
    # Who may not charge is told why, not what it would have cost.
    blocked = grid.token(state="blocked")
    assert authorize(peer, version, blocked)["idTokenInfo"] == {"status": "Blocked"}
    # Its word about tariffs is the nearer one.
    showing(station, "TariffCostCtrlr", "false", "Tariff")
    assert "personalMessage" not in authorize(peer, version, token)["idTokenInfo"]
    DeviceVariable.objects.filter(station=station, component="TariffCostCtrlr").update(value="true")
    assert "personalMessage" in authorize(peer, version, token)["idTokenInfo"]


@pytest.mark.parametrize("version", TWO)
def test_where_not_all_connectors_cost_the_same_nothing_is_promised(
    grid: Grid, version: str
) -> None:
    station, peer = connected(grid, version, connectors=2)
    showing(station, "TariffCostCtrlr", "true", "Tariff")
    priced(station, PLAIN)
    assert authorize(peer, version, grid.token())["idTokenInfo"] == {"status": "Accepted"}


@pytest.mark.parametrize("version", TWO)
def test_a_quiet_charge_s_cost_is_told_where_the_operator_wants_it(
    grid: Grid, version: str
) -> None:
    station, peer = connected(grid, version)
    priced(station, [{"kind": "energy", "unit_cents": "50"}, {"kind": "time", "unit_cents": "1"}])
    charge = Charge(peer, version, grid.token(), begun=clock.now() - timedelta(minutes=20))
    charge.start(1000)
    charge.read(10, 3000)
    assert tell_costs() == 0
    assert services.tell_costs(every=timedelta(minutes=1), at=clock.now()) == 0
    asking = services.tell_costs(every=timedelta(0), at=clock.now() + timedelta(seconds=1))
    assert asking >= 1
    call = peer.receive()
    peer.answer(call, {})
    assert call[2] == "CostUpdated"
    assert call[3]["transactionId"] == charge.reference
    # Two kilowatt-hours, and at most the ten minutes in which they flowed.
    assert 1.0 < call[3]["totalCost"] <= 1.11


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize("limit_cents", [1250, 0])
def test_a_21_station_hears_the_limit_of_a_charge_begun_from_afar_and_hears_it_again(
    grid: Grid, version: str, limit_cents: int
) -> None:
    station, peer = connected(grid, version)
    connector = Connector.objects.get(evse__station=station, evse__number=1)
    token = grid.token()
    command = services.remote_start(
        connector_id=connector.pk,
        token_uid=token,
        idempotency_key=ids.short_code(12),
        limit_cents=limit_cents,
        at=clock.now(),
        by=SYSTEM,
    )
    call = peer.receive()
    peer.answer(call, {"status": "Accepted"})
    assert "limit_cents" not in str(call)
    charge = Charge(peer, version, token)
    info = {"transactionId": charge.reference, "remoteStartId": command.pk}
    for _ in range(2):
        answer = charge.event("Started", 0, 1000, number=0, transactionInfo=info)
        told = {"maxCost": 12.5} if version == V21 and limit_cents else None
        assert answer.get("transactionLimit") == told
    # It is said once, with the beginning.
    assert "transactionLimit" not in charge.read(5, 1500)


def test_nobody_is_asked_anything_unless_an_operator_wants_it(grid: Grid, version: str) -> None:
    station, peer = connected(grid, version)
    priced(station, NIGHTLY)
    Charge(peer, version, grid.token()).start(1000)
    assert tell_costs() == 0
    assert peer.silence(0.5)
