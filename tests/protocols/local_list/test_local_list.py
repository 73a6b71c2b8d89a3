"""Local lists: differences where possible, everything where not, a version per station."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from charging.devices import services
from charging.devices.models import DeviceVariable, LocalList
from charging.sessions.models import Token
from charging.stations.models import ChargingStation, StationCommand
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import Peer
from tests.protocols.asking import Eventually, ask, connected, exchange, over
from tests.protocols.versions import V16


def card(station: ChargingStation, uid: str, **values: Any) -> Token:
    return Token.objects.create(
        uid=uid, organisation=station.site.organisation, created_at=clock.now(), **values
    )


@pytest.fixture(autouse=True)
def no_cards(grid: Grid) -> None:
    """The operator's cards of the test before are not this one's."""
    Token.objects.filter(organisation=grid.site.organisation).delete()


def send(station: ChargingStation, *, full: bool = False) -> LocalList:
    return services.send_list(
        station=station, full=full, idempotency_key=ids.short_code(12), at=clock.now(), by=SYSTEM
    )


def take(
    peer: Peer, station: ChargingStation, eventually: Eventually, status: str = "Accepted"
) -> tuple[str, int, set[str]]:
    """Answer the next list; its kind, its version and the cards in it."""
    word, payload = exchange(peer, {"status": status})
    assert word == "SendLocalList"
    version = payload.get("listVersion", payload.get("versionNumber"))
    eventually(
        lambda: (
            not StationCommand.objects.filter(
                station=station, payload__version=version, state__in=["queued", "sent"]
            ).exists()
        )
    )
    rows = payload.get("localAuthorizationList", [])
    uids = {row.get("idTag") or row["idToken"]["idToken"] for row in rows}
    return payload["updateType"], version, uids


def held(station: ChargingStation) -> tuple[str, int, set[str]]:
    row = LocalList.objects.get(station=station)
    return row.state, row.version, set(row.entries)


def test_the_first_list_is_whole_and_later_ones_say_what_changed(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    first = card(station, "04AA")
    card(station, "04BB")
    send(station)
    assert take(peer, station, eventually) == ("Full", 1, {"04AA", "04BB"})
    assert held(station) == ("synchronised", 1, {"04AA", "04BB"})
    first.delete()
    card(station, "04CC")
    send(station)
    # One that is gone is named without a status: that takes it out.
    assert take(peer, station, eventually) == ("Differential", 2, {"04AA", "04CC"})
    assert held(station) == ("synchronised", 2, {"04BB", "04CC"})
    send(station)
    assert peer.silence(0.3)


@pytest.mark.parametrize("version", [V16])
def test_a_difference_that_is_not_supported_is_tried_once_as_the_whole_list(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    card(station, "04AA")
    send(station)
    take(peer, station, eventually)
    card(station, "04BB")
    send(station)
    assert take(peer, station, eventually, "NotSupported")[0] == "Differential"
    assert take(peer, station, eventually, "NotSupported")[0] == "Full"
    assert held(station)[0] == "not_supported"
    assert peer.silence(0.3)


def test_a_station_that_does_not_know_the_message_keeps_no_list(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    card(station, "04AA")
    services.manage_list(station=station, managed=True, at=clock.now(), by=SYSTEM)
    send(station)
    call = peer.receive()
    peer.send([4, call[1], "NotSupported", "no local list here", {}])
    eventually(lambda: held(station)[0] != "sending")
    assert held(station)[0] == "not_supported"
    services.tend_lists(at=clock.now())
    assert peer.silence(0.3)


@pytest.mark.parametrize("status", ["VersionMismatch", "Failed"])
def test_a_refused_difference_is_followed_by_the_whole_list(
    grid: Grid, eventually: Eventually, version: str, status: str
) -> None:
    station, peer = connected(grid, version)
    card(station, "04AA")
    send(station)
    take(peer, station, eventually)
    card(station, "04BB")
    send(station)
    assert take(peer, station, eventually, status)[0] == "Differential"
    assert take(peer, station, eventually) == ("Full", 3, {"04AA", "04BB"})
    assert held(station) == ("synchronised", 3, {"04AA", "04BB"})


def test_a_refused_whole_list_ends_it_and_shows_why(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    card(station, "04AA")
    send(station)
    take(peer, station, eventually, "Failed")
    row = LocalList.objects.get(station=station)
    assert (row.state, row.problem, row.version) == ("failed", "Failed", 0)
    assert peer.silence(0.3)


@pytest.mark.parametrize("version", [V16])
def test_a_station_of_16_that_keeps_no_list_is_left_alone(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    card(station, "04AA")
    services.manage_list(station=station, managed=True, at=clock.now(), by=SYSTEM)
    services.tend_lists(at=clock.now())
    take(peer, station, eventually, "NotSupported")
    assert held(station)[0] == "not_supported"
    services.tend_lists(at=clock.now())
    assert peer.silence(0.3)


def test_a_long_list_goes_in_portions_each_with_its_version(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    name, component = (
        ("SendLocalListMaxLength", "")
        if version == V16
        else ("ItemsPerMessage", "LocalAuthListCtrlr")
    )
    DeviceVariable.objects.create(
        station=station, component=component, name=name, value="2", at=clock.now()
    )
    for number in range(5):
        card(station, f"04{number}")
    send(station)
    parts = [take(peer, station, eventually) for _ in range(3)]
    assert [(kind, number, len(uids)) for kind, number, uids in parts] == [
        ("Full", 1, 2),
        ("Differential", 2, 2),
        ("Differential", 3, 1),
    ]
    assert held(station) == ("synchronised", 3, {f"04{number}" for number in range(5)})


def test_after_silence_nobody_knows_what_it_holds_and_it_gets_everything(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    card(station, "04AA")
    send(station)
    take(peer, station, eventually)
    card(station, "04BB")
    send(station)
    peer.receive()
    eventually(lambda: held(station)[0] == "unknown")
    send(station)
    kind, number, uids = take(peer, station, eventually)
    assert (kind, uids) == ("Full", {"04AA", "04BB"})
    # Higher than whatever the station may have taken.
    assert number > 2


def test_another_version_than_ours_is_noticed(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    card(station, "04AA")
    send(station)
    take(peer, station, eventually)
    command = ask(station, "get_list_version")
    exchange(peer, {"listVersion" if version == V16 else "versionNumber": 7})
    over(command, eventually)
    assert held(station) == ("unknown", 0, set())
    send(station)
    assert take(peer, station, eventually)[:2] == ("Full", 8)


def test_a_managed_list_follows_the_cards(grid: Grid, eventually: Eventually, version: str) -> None:
    station, peer = connected(grid, version)
    LocalList.objects.exclude(station=station).update(managed=False)
    services.manage_list(station=station, managed=True, at=clock.now(), by=SYSTEM)
    token = card(station, "04AA", group="FAMILY")
    assert services.tend_lists(at=clock.now()) == 1
    take(peer, station, eventually)
    assert services.tend_lists(at=clock.now()) == 0
    Token.objects.filter(pk=token.pk).update(state="blocked")
    assert services.tend_lists(at=clock.now()) == 1
    assert take(peer, station, eventually) == ("Differential", 2, {"04AA"})
    assert held(station) == ("synchronised", 2, set())


def test_a_look_at_all_lists_costs_the_same_however_many_there_are(grid: Grid) -> None:
    """Every thirty seconds, all stations of a city; most lists are as they should be."""

    def statements() -> int:
        with CaptureQueriesContext(connection) as looked:
            assert services.tend_lists(at=clock.now()) == 0
        return len(looked)

    cards = [card(grid.station(), f"04{number:02}") for number in range(3)]
    entries = {one.uid: {"status": "Accepted", "kind": "rfid"} for one in cards}

    def in_step() -> None:
        station = grid.station(connected_at=clock.now(), ocpp_version=V16)
        LocalList.objects.create(
            station=station,
            managed=True,
            state="synchronised",
            version=1,
            entries=entries,
            wanted=entries,
            changed_at=clock.now(),
        )

    LocalList.objects.all().delete()
    in_step()
    few = statements()
    for _ in range(5):
        in_step()
    assert statements() == few
    # And it still sees what is not.
    LocalList.objects.filter(pk=LocalList.objects.first().pk).update(entries={})
    assert services.tend_lists(at=clock.now()) == 1
    LocalList.objects.all().delete()
