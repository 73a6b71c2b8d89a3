"""The log of frames waits for the database in bounded memory."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest

from charging.frames.facts import FrameSeen
from charging.ocpp.deeds import Verb
from charging.ocpp.gateway import recorder
from charging.ocpp.gateway.recorder import Recorder
from charging.ocpp.gateway.writer import StorageAway, Writer
from tests.charging.fixtures import NOON


class Shelf:
    """Stands where the writer thread is: away, or keeping what it is given."""

    def __init__(self) -> None:
        self.away = True
        self.kept: list[bytes] = []

    async def do(self, _verb: Verb, frames: Any) -> None:
        if self.away:
            raise StorageAway
        self.kept += [frame.raw for frame in frames]


def seen(number: int) -> FrameSeen:
    return FrameSeen(1, NOON, "in", 1, "ocpp1.6", 2, "m", "Heartbeat", bytes([number]) * 10)


@pytest.mark.parametrize(("name", "limit"), [("_MOST_BYTES", 30), ("_KEPT", 3)])
def test_while_the_database_is_away_the_newest_frames_stay_and_no_more(
    monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    monkeypatch.setattr(recorder, name, limit)
    shelf = Shelf()
    log = Recorder(cast("Writer", shelf))
    for number in range(5):
        log.note(seen(number))
        with pytest.raises(StorageAway):
            asyncio.run(log.flush())
    shelf.away = False
    asyncio.run(log.flush())
    assert shelf.kept == [bytes([number]) * 10 for number in (2, 3, 4)]
    log.note(seen(9))
    asyncio.run(log.flush())
    assert shelf.kept[-1] == bytes([9]) * 10


@pytest.mark.parametrize(("name", "limit"), [("MOST_A_MINUTE", 3), ("MOST_BYTES_A_MINUTE", 30)])
def test_a_station_that_floods_fills_no_disk(
    monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    monkeypatch.setattr(recorder, name, limit, raising=False)
    shelf = Shelf()
    shelf.away = False
    log = Recorder(cast("Writer", shelf))

    def kept(*frames: FrameSeen) -> int:
        for frame in frames:
            log.note(frame)
        shelf.kept.clear()
        asyncio.run(log.flush())
        return len(shelf.kept)

    flood = [seen(number) for number in range(8)]
    assert kept(*flood) == 3
    assert kept(*flood) == 0
    # Its neighbour's words are written down all the same, and its own of the next minute.
    assert kept(seen(1)._replace(station_id=2)) == 1
    assert kept(*(one._replace(at=NOON + timedelta(minutes=1)) for one in flood)) == 3
