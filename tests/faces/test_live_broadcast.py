"""The heart of the live map: it beats only for watchers, once for all of them, and survives a bad look."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np

from mobility.live.audience import Audience
from mobility.live.broadcast import Broadcast
from mobility.live.rules import ALIVE, VEHICLE, Picture

PUBLIC = Audience.public()
MARCO = Audience.staff(frozenset({1}))
BEAT_S = 0.01


class City:
    """A city in which one scooter rolls a little between any two looks."""

    def __init__(self) -> None:
        self.looks = 0
        self.asked: list[frozenset[Audience]] = []
        self.blind = False
        self.still = False
        self._looked = asyncio.Condition()

    async def look(self, audiences: frozenset[Audience]) -> dict[Audience, Picture]:
        self.asked.append(audiences)
        async with self._looked:
            self.looks += 1
            self._looked.notify_all()
        if self.blind:
            raise ConnectionError("the database is away")
        place = 0 if self.still else self.looks
        rows = np.zeros(1, dtype=VEHICLE)
        rows["lon"] = place
        picture = Picture(
            at="now", vehicles=rows, faces=[("scooter",)], labels=[("scooter-1", "ONE")]
        )
        return dict.fromkeys(audiences, picture)

    async def looked(self, times: int) -> None:
        """Until the city was looked at so many times."""
        async with self._looked:
            await self._looked.wait_for(lambda: self.looks >= times)


@contextlib.asynccontextmanager
async def watching(
    broadcast: Broadcast, audience: Audience = PUBLIC
) -> AsyncIterator[AsyncIterator[bytes]]:
    async with contextlib.aclosing(broadcast.frames(audience, alive_s=3 * BEAT_S)) as frames:
        yield frames


async def test_nobody_watches_so_nothing_is_read_and_the_last_one_turns_off_the_light() -> None:
    city = City()
    broadcast = Broadcast(look=city.look, beat_s=BEAT_S)
    await asyncio.sleep(3 * BEAT_S)
    assert city.looks == 0

    async with watching(broadcast) as frames:
        assert (await anext(frames)).startswith(b"event: snapshot")
        assert broadcast.listeners == 1
    await asyncio.sleep(3 * BEAT_S)
    looks = city.looks
    await asyncio.sleep(5 * BEAT_S)

    assert broadcast.listeners == 0
    assert city.looks == looks


async def test_a_newcomer_gets_all_and_then_only_what_changed() -> None:
    broadcast = Broadcast(look=City().look, beat_s=BEAT_S)

    async with watching(broadcast) as frames:
        first, second, third = [await anext(frames) for _ in range(3)]

    assert first.startswith(b"event: snapshot")
    assert second.startswith(b"event: delta")
    assert third.startswith(b"event: delta")


async def test_many_watchers_of_two_audiences_cost_one_look_a_beat() -> None:
    city = City()
    broadcast = Broadcast(look=city.look, beat_s=BEAT_S)
    async with contextlib.AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(watching(broadcast)) for _ in range(20)]
        crowd.append(await stack.enter_async_context(watching(broadcast, MARCO)))
        await asyncio.gather(*(anext(frames) for frames in crowd))
        assert city.looks <= 2
        assert city.asked[-1] == {PUBLIC, MARCO}
        deltas = await asyncio.gather(*(anext(frames) for frames in crowd[:20]))

    assert len({id(frame) for frame in deltas}) == 1


async def test_a_slow_watcher_who_missed_a_beat_gets_the_whole_picture_again() -> None:
    city = City()
    broadcast = Broadcast(look=city.look, beat_s=BEAT_S)

    async with watching(broadcast) as frames:
        await anext(frames)
        await city.looked(city.looks + 3)
        assert (await anext(frames)).startswith(b"event: snapshot")


async def test_a_still_city_is_heard_to_be_alive() -> None:
    city = City()
    city.still = True

    async with watching(Broadcast(look=city.look, beat_s=BEAT_S)) as frames:
        await anext(frames)
        assert await anext(frames) == ALIVE


async def test_a_look_that_fails_ends_nobodys_stream() -> None:
    city = City()
    city.blind = True
    broadcast = Broadcast(look=city.look, beat_s=BEAT_S)

    async with watching(broadcast) as frames:
        waiting = asyncio.ensure_future(anext(frames))
        await city.looked(2)
        city.blind = False
        frame = await waiting
        while frame == ALIVE:
            frame = await anext(frames)

    assert frame.startswith(b"event: snapshot")
