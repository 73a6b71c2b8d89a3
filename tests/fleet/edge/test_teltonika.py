"""Teltonika units call the edge on a real socket: counted only when safe, cut off only when lost."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisGone

from fleet.telematics import services
from fleet.telematics.edge.process import EdgeOptions
from fleet.telematics.log import LogBusy, RedisPointLog, point_log
from fleet.telematics.models import Device
from fleet.telematics.services import accept, credentials
from fleet.telematics.teltonika import gateway
from fleet.telematics.teltonika.gateway import Limits
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.fleet.edge.conftest import (
    Fleet,
    RunningEdge,
    database_away,
    drain,
    eventually,
    now_ms,
    start_edge,
    state_of,
    stored,
    unassign,
)
from tests.fleet.edge.unit import Unit, answer, avl, frame, hello, sealed

QUICK = Limits(hello_s=0.5, frame_s=0.5, idle_s=1.5, answer_s=0.5)


@pytest.fixture(scope="module")
def edge(real_database: None) -> Iterator[RunningEdge]:
    running = start_edge(EdgeOptions(teltonika=("127.0.0.1", 0), limits=QUICK, threads=2))
    yield running
    running.close()


def test_records_are_counted_once_they_are_safe(edge: RunningEdge, fleet: Fleet) -> None:
    scooter, imei = fleet.teltonika()
    unit, at = fleet.call(edge.port, imei), now_ms()
    readings = {239: 1, 16: 5_000, 113: 77}
    assert unit.say(frame([avl(at_ms=at - n * 1000, readings=readings) for n in range(3)])) == 3
    assert point_log().backlog(shard=0) == 1
    points = stored(scooter)
    assert [point.battery_pct for point in points] == [77, 77, 77]
    assert (points[-1].odometer_m, points[-1].locked, points[-1].lon_e7) == (5_000, 0, 91_900_000)
    scooter.refresh_from_db()
    assert scooter.latest.battery_pct == 77


def test_the_extended_codec_is_taken_too(edge: RunningEdge, fleet: Fleet) -> None:
    scooter, imei = fleet.teltonika()
    unit = fleet.call(edge.port, imei)
    assert unit.say(frame([avl(at_ms=now_ms(), readings={300: 1}, wide=True)], wide=True)) == 1
    assert len(stored(scooter)) == 1


@pytest.mark.parametrize("imei", ["356307042449999", "35630704244999x", "123"])
def test_an_unknown_imei_is_turned_away(edge: RunningEdge, fleet: Fleet, imei: str) -> None:
    assert Unit(edge.port, imei).call() in (b"\x00", b"")


def test_a_unit_in_no_vehicle_is_turned_away(edge: RunningEdge, fleet: Fleet) -> None:
    _scooter, imei = fleet.teltonika()
    unassign(imei)
    assert Unit(edge.port, imei).call() == b"\x00"


def test_the_imei_of_a_device_with_a_secret_opens_no_line(edge: RunningEdge, fleet: Fleet) -> None:
    for number, protocol in enumerate(("http", "mqtt", "integration")):
        imei = f"35630705{number:07d}"
        unit = services.Unit(protocol=protocol, imei=imei)
        code = fleet.vehicle().code
        services.add_device(vehicle_code=code, at=clock.now(), by=SYSTEM, unit=unit)
        assert Unit(edge.port, imei).call() == b"\x00"
        with pytest.raises(services.ImeiTaken):
            fake = services.Unit(protocol="teltonika", imei=imei)
            services.add_device(vehicle_code=code, at=clock.now(), by=SYSTEM, unit=fake)


def test_a_bad_frame_counts_nothing_and_the_line_stays(edge: RunningEdge, fleet: Fleet) -> None:
    scooter, imei = fleet.teltonika()
    unit, good = fleet.call(edge.port, imei), avl(at_ms=now_ms())
    whole = frame([good])
    for bad in (
        whole[:-1] + bytes([whole[-1] ^ 1]),  # CRC
        sealed(b"\x0d\x01" + good + b"\x01"),  # codec
        sealed(b"\x08\x01" + good + b"\x02"),  # counts differ
        sealed(b"\x08\x02" + good + b"\x02"),  # breaks off
    ):
        assert unit.say(bad) == 0
    assert unit.say(whole) == 1
    assert len(stored(scooter)) == 1


def test_half_a_frame_waits_for_its_rest_and_two_at_once_are_two(
    edge: RunningEdge, fleet: Fleet
) -> None:
    scooter, imei = fleet.teltonika()
    unit, at = fleet.call(edge.port, imei), now_ms()
    first, second, third = (frame([avl(at_ms=at - n)]) for n in range(3))
    unit.line.sendall(first[:20])
    time.sleep(0.1)
    assert unit.say(first[20:]) == 1
    unit.line.sendall(second + b"\xff" + third)  # with a ping in between
    assert (unit.counted(), unit.counted()) == (1, 1)
    assert len(stored(scooter)) == 3


def test_where_the_next_frame_begins_nobody_knows_the_line_is_cut(
    edge: RunningEdge, fleet: Fleet
) -> None:
    for head in (b"\x00\x00\x00\x07" * 2, bytes(4) + b"\x00\x10\x00\x00", bytes(8)):
        _scooter, imei = fleet.teltonika()
        unit = fleet.call(edge.port, imei)
        assert unit.say(head) == 0
        assert unit.hung_up()


def test_who_drips_or_says_nothing_is_cut_off(edge: RunningEdge, fleet: Fleet) -> None:
    silent = socket.create_connection(("127.0.0.1", edge.port), 10)
    silent.sendall(hello("356307042441013")[:4])
    assert silent.recv(1) == b""
    _scooter, imei = fleet.teltonika()
    dripping = fleet.call(edge.port, imei)
    dripping.line.sendall(frame([avl()])[:12])
    assert dripping.hung_up()


def test_a_unit_that_calls_again_takes_over_its_line(edge: RunningEdge, fleet: Fleet) -> None:
    scooter, imei = fleet.teltonika()
    half_dead = fleet.call(edge.port, imei)
    unit = fleet.call(edge.port, imei)
    assert half_dead.hung_up()
    assert unit.say(frame([avl(at_ms=now_ms())])) == 1
    assert len(stored(scooter)) == 1


def test_while_the_log_is_away_nothing_is_counted_and_nothing_lost(
    edge: RunningEdge, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    scooter, imei = fleet.teltonika()
    unit, body = fleet.call(edge.port, imei), frame([avl(at_ms=now_ms())])
    with monkeypatch.context() as broken:
        broken.setattr(RedisPointLog, "append_batch", _gone)
        assert unit.say(body) == 0
    assert unit.say(body) == 1  # the unit kept it and sends it again, on the same line
    assert len(stored(scooter)) == 1


def _gone(*_: object, **__: object) -> None:
    raise LogBusy from RedisGone()


def test_what_fails_unforeseen_counts_nothing_and_the_line_stays(
    edge: RunningEdge, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    scooter, imei = fleet.teltonika()
    unit, body = fleet.call(edge.port, imei), frame([avl(at_ms=now_ms())])
    with monkeypatch.context() as broken:
        broken.setattr(RedisPointLog, "append_batch", _broken)
        assert unit.say(body) == 0
    assert unit.say(body) == 1
    assert len(stored(scooter)) == 1


def _broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def test_who_gives_up_during_a_stall_costs_its_peers_nothing(
    real_database: None, fleet: Fleet
) -> None:
    (_first, one), (scooter, other), (_third, late) = (fleet.teltonika() for _ in range(3))
    own = start_edge(EdgeOptions(teltonika=("127.0.0.1", 0), limits=QUICK, threads=1))
    try:
        stalling, unit = fleet.call(own.port, one), fleet.call(own.port, other)
        with pytest.MonkeyPatch.context() as stall:
            stall.setattr(RedisPointLog, "append_batch", _stalled(RedisPointLog.append_batch))
            stalling.line.sendall(frame([avl(at_ms=now_ms())]))
            time.sleep(0.1)
            impatient = Unit(own.port, late)
            assert impatient.call() == b""  # greeted too late, and gone
            unit.line.sendall(frame([avl(at_ms=now_ms())]))
            assert (stalling.counted(), unit.counted()) == (1, 1)
    finally:
        own.close()
    assert len(stored(scooter)) == 1


def _stalled(append: Callable[..., Any]) -> Callable[..., Any]:
    def slow(*args: Any, **kwargs: Any) -> Any:
        time.sleep(1)
        return append(*args, **kwargs)

    return slow


def test_a_revoked_unit_is_refused_within_a_second(edge: RunningEdge, fleet: Fleet) -> None:
    _scooter, imei = fleet.teltonika()
    unit = fleet.call(edge.port, imei)
    device = Device.objects.get(imei=imei)
    services.revoke_device(device_id=device.pk, at=clock.now(), by=SYSTEM)
    time.sleep(1.05)
    assert unit.say(frame([avl(at_ms=now_ms())])) == 0
    assert unit.hung_up()


def test_a_swapped_unit_speaks_for_its_new_vehicle(edge: RunningEdge, fleet: Fleet) -> None:
    """What it still holds of the first vehicle goes to the first, by the unit's own clock."""
    first, imei = fleet.teltonika()
    second, _other = fleet.teltonika()
    buffered = now_ms()
    time.sleep(0.005)
    unit = services.Unit(protocol="teltonika", model="relay", imei=imei)
    moved, secret = services.add_device(
        vehicle_code=second.code, at=clock.now(), by=SYSTEM, unit=unit
    )
    assert (moved.imei, secret) == (imei, "")
    credentials.forget_credentials()
    line = fleet.call(edge.port, imei)
    assert line.say(frame([avl(at_ms=buffered), avl(at_ms=now_ms() + 1)])) == 2
    drain()
    assert (len(stored(first)), len(stored(second))) == (1, 1)


