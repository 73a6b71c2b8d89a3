"""What went over the wire is there to be read, both ways, without anybody's secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from charging.frames import queries, services
from charging.frames.models import QuirkCount, QuirkProfile, StationFrame
from charging.frames.states import Quirk
from charging.ocpp.gateway.options import GatewayOptions
from charging.sessions.models import MeterReading
from charging.stations.models import ChargingStation
from charging.stations.services import queue_command
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid, RunningGateway, start_gateway
from tests.charging.ocpp.peer import Peer
from tests.protocols.versions import TWO, V16, begin, boot, status

Eventually = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("grid")


def frames_of(station: ChargingStation, count: int, eventually: Eventually) -> list[Any]:
    rows = StationFrame.objects.filter(station=station)
    assert eventually(lambda: rows.count() >= count)
    return list(rows.order_by("at", "id"))


def test_both_ways_are_logged_with_what_they_answer(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    peer.result("BootNotification", boot(version))
    queue_command(
        station_id=station.pk, action="reset", payload={}, idempotency_key=ids.short_code(20),
        at=clock.now(), by=SYSTEM,
    )  # fmt: skip
    call = peer.receive()
    peer.answer(call, {"status": "Accepted"})
    peer.send("no json")
    peer.receive()
    told = [(row.direction, row.kind, row.action) for row in frames_of(station, 6, eventually)]
    assert told == [
        ("in", 2, "BootNotification"),
        ("out", 3, "BootNotification"),
        ("out", 2, "Reset"),
        ("in", 3, "Reset"),
        ("in", 0, ""),
        ("out", 4, ""),
    ]
    words = [row.words for row in queries.last_frames(station=station)]
    assert words[-1].startswith("The station started: ")
    assert words[2] == "Answer to “Restart the station”: status Accepted"
    assert words[1] == "Not readable as a message"


def test_cards_are_known_by_their_last_signs_and_passwords_not_at_all(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station, token = grid.station(), grid.token()
    peer = grid.dial(station, version)
    action, payload = begin(version, token)
    peer.result(action, payload)
    queue_command(
        station_id=station.pk, action="set_password", payload={"password": "f00d" * 10},
        idempotency_key=ids.short_code(20), at=clock.now(), by=SYSTEM,
    )  # fmt: skip
    call = peer.receive()
    assert "f00d" in str(call)
    peer.answer(call, set_answer(version))
    bodies = "\n".join(row.body for row in frames_of(station, 4, eventually))
    assert token not in bodies
    assert token[-4:] in bodies
    assert "f00d" not in bodies
    assert "***" in bodies


def set_answer(version: str) -> dict[str, Any]:
    if version == V16:
        return {"status": "Accepted"}
    variable = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    return {"setVariableResult": [{"attributeStatus": "Accepted", **variable}]}


def test_the_last_two_hundred_are_shown_in_one_query(
    grid: Grid, eventually: Eventually, django_assert_num_queries: Any
) -> None:
    station = grid.station()
    peer = grid.dial(station)
    for number in range(110):
        peer.send([2, f"h{number}", "Heartbeat", {}])
    for _ in range(110):
        peer.receive()
    frames_of(station, 220, eventually)
    with django_assert_num_queries(1):
        shown = queries.last_frames(station=station)
    assert len(shown) == 200
    assert shown[0].message_id == "h109"


def test_days_are_made_ahead_and_dropped_whole(grid: Grid, eventually: Eventually) -> None:
    station = grid.station()
    grid.dial(station).result("Heartbeat")
    frames_of(station, 2, eventually)
    now = clock.now()
    services.ensure_partitions(at=now)
    assert services.ensure_partitions(at=now) == []
    # In ten days today is old; the days made for then are not.
    later = now + timedelta(days=10)
    made = services.ensure_partitions(at=later)
    assert len(made) == 4
    dropped = services.drop_old_days(at=later)
    assert f"charging_stationframe_{now:%Y%m%d}" in dropped
    assert not set(made) & set(dropped)
    assert not StationFrame.objects.filter(station=station).exists()
    services.drop_old_days(at=later + timedelta(days=30))
    services.ensure_partitions(at=now)


@pytest.fixture(scope="module")
def learned(real_database: None) -> Iterator[RunningGateway]:
    """A gateway that reads leniency profiles every tenth of a second, knowing some makes."""
    strange = [choice for choice in Quirk.values if choice not in {"kwh_as_wh", "wh_as_kwh"}]
    QuirkProfile.objects.create(vendor="Strange*", quirks=strange, note="told by the maker")
    QuirkProfile.objects.create(vendor="Kilo", model="K1", quirks=[Quirk.KWH_AS_WH])
    QuirkProfile.objects.create(vendor="Strict", quirks=strange, active=False)
    assert GatewayOptions(name="x").books_every_s > 1
    running = start_gateway(books_every_s=0.1, record_frames_every_s=0.1)
    yield running
    running.close()


def dial(grid: Grid, learned: RunningGateway, version: str, **values: Any) -> tuple[Any, Peer]:
    station = grid.station(**values)
    peer = Peer.dial(learned.url, station.identity, (version,))
    grid.peers.append(peer)
    return station, peer


@pytest.mark.parametrize(
    ("change", "quirk"),
    [
        ({"status": "charging"}, Quirk.ENUM_CASE),
        ({"errorCode": "Error"}, Quirk.UNKNOWN_WORD),
        ({"connectorId": "1"}, Quirk.NUMBER_AS_TEXT),
        ({"vendorErrorCode": 17}, Quirk.TEXT_AS_NUMBER),
        ({"timestamp": "2026-05-01 10:00:00"}, Quirk.LOOSE_TIME),
        ({"timestamp": "2026-05-01T12:00:00+02"}, Quirk.LOOSE_TIME),
        ({"info": None}, Quirk.NULL_FIELD),
        ({"colour": "red"}, Quirk.EXTRA_FIELD),
        ({"info": "x" * 60}, Quirk.TOO_LONG),
    ],
)
def test_a_known_make_is_forgiven_and_it_is_counted(
    grid: Grid, learned: RunningGateway, eventually: Eventually, change: dict[str, Any], quirk: str
) -> None:
    payload = {**status(V16, "Charging"), **change}
    station, peer = dial(grid, learned, V16, vendor="STRANGE Motors", model="S1")
    assert peer.result("StatusNotification", payload) == {}
    counts = QuirkCount.objects.filter(station=station)
    assert eventually(counts.exists)
    assert {row.quirk: row.times for row in counts} == {quirk: 1}
    assert counts.get().example.startswith("StatusNotification: ")
    _, strict = dial(grid, learned, V16, vendor="Strict", model="S1")
    assert strict.call("StatusNotification", payload)[0] == 4


def test_a_station_that_boots_for_the_first_time_is_forgiven_by_what_it_says(
    grid: Grid, learned: RunningGateway
) -> None:
    _, peer = dial(grid, learned, V16, booted_at=None)
    payload = boot(V16, chargePointVendor="Strange", firmwareVersion=None)
    assert peer.result("BootNotification", payload)["status"] == "Accepted"
    _, other = dial(grid, learned, V16, booted_at=None)
    assert other.call("BootNotification", {**payload, "chargePointVendor": "Odd"})[0] == 4


@pytest.mark.parametrize("version", TWO)
def test_values_that_break_the_rules_of_2_are_mended(
    grid: Grid, learned: RunningGateway, version: str
) -> None:
    _, peer = dial(grid, learned, version, vendor="Strange", model="S2")
    sample = {"value": "1500", "context": "sample.periodic"}
    element = {"timestamp": "2026-05-01T10:00", "sampledValue": sample}
    empty = {"timestamp": "2026-05-01T10:00:00Z", "sampledValue": []}
    values = {"evseId": 1, "meterValue": [element, empty]}
    assert peer.result("MeterValues", values) == {}


def test_commas_too_many_are_read_over_only_where_known(
    grid: Grid, learned: RunningGateway
) -> None:
    _, peer = dial(grid, learned, V16, vendor="Strange", model="S3")
    peer.send('[2,"c1","Heartbeat",{,}]')
    assert peer.receive()[:2] == [3, "c1"]
    _, strict = dial(grid, learned, V16)
    strict.send('[2,"c1","Heartbeat",{,}]')
    assert strict.receive()[:2] == [4, "-1"]


def test_kwh_called_wh_by_a_known_make_are_counted_as_kwh(
    grid: Grid, learned: RunningGateway
) -> None:
    station, peer = dial(grid, learned, V16, vendor="Kilo", model="K1")
    element = {"timestamp": "2026-05-01T10:00:00Z", "sampledValue": [{"value": "12.5"}]}
    assert peer.result("MeterValues", {"connectorId": 1, "meterValue": [element]}) == {}
    assert MeterReading.objects.get(station=station).register_wh == 12_500
