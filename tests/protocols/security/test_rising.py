"""A station is told to rise, step by step, and a refusal leaves everything as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from charging.certificates import services
from charging.certificates.models import StationCertificate
from charging.devices.models import DeviceVariable
from charging.stations.models import ChargingStation, StationCommand
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import Peer
from tests.protocols.asking import connected, exchange
from tests.protocols.versions import TWO, V16, V21

Eventually = Callable[..., Any]
ADDRESS = "wss://chargers.example.org/ocpp"


@pytest.fixture(autouse=True)
def address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where encrypted stations come."""
    monkeypatch.setattr(settings, "OCPP_TLS_URL", ADDRESS)


def order(station: ChargingStation, profile: int) -> None:
    services.raise_security_profile(
        station_id=station.pk, profile=profile, at=clock.now(), by=SYSTEM
    )


def accept_variables(peer: Peer) -> dict[str, Any]:
    call = peer.receive()
    assert call[2] == "SetVariables"
    [asked] = call[3]["setVariableData"]
    said = {key: asked[key] for key in ("component", "variable")}
    peer.answer(call, {"setVariableResult": [{"attributeStatus": "Accepted", **said}]})
    found: dict[str, Any] = asked
    return found


def test_a_16_station_gets_its_profile_and_restarts(grid: Grid) -> None:
    station, peer = connected(grid, V16)
    order(station, 2)
    assert exchange(peer, {"status": "Accepted"}) == (
        "ChangeConfiguration",
        {"key": "SecurityProfile", "value": "2"},
    )
    assert exchange(peer, {"status": "Accepted"}) == ("Reset", {"type": "Soft"})
    # Told is not proven: the old way is open until the station comes by the new one.
    row = ChargingStation.objects.get(pk=station.pk)
    assert (row.security_profile, row.next_security_profile) == (1, 2)


@pytest.mark.parametrize("version", TWO)
def test_a_2_station_gets_a_network_profile_in_a_free_slot_first(grid: Grid, version: str) -> None:
    station, peer = connected(grid, version)
    DeviceVariable.objects.create(
        station=station,
        component="OCPPCommCtrlr",
        name="NetworkConfigurationPriority",
        value="0,3",
        characteristics={"valuesList": "0,3,5"},
        at=clock.now(),
    )
    order(station, 2)
    action, told = exchange(peer, {"status": "Accepted"})
    assert (action, told["configurationSlot"]) == ("SetNetworkProfile", 3)
    assert (told["connectionData"]["securityProfile"], told["connectionData"]["ocppCsmsUrl"]) == (
        2,
        ADDRESS,
    )
    priority = accept_variables(peer)
    assert (priority["variable"]["name"], priority["attributeValue"]) == (
        "NetworkConfigurationPriority",
        "3,0",
    )
    assert exchange(peer, {"status": "Accepted"}) == ("Reset", {"type": "OnIdle"})


def test_a_refusal_ends_it(grid: Grid, version: str) -> None:
    station, peer = connected(grid, version)
    order(station, 2)
    exchange(peer, {"status": "Rejected"})
    assert peer.silence(0.5)
    assert ChargingStation.objects.get(pk=station.pk).security_profile == 1


def test_who_needs_a_certificate_is_asked_for_it_first(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station, peer = connected(grid, version)
    order(station, 3)
    action, told = exchange(peer, {"status": "Accepted"})
    wanted = "SignChargePointCertificate" if version == V16 else "SignChargingStationCertificate"
    assert action == ("ExtendedTriggerMessage" if version == V16 else "TriggerMessage")
    assert told["requestedMessage"] == wanted
    assert peer.silence(0.3)
    now = clock.now()
    StationCertificate.objects.create(
        station=station, kind="charging_station", serial=f"{station.pk:x}{version}"[:40],
        pem="", valid_from=now, valid_until=now, issued_at=now,
    )  # fmt: skip
    services.certificate_arrived(station_id=station.pk, at=now)
    action, _told = exchange(peer, {"status": "Rejected"})
    assert action == ("ChangeConfiguration" if version == V16 else "SetNetworkProfile")


@pytest.mark.parametrize("reason", ["away", "no address", "no password"])
def test_who_cannot_be_told_is_only_allowed_to(
    grid: Grid, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"security_profile": 0, "password_hash": ""} if reason == "no password" else {}
    if reason == "away":
        station = grid.station(**values)
    else:
        station, _peer = connected(grid, V21, **values)
    if reason == "no address":
        monkeypatch.setattr(settings, "OCPP_TLS_URL", "")
    order(station, 2)
    assert not StationCommand.objects.filter(station=station).exists()
    assert ChargingStation.objects.get(pk=station.pk).next_security_profile == 2
