"""Frames, right and wrong: what each version answers to them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from charging.sessions.models import ChargingSession
from charging.stations.models import Connector, EventStream, StationCommand
from charging.stations.services import queue_command
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import CALL_TIMEOUT_S, Grid
from tests.protocols.versions import ALL, TWO, V16, V21, V201, begin, boot, spelled, status

Eventually = Callable[..., Any]
UNFINISHED = '[2,"1","Heartbeat",{"secret":'
STREAM = {"id": 7, "pending": 0, "basetime": "2026-05-01T10:00:00Z"}


def reset(station_id: int) -> StationCommand:
    return queue_command(
        station_id=station_id,
        action="reset",
        payload={"kind": "soft"},
        idempotency_key=ids.short_code(20),
        at=clock.now(),
        by=SYSTEM,
    )


def test_what_is_no_json_is_answered_under_minus_one_and_the_socket_stays(
    grid: Grid, version: str
) -> None:
    peer = grid.dial(grid.station(), version)
    peer.send(UNFINISHED)
    answer = peer.receive()
    assert answer[:3] == [4, "-1", spelled(version, "RpcFrameworkError")]
    assert "secret" not in json.dumps(answer)
    assert peer.result("Heartbeat")


def test_an_unknown_action_is_not_implemented_and_one_not_for_us_not_supported(
    grid: Grid, version: str
) -> None:
    peer = grid.dial(grid.station(), version)
    assert peer.error("FooBar") == "NotImplemented"
    assert peer.error("Reset") == "NotSupported"
    assert peer.error("ClearCache") == "NotSupported"


def test_a_message_type_nobody_knows_is_refused_by_its_id(grid: Grid, version: str) -> None:
    peer = grid.dial(grid.station(), version)
    peer.send([9, "x1", "Heartbeat", {}])
    assert peer.receive()[:3] == [4, "x1", spelled(version, "MessageTypeNotSupported")]


@pytest.mark.parametrize("version", [V16, V201])
@pytest.mark.parametrize("kind", [5, 6])
def test_types_of_21_are_unknown_before_it(grid: Grid, version: str, kind: int) -> None:
    peer = grid.dial(grid.station(), version)
    peer.send([kind, "x1", "NotifyPeriodicEventStream", {}])
    assert peer.receive()[:3] == [4, "x1", spelled(version, "MessageTypeNotSupported")]


def test_a_send_is_processed_and_never_answered(grid: Grid, eventually: Eventually) -> None:
    station = grid.station()
    peer = grid.dial(station, V21)
    params = {"id": 7, "variableMonitoringId": 3, "params": {"interval": 1}}
    opened = peer.result("OpenPeriodicEventStream", {"constantStreamData": params})
    assert opened == {"status": "Accepted"}
    values = [{"t": 0, "v": "20.5"}, {"t": 2, "v": "21.0"}, {"t": 1, "v": "20.8"}]
    peer.send([6, "s1", "NotifyPeriodicEventStream", {**STREAM, "data": values}])
    stream = EventStream.objects.filter(station=station, number=7, values_received=3)
    assert eventually(stream.first).last_value == "21.0"
    assert peer.silence(0.2)
    peer.send([6, "s1", "NotifyPeriodicEventStream", {**STREAM, "data": values}])
    assert peer.result("ClosePeriodicEventStream", {"id": 7}) == {}
    row = EventStream.objects.get(station=station)
    assert (row.values_received, row.closed_at is not None) == (3, True)


@pytest.mark.parametrize("frame", [
    [6, "s1", "NotifyPeriodicEventStream", {"id": 7}],
    [6, "s1", "NotifyPeriodicEventStream", {**STREAM, "data": [{"t": 1e300, "v": "1"}]}],
    [6, "s1", "FooBar", {}],
    [6, "s1"],
    [6],
    [5, "r1", "FormatViolation", "we did not understand", {}],
    [5],
])  # fmt: skip
def test_nothing_wrong_with_a_send_or_a_complaint_is_answered(grid: Grid, frame: list[Any]) -> None:
    peer = grid.dial(grid.station(), V21)
    peer.send(frame)
    assert peer.silence(0.15)
    assert peer.result("Heartbeat")


def test_a_null_payload_is_an_empty_one(grid: Grid, version: str) -> None:
    peer = grid.dial(grid.station(), version)
    peer.send('[2,"n1","Heartbeat",null]')
    assert peer.receive()[:2] == [3, "n1"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reason": None}, "TypeConstraintViolation"),
        ({"reason": "Whim"}, "PropertyConstraintViolation"),
        ({"extra": 1}, "FormatViolation"),
        ({"chargingStation": {"model": "x"}}, "OccurrenceConstraintViolation"),
        (
            {"chargingStation": {"vendorName": "x" * 51, "model": "y"}},
            "PropertyConstraintViolation",
        ),
    ],
)
@pytest.mark.parametrize("version", TWO)
def test_each_fault_of_a_payload_has_its_name(
    grid: Grid, version: str, change: dict[str, Any], code: str
) -> None:
    assert (
        grid.dial(grid.station(), version).error("BootNotification", {**boot(version), **change})
        == code
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"connectorId": "1"}, "TypeConstraintViolation"),
        ({"errorCode": "Broken"}, "PropertyConstraintViolation"),
        ({"extra": 1}, "FormationViolation"),
        ({"info": "x" * 51}, "PropertyConstraintViolation"),
    ],
)
def test_16_spells_faults_its_own_way(grid: Grid, change: dict[str, Any], code: str) -> None:
    peer = grid.dial(grid.station(), V16)
    assert peer.error("StatusNotification", {**status(V16), **change}) == code
    assert peer.error("StatusNotification", {"connectorId": 1}) == "OccurenceConstraintViolation"


def test_an_id_of_37_signs_is_refused(grid: Grid, version: str) -> None:
    peer = grid.dial(grid.station(), version)
    peer.send([2, "x" * 37, "Heartbeat", {}])
    answer = peer.receive()
    assert (answer[0], answer[2]) == (4, spelled(version, "FormatViolation"))


@pytest.mark.parametrize("again", ["same id", "new id", "new socket"])
def test_the_same_event_has_one_effect_and_one_answer(grid: Grid, version: str, again: str) -> None:
    station, token = grid.station(), grid.token()
    peer = grid.dial(station, version)
    action, payload = begin(version, token, reference="T-1")
    first = peer.call(action, payload, message_id="m-1")
    if again == "new socket":
        peer.cut()
        peer = grid.dial(station, version)
    second = peer.call(action, payload, message_id="m-1" if again == "same id" else "m-2")
    assert second[0] == 3
    assert second[2] == first[2]
    if again == "same id":
        assert second == first
    assert ChargingSession.objects.filter(station=station).count() == 1


@pytest.mark.parametrize("kind", ["a fact", "a question"])
def test_the_same_call_under_the_same_id_gets_the_same_bytes(
    grid: Grid, version: str, kind: str
) -> None:
    peer = grid.dial(grid.station(), version)
    action, payload = begin(version, grid.token()) if kind == "a fact" else ("Heartbeat", {})
    answers = []
    for _ in range(2):
        peer.send([2, "same", action, payload])
        answers.append(peer.socket.recv(timeout=5))
        # The clock goes on in between: an answer made anew would tell another time.
        time.sleep(0.005)
    assert answers[0] == answers[1]


def test_calls_of_the_station_are_answered_while_ours_waits(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    peer.result("Heartbeat")
    first, second = reset(station.pk), reset(station.pk)
    call = peer.receive()
    assert call[2] == "Reset"
    assert peer.result("Heartbeat")
    # Nothing else of ours comes before the answer.
    assert peer.silence(0.2)
    peer.answer(call, {"status": "Accepted"})
    following = peer.receive()
    assert following[2] == "Reset"
    assert following[1] != call[1]
    peer.answer(following, {"status": "Rejected"})
    states = StationCommand.objects.filter(pk__in=[first.pk, second.pk]).order_by("pk")
    assert eventually(lambda: [row.state for row in states.all()] == ["accepted", "rejected"])


def test_a_late_answer_changes_nothing_and_the_next_command_works(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    peer.result("Heartbeat")
    late = reset(station.pk)
    call = peer.receive()
    timed_out = StationCommand.objects.filter(pk=late.pk, state="timed_out")
    assert eventually(timed_out.exists, seconds=CALL_TIMEOUT_S + 3)
    peer.answer(call, {"status": "Accepted"})
    peer.answer([2, "never-asked"], {"status": "Accepted"})
    following = reset(station.pk)
    call = peer.receive()
    peer.answer(call, {"status": "Accepted"})
    accepted = StationCommand.objects.filter(pk=following.pk, state="accepted")
    assert eventually(accepted.exists)
    assert timed_out.exists()


def test_an_unusable_answer_fails_the_command_and_21_is_told_so(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    peer.result("Heartbeat")
    command = reset(station.pk)
    call = peer.receive()
    peer.answer(call, {"status": "Perhaps"})
    if version == V21:
        complaint = peer.receive()
        assert complaint[:3] == [5, call[1], "PropertyConstraintViolation"]
    else:
        assert peer.silence(0.2)
    failed = StationCommand.objects.filter(pk=command.pk, state="failed")
    assert eventually(failed.exists)


def test_a_burst_is_processed_and_answered_in_order(grid: Grid, version: str) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    words = ("Available", "Occupied" if version != V16 else "Charging", "Faulted")
    for number, word in enumerate(words):
        peer.send([2, f"b{number}", "StatusNotification", status(version, word)])
    peer.send([2, "b3", "Heartbeat", {}])
    assert [peer.receive()[1] for _ in range(4)] == ["b0", "b1", "b2", "b3"]
    # All of one second: only their order says which is the last.
    assert Connector.objects.get(evse__station=station, evse__number=1).status == "Faulted"


def test_a_megabyte_ends_the_socket_and_nobody_else_notices(grid: Grid, version: str) -> None:
    neighbour, loud = grid.dial(grid.station(), version), grid.dial(grid.station(), version)
    loud.send([2, "1", "DataTransfer", {"vendorId": "x", "data": "y" * 1_000_000}])
    assert neighbour.result("Heartbeat")
    assert loud.closed_with() == 1009


def test_a_flood_of_one_station_does_not_slow_the_others(grid: Grid, version: str) -> None:
    neighbour, flooder = (grid.dial(grid.station(), version) for _ in range(2))
    stop = threading.Event()

    def flood() -> None:
        number = 0
        while not stop.is_set() and number < 5000:
            flooder.send([2, f"f{number}", "Heartbeat", {}])
            number += 1

    def drain() -> None:
        while not stop.is_set():
            flooder.silence(0.05)

    threads = [threading.Thread(target=work, daemon=True) for work in (flood, drain)]
    for thread in threads:
        thread.start()
    waits = []
    for _ in range(30):
        began = time.monotonic()
        neighbour.result("StatusNotification", status(version))
        waits.append(time.monotonic() - began)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert sorted(waits)[len(waits) // 2] < 0.5
    assert max(waits) < 3


def test_every_version_is_tried() -> None:
    assert len(ALL) == 3
