"""Vehicles speak MQTT 5 through a real broker: safe before acknowledged, whoever dies in between."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.telematics import mapping, services
from fleet.telematics.edge.process import EdgeOptions
from fleet.telematics.log import LogBusy, RedisPointLog, point_log
from fleet.telematics.models import Device as DeviceRow
from fleet.telematics.mqtt import gateway, wire
from fleet.telematics.mqtt.gateway import Options
from fleet.telematics.services import accept
from fleet.vehicles.models import Vehicle
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.dev.test_proxy import make_certificate
from tests.fleet.edge.broker import Broker, Device, may_be_left_out
from tests.fleet.edge.conftest import (
    Fleet,
    RunningEdge,
    database_away,
    eventually,
    now_ms,
    start_edge,
    state_of,
    stored,
)
from tests.fleet.edge.edge_process import EdgeProcess
from tests.fleet.edge.unit import avl, frame

pytestmark = pytest.mark.skipif(may_be_left_out(), reason="there is no mosquitto on this machine")

NewDevice = Callable[[], tuple[Vehicle, Device]]


@pytest.fixture(scope="module")
def broker(real_database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    running = Broker(tmp_path_factory.mktemp("broker"))
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def edge(broker: Broker) -> Iterator[RunningEdge]:
    running = start_edge(EdgeOptions(mqtt=broker.options(), threads=2))
    eventually(lambda: running.edge.mqtt is not None and running.edge.mqtt.is_connected)
    yield running
    running.close()


@pytest.fixture
def device(broker: Broker, fleet: Fleet) -> Iterator[NewDevice]:
    """`device()` is a new scooter and its unit, known to the broker."""
    made: list[Device] = []

    def new() -> tuple[Vehicle, Device]:
        vehicle, serial, secret = fleet.mqtt()
        broker.renew_users()
        unit = Device(broker, serial, secret)
        eventually(unit.client.is_connected)
        made.append(unit)
        return vehicle, unit

    yield new
    for unit in made:
        unit.close()


_ticks = itertools.count(1)


def report(*offsets_ms: int, **fields: Any) -> dict[str, Any]:
    """Points of a moment that no other report names."""
    at = now_ms() - 3_600_000 + 100 * next(_ticks)
    return {"points": [{"at": at + n, "lat": 45.46, "lon": 9.19, **fields} for n in offsets_ms]}


def until_stored(vehicle: Vehicle, count: int) -> None:
    eventually(lambda: len(stored(vehicle)) == count, within_s=15)


def test_a_scooter_reports_over_mqtt(edge: RunningEdge, device: NewDevice) -> None:
    scooter, unit = device()
    unit.publish(report(0, -10, battery_pct=71), ask="first")
    reply = eventually(lambda: unit.heard_on("r"))[0]
    assert (reply["accepted"], reply["rejected"]) == (2, [])
    assert unit.heard[0][2].CorrelationData == b"first"
    assert [point.battery_pct for point in stored(scooter)] == [71, 71]


def test_a_bad_message_is_told_and_does_not_come_again(
    edge: RunningEdge, device: NewDevice
) -> None:
    scooter, unit = device()
    unit.publish(b"{")
    unit.publish({"points": [{"at": "yesterday"}]})
    unit.publish({"points": [{"at": 1, "lat": 1}, report(0)["points"][0]]})
    told = eventually(lambda: len(unit.heard_on("e")) == 3 and unit.heard_on("e"))
    codes = [one["code"] for one in told]
    assert sorted(codes) == ["items_rejected", "nothing_usable", "report_malformed"]
    items = told[codes.index("items_rejected")]["rejected"]
    assert [(one["index"], one["code"]) for one in items] == [(0, "point_malformed")]
    until_stored(scooter, 1)


def test_the_broker_refuses_what_is_not_the_devices_own(
    edge: RunningEdge, device: NewDevice
) -> None:
    (mine, unit), (others, other) = device(), device()
    reason = []
    unit.client.on_publish = lambda *args: reason.append(str(args[3]))
    unit.publish(report(0), serial=other.serial)
    unit.client.subscribe(f"fleet/v/{other.serial}/c", 1)
    unit.client.subscribe("fleet/v/+/t", 1)
    eventually(lambda: reason)
    assert reason == ["Not authorized"]
    unit.publish(report(0))
    until_stored(mine, 1)
    assert stored(others) == []
    other.publish(report(0))
    until_stored(others, 1)
    assert [kind for kind, _body, _more in unit.heard] == []


def test_a_wrong_password_and_a_stranger_stay_outside(broker: Broker, fleet: Fleet) -> None:
    _scooter, serial, _secret = fleet.mqtt()
    broker.renew_users()
    names = ((serial, "dev_guess"), ("nobody", "dev_guess"), ("", ""))
    strangers = [Device(broker, name, secret) for name, secret in names]
    for stranger in strangers:
        eventually(lambda one=stranger: "uthor" in one.refused)
        stranger.close()


def test_a_revoked_device_is_told_so(edge: RunningEdge, device: NewDevice) -> None:
    """Also while the broker has not read its new files."""
    scooter, unit = device()
    unit.publish(report(0))
    until_stored(scooter, 1)
    row = DeviceRow.objects.get(serial=unit.serial)
    services.revoke_device(device_id=row.pk, at=clock.now(), by=SYSTEM)
    time.sleep(1.05)
    unit.publish(report(0))
    assert eventually(lambda: unit.heard_on("e"))[0]["code"] == "device_unknown"
    assert len(stored(scooter)) == 1


def test_a_command_makes_its_round(edge: RunningEdge, device: NewDevice, fleet: Fleet) -> None:
    scooter, unit = device()
    command = fleet.order(scooter)
    (told,) = eventually(lambda: unit.heard_on("c"))
    assert (told["id"], told["kind"], told["sequence"]) == (str(command.public_id), "unlock", 1)
    assert unit.heard[0][2].MessageExpiryInterval <= 60
    assert state_of(command) == "sent"
    unit.publish({"acks": [{"command": told["id"], "result": "confirmed"}]}, kind="a")
    eventually(lambda: state_of(command) == "confirmed")


def test_an_answer_that_cannot_be_noted_is_kept_until_it_can(
    edge: RunningEdge, device: NewDevice, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    scooter, unit = device()
    command = fleet.order(scooter)
    (told,) = eventually(lambda: unit.heard_on("c"))
    with monkeypatch.context() as broken:
        broken.setattr(accept, "record_acknowledgement", database_away)
        unit.publish({"acks": [{"command": told["id"], "result": "confirmed"}]}, kind="a")
        time.sleep(0.3)
        assert state_of(command) == "sent"
    eventually(lambda: state_of(command) == "confirmed")


def test_while_the_log_is_away_nothing_is_acknowledged(
    edge: RunningEdge, device: NewDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    scooter, unit = device()
    with monkeypatch.context() as broken:
        broken.setattr(RedisPointLog, "append_batch", _away)
        for n in range(3):
            unit.publish(report(0), ask=str(n))
        time.sleep(0.3)
        assert unit.heard == []
    until_stored(scooter, 3)
    eventually(lambda: len(unit.heard_on("r")) == 3)


def _away(*_: object, **__: object) -> None:
    raise LogBusy


def test_what_the_broker_would_not_repeat_is_told_and_dropped_while_the_log_is_away(
    edge: RunningEdge, device: NewDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    scooter, unit = device()
    with monkeypatch.context() as broken:
        broken.setattr(RedisPointLog, "append_batch", _away)
        for _ in range(3):
            unit.publish(report(0), qos=0)
        told = eventually(lambda: len(unit.heard_on("e")) == 3 and unit.heard_on("e"))
        assert {one["code"] for one in told} == {"telemetry_busy"}
        assert edge.edge.mqtt is not None
        assert edge.edge.mqtt._pending == set()
    time.sleep(1.2)
    assert stored(scooter) == []


def test_many_that_wait_for_the_log_wait_together(
    edge: RunningEdge, device: NewDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    scooter, unit = device()
    with monkeypatch.context() as broken:
        broken.setattr(RedisPointLog, "append_batch", _away)
        before = threading.active_count()
        for _ in range(40):
            unit.publish(report(0))
        assert edge.edge.mqtt is not None
        waiting = edge.edge.mqtt._pending
        eventually(lambda: len(waiting) == 40)
        time.sleep(0.2)
        assert threading.active_count() <= before + 1
    until_stored(scooter, 40)


def test_what_fails_unforeseen_while_it_is_read_stops_nobody(
    edge: RunningEdge, device: NewDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    scooter, unit = device()
    with monkeypatch.context() as broken:
        broken.setattr(mapping, "require_something", _broken)
        unit.publish(report(0))
        assert eventually(lambda: unit.heard_on("e"))[0]["code"] == "failed"
    unit.publish(report(0))
    until_stored(scooter, 1)


def test_what_fails_unforeseen_when_it_is_safe_is_settled_all_the_same(
    edge: RunningEdge, device: NewDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    scooter, unit = device()
    assert edge.edge.mqtt is not None
    client, pending = edge.edge.mqtt._client, edge.edge.mqtt._pending
    acknowledge = client.ack
    times: list[int] = []

    def once_broken(mid: int, qos: int) -> Any:
        times.append(mid)
        if len(times) == 1:
            raise ZeroDivisionError
        return acknowledge(mid, qos)

    with monkeypatch.context() as broken:
        broken.setattr(client, "ack", once_broken)
        unit.publish(report(0), ask="first")
        eventually(lambda: unit.heard_on("r"))
        broken.setattr(mapping, "report_answer", _broken)
        unit.publish(report(0), ask="second")
        eventually(lambda: len(times) == 3)
        eventually(lambda: not pending)
    assert times[0] == times[1]
    until_stored(scooter, 2)


def test_what_fails_again_and_again_is_given_up_and_told(
    edge: RunningEdge, device: NewDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    scooter, unit = device()
    monkeypatch.setattr(gateway, "_ENOUGH_FAILURES", 2)
    with monkeypatch.context() as broken:
        broken.setattr(RedisPointLog, "append_batch", _broken)
        unit.publish(report(0))
        assert eventually(lambda: unit.heard_on("e"))[0]["code"] == "failed"
    unit.publish(report(0))
    until_stored(scooter, 1)


def _broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def test_a_killed_broker_costs_nothing_that_was_answered(
    broker: Broker, edge: RunningEdge, device: NewDevice
) -> None:
    """The unit asks for replies and says again what was not replied to."""
    scooter, unit = device()
    reports = {str(n): report(0) for n in range(60)}
    for number, (ask, body) in enumerate(reports.items()):
        unit.publish(body, ask=ask)
        if number == 30:
            broker.kill()
            broker.start()

    def all_answered() -> bool:
        answered = {more.CorrelationData.decode() for _kind, _body, more in unit.heard}
        for ask in reports.keys() - answered:
            unit.publish(reports[ask], ask=ask)
        time.sleep(0.3)
        return answered == reports.keys()

    eventually(all_answered, within_s=30)
    assert len(stored(scooter)) == 60


def test_two_edges_share_the_work(real_database: None, fleet: Fleet, tmp_path: Path) -> None:
    """On a broker of its own: a session that nobody comes back to would keep its share."""
    own = Broker(tmp_path)
    own.start()
    scooter, serial, secret = fleet.mqtt()
    own.renew_users()
    edges = [
        start_edge(EdgeOptions(mqtt=own.options(name), threads=1)) for name in ("edge", "edge-2")
    ]
    unit = Device(own, serial, secret)
    try:
        for one in edges:
            eventually(lambda one=one: one.edge.mqtt.is_connected)
        eventually(unit.client.is_connected)
        for _ in range(20):
            unit.publish(report(0))
        until_stored(scooter, 20)
    finally:
        unit.close()
        for one in edges:
            one.close()
        own.kill()


def test_the_edge_speaks_tls(real_database: None, fleet: Fleet, tmp_path: Path) -> None:
    """With the TLS listener of the example, and only to a broker whose certificate it trusts."""
    own = Broker(tmp_path)
    make_certificate(tmp_path)
    own.start(tls=True)
    address = wire.read_url(f"mqtts://edge:lantern@localhost:{own.tls_port}")
    trusting, wary = (
        start_edge(EdgeOptions(mqtt=Options(address=address, ca_file=ca_file), threads=1))
        for ca_file in (str(tmp_path / "fullchain.pem"), "")
    )
    try:
        eventually(lambda: trusting.edge.mqtt.is_connected)
        assert not wary.edge.mqtt.is_connected
    finally:
        trusting.close()
        wary.close()
        own.kill()


@pytest.mark.timeout(90)
def test_a_killed_edge_loses_and_doubles_nothing(
    broker: Broker, fleet: Fleet, device: NewDevice, edge: RunningEdge
) -> None:
    """`manage.py run_edge` as an operator runs it, killed with messages in its hands: the broker and
    the unit say again what was not acknowledged, and what was is stored once."""
    edge.close()
    scooter, unit = device()
    bicycle, imei = fleet.teltonika()
    process, start = EdgeProcess(mqtt_url=broker.url), now_ms() - 1_000_000
    frames = [frame([avl(at_ms=start + 10 * n + k) for k in range(2)]) for n in range(60)]
    try:
        line = fleet.call(process.port, imei)
        for n, body in enumerate(frames):
            for _ in range(3):
                unit.publish(report(0))
            if n == 30:
                line.line.sendall(body)  # on its way while the edge dies
                eventually(lambda: point_log().backlog(shard=0) > 0)
                process.kill()
                process = EdgeProcess(mqtt_url=broker.url)
                line = fleet.call(process.port, imei)
            assert line.say(body) == 2
        until_stored(scooter, 180)
        assert len(stored(bicycle)) == 120
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait() == 0
        assert (len(stored(scooter)), len(stored(bicycle))) == (180, 120)
    finally:
        process.kill()


def test_the_files_of_the_broker(broker: Broker, tmp_path: Path, fleet: Fleet) -> None:
    _scooter, serial, _secret = fleet.mqtt()
    assert services.export_broker_users(
        folder=tmp_path / "users", edge_users=["edge"], edge_password="lantern"
    )
    passwords = (tmp_path / "users" / "passwords").read_text()
    assert f"\n{serial}:$7$101$" in passwords
    assert passwords.startswith("edge:$7$101$")
    access = (tmp_path / "users" / "access").read_text()
    assert access.startswith("user edge\ntopic readwrite fleet/v/#\n")
    assert "pattern write fleet/v/%u/t" in access
    assert (tmp_path / "users" / "passwords").stat().st_mode & 0o007 == 0