# --- commands ---------------------------------------------------------------------------------------


def test_an_order_reaches_an_open_line_at_once_and_its_answer_the_ledger(
    edge: RunningEdge, fleet: Fleet
) -> None:
    scooter, imei = fleet.teltonika()
    unit = fleet.call(edge.port, imei)
    command = fleet.order(scooter)
    assert unit.command() == "setdigout 1?"
    eventually(lambda: state_of(command) == "sent")
    unit.line.sendall(answer("DOUT1:ON Timeout:INFINITY"))
    eventually(lambda: state_of(command) == "confirmed")


def test_an_answer_that_cannot_be_noted_is_kept_until_it_can(
    edge: RunningEdge, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit says it only once."""
    scooter, imei = fleet.teltonika()
    unit = fleet.call(edge.port, imei)
    command = fleet.order(scooter)
    unit.command()
    monkeypatch.setattr(gateway, "_INSIST_AGAIN_S", 0.1)
    with monkeypatch.context() as broken:
        broken.setattr(accept, "record_acknowledgement", database_away)
        unit.line.sendall(answer("DOUT1:ON Timeout:INFINITY"))
        time.sleep(0.3)
        assert state_of(command) == "sent"
    eventually(lambda: state_of(command) == "confirmed")


def test_what_was_ordered_before_waits_for_the_call(edge: RunningEdge, fleet: Fleet) -> None:
    scooter, imei = fleet.teltonika()
    command = fleet.order(scooter, "lock")
    unit = fleet.call(edge.port, imei)
    assert unit.command() == "setdigout 0?"
    unit.line.sendall(answer("DOUT1 ERROR"))
    eventually(lambda: state_of(command) == "rejected")


def test_one_command_at_a_time_in_the_order_given(edge: RunningEdge, fleet: Fleet) -> None:
    scooter, imei = fleet.teltonika()
    unit = fleet.call(edge.port, imei)
    ring, refresh = fleet.order(scooter, "locate"), fleet.order(scooter, "refresh")
    assert unit.command().startswith("setdigout ?1")
    unit.line.settimeout(0.2)
    with pytest.raises(TimeoutError):
        unit.command()
    unit.line.settimeout(10)
    unit.line.sendall(answer("DOUT2:ON Timeout:5s"))
    assert unit.command() == "getrecord"
    unit.line.sendall(answer("OK"))
    eventually(lambda: (state_of(ring), state_of(refresh)) == ("confirmed", "confirmed"))


def test_what_the_installation_cannot_do_is_rejected(edge: RunningEdge, fleet: Fleet) -> None:
    scooter, imei = fleet.teltonika(model="tracker")
    fleet.call(edge.port, imei)
    command = fleet.order(scooter)
    eventually(lambda: state_of(command) == "rejected")


def test_without_an_answer_the_line_is_cut_and_the_ledger_decides(
    edge: RunningEdge, fleet: Fleet
) -> None:
    """A late answer would be taken for the answer to the next command."""
    scooter, imei = fleet.teltonika()
    unit = fleet.call(edge.port, imei)
    command = fleet.order(scooter, ttl_s=1)
    assert unit.command() == "setdigout 1?"
    assert unit.hung_up()
    assert state_of(command) == "sent"


def test_a_unit_that_calls_again_hears_at_once_what_it_did_not_answer(
    edge: RunningEdge, fleet: Fleet
) -> None:
    scooter, imei = fleet.teltonika()
    unit = fleet.call(edge.port, imei)
    command = fleet.order(scooter)
    assert unit.command() == "setdigout 1?"
    unit.close()
    time.sleep(0.2)
    unit = fleet.call(edge.port, imei)
    unit.line.settimeout(5)
    assert unit.command() == "setdigout 1?"
    unit.line.sendall(answer("DOUT1:ON Timeout:INFINITY"))
    eventually(lambda: state_of(command) == "confirmed")


def test_a_stopping_edge_answers_what_it_has_read(real_database: None, fleet: Fleet) -> None:
    scooter, imei = fleet.teltonika()
    own = start_edge(EdgeOptions(teltonika=("127.0.0.1", 0), threads=1))
    unit = fleet.call(own.port, imei)
    slow = RedisPointLog.append_batch
    try:
        RedisPointLog.append_batch = lambda *a, **k: (time.sleep(0.4), slow(*a, **k))[1]  # type: ignore[method-assign,assignment,misc]
        unit.line.sendall(frame([avl(at_ms=now_ms())]))
        time.sleep(0.15)
        own.close()
    finally:
        RedisPointLog.append_batch = slow  # type: ignore[method-assign]
    assert unit.counted() == 1
    assert unit.hung_up()
    assert len(stored(scooter)) == 1
