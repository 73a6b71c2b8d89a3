"""What any log between the doors and the tables must do: keep entries until they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleet.telematics.log import DEAD, LogAnew, LogBusy, RedisPointLog, entry_order
from fleet.vehicles import mailbox

if TYPE_CHECKING:
    from fleet.telematics.log import PointLog


# What an entry begins with, and how long a report in it is.
HEAD, REPORT_BYTES = bytes(8), 37


def entry(name: object) -> bytes:
    """Something of the size of an entry."""
    return HEAD + str(name).encode().ljust(REPORT_BYTES)


@pytest.fixture(params=[RedisPointLog])
def any_log(request: pytest.FixtureRequest) -> PointLog:
    """Every log that there is, empty; what follows holds for each of them."""
    made: PointLog = request.param()
    # The first reader of a new shard only makes itself known.
    for shard in (0, 1):
        made.begin(shard=shard)
    return made


def test_a_shard_that_nobody_ever_read_says_so() -> None:
    log = RedisPointLog()
    log.append(vehicle_id=7, payload=entry("first"))
    with pytest.raises(LogAnew):
        log.read(shard=0, count=1, wait_ms=1)
    log.begin(shard=0)
    log.begin(shard=0)
    assert payloads(log) == [entry("first")]


def payloads(log: PointLog, *, shard: int = 0, count: int = 100) -> list[bytes]:
    return [payload for _entry_id, payload in log.read(shard=shard, count=count, wait_ms=1)]


def test_entries_come_in_the_order_of_their_appending(any_log: PointLog) -> None:
    for number in range(5):
        any_log.append(vehicle_id=7, payload=entry(number))
    entries = any_log.read(shard=0, count=100, wait_ms=1)
    assert [payload for _entry_id, payload in entries] == [entry(number) for number in range(5)]
    ids = [entry_order(entry_id) for entry_id, _payload in entries]
    assert ids == sorted(set(ids))


def test_an_empty_log_is_waited_for_and_gives_nothing(any_log: PointLog) -> None:
    assert any_log.read(shard=0, count=10, wait_ms=1) == []
    assert any_log.backlog(shard=0) == 0
    assert any_log.oldest_ms(shard=0) is None


def test_what_was_read_and_not_acknowledged_comes_again_first(any_log: PointLog) -> None:
    """The next reader inherits what a killed one left, before anything new."""
    any_log.append(vehicle_id=7, payload=entry("first"))
    assert payloads(any_log) == [entry("first")]
    any_log.append(vehicle_id=7, payload=entry("second"))
    successor = type(any_log)()
    assert payloads(successor) == [entry("first")]
    (found,) = successor.read(shard=0, count=10, wait_ms=1)
    successor.acknowledge(shard=0, entry_ids=[found[0]])
    assert payloads(successor) == [entry("second")]


def test_acknowledged_entries_are_gone_and_the_others_stay(any_log: PointLog) -> None:
    for number in range(4):
        any_log.append(vehicle_id=7, payload=entry(number))
    entries = any_log.read(shard=0, count=2, wait_ms=1)
    any_log.acknowledge(shard=0, entry_ids=[entry_id for entry_id, _payload in entries])
    any_log.acknowledge(shard=0, entry_ids=[])
    assert any_log.backlog(shard=0) == 2
    assert payloads(any_log) == [entry(2), entry(3)]


def test_an_entry_acknowledged_twice_takes_no_other_with_it(any_log: PointLog) -> None:
    any_log.append(vehicle_id=7, payload=entry("a"))
    (found,) = any_log.read(shard=0, count=1, wait_ms=1)
    for _ in range(2):
        any_log.acknowledge(shard=0, entry_ids=[found[0]])
        any_log.append(vehicle_id=7, payload=entry("b"))
    assert any_log.backlog(shard=0) == 2


def test_shards_know_nothing_of_each_other(any_log: PointLog) -> None:
    boxes = any_log.append_batch(payloads={0: entry("zero"), 1: entry("one")}, vehicle_ids=[7, 8])
    assert boxes == [None, None]
    assert (any_log.backlog(shard=0), any_log.backlog(shard=1)) == (1, 1)
    assert payloads(any_log, shard=1) == [entry("one")]
    (found,) = any_log.read(shard=1, count=1, wait_ms=1)
    any_log.acknowledge(shard=1, entry_ids=[found[0]])
    assert (any_log.backlog(shard=0), any_log.backlog(shard=1)) == (1, 0)


def test_any_bytes_come_back_as_they_were(any_log: PointLog) -> None:
    bodies = [HEAD + bytes(range(37)), HEAD + b"\x00" * 370_000, HEAD + b"\xff" * 37]
    for body in bodies:
        any_log.append(vehicle_id=7, payload=body)
    assert payloads(any_log) == bodies


def test_a_full_log_takes_nothing_and_loses_nothing(
    any_log: PointLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_log.append(vehicle_id=7, payload=entry("kept"))
    monkeypatch.setattr("fleet.telematics.log.MAX_BACKLOG", 1)
    with pytest.raises(LogBusy):
        any_log.append(vehicle_id=7, payload=entry("refused"))
    assert payloads(any_log) == [entry("kept")]


def test_the_oldest_entry_tells_how_long_it_waits(any_log: PointLog) -> None:
    any_log.append(vehicle_id=7, payload=entry("a"))
    first = any_log.oldest_ms(shard=0)
    any_log.append(vehicle_id=7, payload=entry("b"))
    assert first is not None
    assert any_log.oldest_ms(shard=0) == first


@pytest.mark.parametrize("body", [b"", b"short", HEAD, HEAD + b"x" * 38])
def test_what_is_no_entry_is_put_aside_and_kept(any_log: PointLog, body: bytes) -> None:
    for payload in (entry("before"), body, entry("after")):
        any_log.append(vehicle_id=7, payload=payload)
    entries = any_log.read(shard=0, count=100, wait_ms=1)
    assert [payload for _entry_id, payload in entries] == [entry("before"), entry("after")]
    assert (any_log.dead(), any_log.backlog(shard=0)) == (1, 2)
    any_log.acknowledge(shard=0, entry_ids=[entry_id for entry_id, _payload in entries])
    assert (any_log.dead(), any_log.backlog(shard=0)) == (1, 0)
    assert payloads(any_log) == []


def test_an_entry_of_another_layout_is_kept_whole() -> None:
    """Written by a later version, and read by this one after a step back."""
    log, redis = RedisPointLog(), mailbox.client()
    redis.xadd("tele:0", {"p3": b"\x00\xfflater"})
    log.begin(shard=0)
    assert payloads(log) == []
    ((_name, kept),) = redis.xrange(DEAD)
    assert (kept[b"p3"], kept[b"shard"]) == (b"\x00\xfflater", b"0")
    assert log.backlog(shard=0) == 0


def test_what_was_deleted_by_hand_while_it_was_read_blocks_nobody() -> None:
    log, redis = RedisPointLog(), mailbox.client()
    log.begin(shard=0)
    log.append(vehicle_id=7, payload=entry("gone"))
    ((name, _payload),) = log.read(shard=0, count=1, wait_ms=1)
    redis.xdel("tele:0", name)
    log.append(vehicle_id=7, payload=entry("next"))
    assert payloads(log) == [entry("next")]
