"""Boot, registration, and statuses in whatever order they come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from charging.stations.models import ChargingStation, Connector
from charging.stations.rules import connector_status
from mobility.core import clock
from tests.charging.ocpp.conftest import Grid
from tests.protocols.asking import connected
from tests.protocols.versions import V16, boot, status

NINE = (
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEVSE",
    "SuspendedEV",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
)
FIVE = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")


@pytest.mark.parametrize(
    ("registration", "said"),
    [("accepted", "Accepted"), ("pending", "Pending"), ("rejected", "Rejected")],
)
def test_a_boot_is_answered_by_the_registration_with_interval_and_utc_time(
    grid: Grid, version: str, registration: str, said: str
) -> None:
    station = grid.station(registration=registration, booted_at=None)
    answer = grid.dial(station, version).result("BootNotification", boot(version))
    assert (answer["status"], answer["interval"]) == (said, 300)
    assert answer["currentTime"].endswith("Z")
    told = datetime.fromisoformat(answer["currentTime"])
    assert abs(told - clock.now()) < timedelta(seconds=5)


def test_nothing_is_heard_before_the_first_boot(grid: Grid, version: str) -> None:
    station = grid.station(booted_at=None)
    peer = grid.dial(station, version)
    assert peer.error("Heartbeat") == "SecurityError"
    peer.result("BootNotification", boot(version))
    assert "currentTime" in peer.result("Heartbeat")


def test_a_station_accepted_meanwhile_learns_it_at_its_next_boot(grid: Grid, version: str) -> None:
    station = grid.station(registration="pending", booted_at=None)
    peer = grid.dial(station, version)
    assert peer.result("BootNotification", boot(version))["status"] == "Pending"
    ChargingStation.objects.filter(pk=station.pk).update(registration="accepted")
    assert peer.error("Heartbeat") == "SecurityError"
    assert peer.result("BootNotification", boot(version))["status"] == "Accepted"
    assert peer.result("Heartbeat")


def test_nothing_is_asked_of_a_station_that_just_came(grid: Grid, version: str) -> None:
    station = grid.station(booted_at=None)
    peer = grid.dial(station, version)
    peer.result("BootNotification", boot(version))
    peer.result("StatusNotification", status(version))
    assert peer.silence(2.5)


def test_connector_zero_is_the_station_itself(grid: Grid, version: str) -> None:
    station, peer = connected(grid, version)
    word = status(version, "Faulted", connector=0)
    if version != V16:
        word["connectorId"] = 0
    assert peer.result("StatusNotification", word) == {}
    station.refresh_from_db()
    assert station.status == "Faulted"
    assert not Connector.objects.filter(evse__station=station, status="Faulted").exists()


def test_an_older_status_never_overwrites_a_newer_one(grid: Grid, version: str) -> None:
    station, peer = connected(grid, version)
    newer = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for word, at in (("Faulted", newer), ("Available", newer - timedelta(hours=1))):
        text = at.isoformat().replace("+00:00", "Z")
        peer.result("StatusNotification", {**status(version, word), "timestamp": text})
    connector = Connector.objects.get(evse__station=station, evse__number=1)
    assert (connector.status, connector.status_at) == ("Faulted", newer)


def test_all_states_of_a_version_are_answered_and_kept(grid: Grid, version: str) -> None:
    station, peer = connected(grid, version)
    for word in NINE if version == V16 else FIVE:
        assert peer.result("StatusNotification", status(version, word)) == {}
        connector = Connector.objects.get(evse__station=station, evse__number=1)
        wanted, detail = connector_status(word)
        assert (connector.status, connector.status_detail) == (wanted, detail)
