"""A password is changed while the station runs; nobody is ever locked out by a lost answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from websockets.exceptions import InvalidStatus

from charging.stations import services
from charging.stations.facts import Opening
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.rules import password_matches
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import PASSWORD, Peer
from tests.protocols.versions import V16

Eventually = Callable[..., Any]


def rotate(grid: Grid, version: str) -> tuple[ChargingStation, Peer, list[Any], str]:
    """The station, its connection, the call it got and the new password in it."""
    station = grid.station()
    peer = grid.dial(station, version)
    peer.result("Heartbeat")
    services.rotate_password(station_id=station.pk, at=clock.now(), by=SYSTEM)
    call = peer.receive()
    if version == V16:
        assert call[2] == "ChangeConfiguration"
        assert call[3]["key"] == "AuthorizationKey"
        return station, peer, call, call[3]["value"]
    told = call[3]["setVariableData"][0]
    assert (call[2], told["variable"]["name"]) == ("SetVariables", "BasicAuthPassword")
    return station, peer, call, told["attributeValue"]


def answer(version: str, word: str) -> dict[str, Any]:
    if version == V16:
        return {"status": word}
    variable = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    return {"setVariableResult": [{"attributeStatus": word, **variable}]}


def opens(grid: Grid, station: ChargingStation, version: str, password: str) -> bool:
    try:
        peer = grid.dial(station, version, password=password)
    except InvalidStatus:
        return False
    return "currentTime" in peer.result("Heartbeat")


def over(station: ChargingStation, eventually: Eventually) -> None:
    """The command has ended, however."""
    ended = StationCommand.objects.filter(station=station).exclude(state__in=("queued", "sent"))
    assert eventually(ended.exists, seconds=8)


@pytest.mark.parametrize(("word", "winner"), [("Accepted", "new"), ("Rejected", "old")])
def test_the_stations_answer_decides_which_password_stays(
    grid: Grid, version: str, eventually: Eventually, word: str, winner: str
) -> None:
    station, peer, call, new = rotate(grid, version)
    peer.answer(call, answer(version, word))
    over(station, eventually)
    assert opens(grid, station, version, new) == (winner == "new")
    assert opens(grid, station, version, PASSWORD) == (winner == "old")
    kept = StationCommand.objects.get(station=station).payload
    assert new not in str(kept)


def test_without_an_answer_both_open_until_the_new_one_has(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station, peer, _, new = rotate(grid, version)
    peer.cut()
    over(station, eventually)
    row = ChargingStation.objects.get(pk=station.pk)
    assert row.previous_password_hash
    # Whoever knows the old one cannot end the new one, which the station may have taken.
    assert opens(grid, station, version, PASSWORD)
    assert opens(grid, station, version, new)
    assert not opens(grid, station, version, PASSWORD)
    assert opens(grid, station, version, new)


def test_a_station_that_came_back_with_the_old_password_is_given_another(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station, peer, _, lost = rotate(grid, version)
    peer.cut()
    over(station, eventually)
    with pytest.raises(services.RotationRunning):
        services.rotate_password(station_id=station.pk, at=clock.now(), by=SYSTEM)
    again = grid.dial(station, version)
    again.result("Heartbeat")
    services.rotate_password(station_id=station.pk, at=clock.now(), by=SYSTEM)
    call = again.receive()
    found = call[3].get("value") or call[3]["setVariableData"][0]["attributeValue"]
    again.answer(call, answer(version, "Accepted"))
    settled = ChargingStation.objects.filter(pk=station.pk, previous_password_hash="")
    assert eventually(settled.exists)
    assert opens(grid, station, version, found)
    assert not opens(grid, station, version, lost)
    assert not opens(grid, station, version, PASSWORD)


def test_who_comes_in_with_a_leaked_old_password_is_not_told_the_new_one(grid: Grid) -> None:
    station = grid.station()
    grid.dial(station).result("Heartbeat")
    # The order is there, and before the gateway looks, somebody else has connected.
    ordered = ChargingStation.objects.get(pk=station.pk).connection_epoch
    with transaction.atomic():
        command = services.rotate_password(station_id=station.pk, at=clock.now(), by=SYSTEM)
        assert command.payload["only_epoch"] == ordered
        ChargingStation.objects.filter(pk=station.pk).update(connection_epoch=ordered + 1)
        assert services.mark_commands_sent(sent={command.pk: ordered + 1}, at=clock.now()) == set()
    command.refresh_from_db()
    assert (command.state, command.result) == ("failed", {"reason": "connection_lost"})
    # Never sent, so only the old one is there.
    row = ChargingStation.objects.get(pk=station.pk)
    assert row.previous_password_hash == ""
    assert password_matches(password=PASSWORD.encode(), hashes=(row.password_hash,))


def test_while_the_command_is_out_both_open(grid: Grid, version: str) -> None:
    station, _, _, new = rotate(grid, version)
    row = ChargingStation.objects.get(pk=station.pk)
    for password in (PASSWORD, new):
        hashes = (row.password_hash, row.previous_password_hash)
        assert password_matches(password=password.encode(), hashes=hashes)
    # A second socket with the old one, while the first has not answered, decides nothing.
    other = services.open_connections(
        openings=[
            Opening(
                station_id=station.pk,
                ocpp_version=version,
                gateway="other",
                password_hash=row.previous_password_hash,
            ),
        ],
        at=clock.now(),
    )
    assert other == [row.connection_epoch + 1]
    assert ChargingStation.objects.get(pk=station.pk).previous_password_hash


def test_two_changes_at_once_and_changes_of_nothing_are_refused(grid: Grid) -> None:
    station, _, _, _ = rotate(grid, V16)
    with pytest.raises(services.RotationRunning):
        services.rotate_password(station_id=station.pk, at=clock.now(), by=SYSTEM)
    certified = grid.station(security_profile=3)
    with pytest.raises(services.PasswordUnused):
        services.rotate_password(station_id=certified.pk, at=clock.now(), by=SYSTEM)


def test_a_station_that_is_away_keeps_its_password(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station = grid.station()
    command = services.rotate_password(station_id=station.pk, at=clock.now(), by=SYSTEM)
    assert command.state == "failed"
    assert opens(grid, station, version, PASSWORD)
