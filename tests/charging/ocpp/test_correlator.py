"""Our own calls: one at a time, and no answer goes astray."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from charging.ocpp.rpc.correlator import CallRefused, CallTimedOut, Correlator, LinkClosed
from charging.ocpp.rpc.frames import CallError, CallResult
from charging.ocpp.rpc.replay import FACT_TTL_S, QUESTION_TTL_S, ReplayCache


class Wire:
    """Keeps what would have been sent."""

    def __init__(self) -> None:
        self.sent: list[list[object]] = []

    async def send(self, frame: bytes) -> None:
        self.sent.append(orjson.loads(frame))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_second_call_waits_for_the_first_answer() -> None:
    async def scene() -> None:
        wire = Wire()
        correlator = Correlator(wire.send, prefix="7.")
        first = asyncio.create_task(correlator.call(action="Reset", payload={}, timeout_s=5))
        second = asyncio.create_task(correlator.call(action="Clear", payload={}, timeout_s=5))
        await settle()
        assert wire.sent == [[2, "7.1", "Reset", {}]]
        assert correlator.busy
        assert correlator.resolve(CallResult("7.1", {"status": "Accepted"}))
        assert await first == {"status": "Accepted"}
        await settle()
        assert wire.sent[1] == [2, "7.2", "Clear", {}]
        assert correlator.resolve(CallError("7.2", "NotSupported"))
        with pytest.raises(CallRefused):
            await second

    asyncio.run(scene())


def test_late_unknown_and_second_answers_are_nobodys() -> None:
    async def scene() -> None:
        wire = Wire()
        correlator = Correlator(wire.send, prefix="7.")
        with pytest.raises(CallTimedOut):
            await correlator.call(action="Reset", payload={}, timeout_s=0.01)
        assert not correlator.resolve(CallResult("7.1", {}))
        waiting = asyncio.create_task(correlator.call(action="Reset", payload={}, timeout_s=5))
        await settle()
        assert not correlator.resolve(CallResult("7.1", {"late": True}))
        assert not correlator.resolve(CallResult("nonsense", {}))
        assert correlator.resolve(CallResult("7.2", {"right": True}))
        assert not correlator.resolve(CallResult("7.2", {"again": True}))
        assert await waiting == {"right": True}

    asyncio.run(scene())


def test_a_closed_link_fails_at_once() -> None:
    async def scene() -> None:
        correlator = Correlator(Wire().send, prefix="7.")
        waiting = asyncio.create_task(correlator.call(action="Reset", payload={}, timeout_s=60))
        await settle()
        correlator.close()
        async with asyncio.timeout(1):
            with pytest.raises(LinkClosed):
                await waiting
            with pytest.raises(LinkClosed):
                await correlator.call(action="Reset", payload={}, timeout_s=60)

    asyncio.run(scene())


class TestReplay:
    """The same frame gets the same bytes; anything else is new."""

    def remembered(self, action: str) -> ReplayCache:
        cache = ReplayCache()
        cache.remember(
            station_id=1,
            message_id="a",
            action=action,
            frame=b"frame",
            reply=b"reply",
            now_s=0.0,
        )
        return cache

    def test_only_the_very_same_frame_of_the_same_station(self) -> None:
        cache = self.remembered("StartTransaction")
        assert cache.recall(station_id=1, message_id="a", frame=b"frame", now_s=1) == b"reply"
        assert cache.recall(station_id=2, message_id="a", frame=b"frame", now_s=1) is None
        assert cache.recall(station_id=1, message_id="a", frame=b"other", now_s=1) is None
        assert cache.recall(station_id=1, message_id="b", frame=b"frame", now_s=1) is None

    @pytest.mark.parametrize(
        ("action", "lifetime_s"),
        [("StopTransaction", FACT_TTL_S), ("Heartbeat", QUESTION_TTL_S)],
    )
    def test_facts_hold_longer_than_questions(self, action: str, lifetime_s: float) -> None:
        cache = self.remembered(action)
        frame = b"frame"
        assert cache.recall(station_id=1, message_id="a", frame=frame, now_s=lifetime_s)
        assert not cache.recall(station_id=1, message_id="a", frame=frame, now_s=lifetime_s + 1)

    def test_a_restart_forgets(self) -> None:
        cache = self.remembered("StatusNotification")
        cache.forget_station(station_id=1)
        assert cache.recall(station_id=1, message_id="a", frame=b"frame", now_s=1) is None

    def test_bounds_hold(self) -> None:
        cache = ReplayCache(max_stations=3, max_per_station=2)
        for number in range(20):
            cache.remember(
                station_id=number % 5,
                message_id=str(number),
                action="Heartbeat",
                frame=b"",
                reply=b"",
                now_s=0,
            )
        assert len(cache) <= 6
        assert cache.recall(station_id=4, message_id="19", frame=b"", now_s=0) is not None
