"""One look at the city each second, shared by everybody who watches.

1. Somebody joins: the heart starts to beat. The last one leaves: it stops, and nothing is queried.
2. A beat reads the city once, in a thread, and draws one picture per audience.
3. Each audience's difference to its last picture is encoded once, whoever listens.
4. Who is at the last picture gets the difference; a newcomer or a slow one gets the whole.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

import structlog

from mobility.live import rules
from mobility.live.audience import Audience
from mobility.live.rules import Picture, Still

log = structlog.get_logger(__name__)

Look = Callable[[frozenset[Audience]], Awaitable[dict[Audience, Picture]]]

BEAT_S = 1.0
ALIVE_EVERY_S = 15.0


class Room:
    """What one audience sees now, and the step from the picture before."""

    def __init__(self) -> None:
        self.listeners = 0
        self.number = 0
        self.picture: Picture | None = None
        self._told: dict[tuple[str, bool], bytes] = {}
        self._before: Picture | None = None
        self._still: asyncio.Task[Still] | None = None

    def show(self, picture: Picture) -> None:
        """Take the next picture; nothing of it is written before somebody asks."""
        self._before, self.picture = self.picture, picture
        self.number += 1
        self._told.clear()
        self._still = None

    def frame_after(self, seen: int, *, packed: bool) -> bytes:
        """What somebody needs who has seen picture number `seen`, `packed` for a gzip stream."""
        if seen == self.number:
            return b""
        what = "delta" if seen == self.number - 1 and seen else "snapshot"
        return self._frame(what, packed=packed)

    async def still(self, picture: Picture) -> Still:
        """The picture that the room has, for readers without a stream: made once, in a thread."""
        if self._still is None:
            self._still = asyncio.create_task(asyncio.to_thread(rules.still_of, picture))
        # Who leaves takes it from nobody else.
        return await asyncio.shield(self._still)

    def _frame(self, what: str, *, packed: bool) -> bytes:
        """A frame, plain or packed: each written once, for the first who asks."""
        key = (what, packed)
        if key not in self._told:
            self._told[key] = (
                rules.packed(self._frame(what, packed=False)) if packed else self._plain(what)
            )
        return self._told[key]

    def _plain(self, what: str) -> bytes:
        if self.picture is None:
            return b""
        if what == "snapshot" or self._before is None:
            return rules.encode_snapshot(self.picture)
        return rules.encode_delta(before=self._before, after=self.picture)


class Broadcast:
    """The rooms and the heart that serves them."""

    def __init__(self, *, look: Look, beat_s: float = BEAT_S) -> None:
        self._look = look
        self._beat_s = beat_s
        self._rooms: dict[Audience, Room] = {}
        self._beat = asyncio.Event()
        self._heart: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        """How many are watching."""
        return sum(room.listeners for room in self._rooms.values())

    async def frames(
        self, audience: Audience, *, alive_s: float = ALIVE_EVERY_S, packed: bool = False
    ) -> AsyncGenerator[bytes]:
        """The events for one watcher, for as long as they are asked for."""
        with self._joined(audience) as room:
            seen, quiet_s = 0, 0.0
            while True:
                beat = self._beat
                frame, seen = room.frame_after(seen, packed=packed), room.number
                quiet_s = 0.0 if frame else quiet_s + self._beat_s
                if frame:
                    yield frame
                elif quiet_s >= alive_s:
                    quiet_s = 0.0
                    yield rules.packed(rules.ALIVE) if packed else rules.ALIVE
                # A beat may have come while the frame was being sent; then there is no waiting.
                await beat.wait()

    async def still(self, audience: Audience) -> Still:
        """What an audience sees now, written once however many ask."""
        with self._joined(audience) as room:
            while room.picture is None:
                await self._beat.wait()
            return await room.still(room.picture)

    @contextlib.contextmanager
    def _joined(self, audience: Audience) -> Iterator[Room]:
        room = self._rooms.setdefault(audience, Room())
        room.listeners += 1
        if self._heart is None or self._heart.done():
            self._heart = asyncio.create_task(self._live())
        try:
            yield room
        finally:
            room.listeners -= 1
            if not room.listeners:
                self._rooms.pop(audience, None)

    async def _live(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._rooms:
            began = clock()
            await self._look_once()
            beat, self._beat = self._beat, asyncio.Event()
            beat.set()
            await asyncio.sleep(max(0.0, began + self._beat_s - clock()))

    async def _look_once(self) -> None:
        try:
            pictures = await self._look(frozenset(self._rooms))
        except Exception:
            # A database that is away for a moment must not end anybody's stream; the next beat asks again.
            log.exception("live_look_failed")
            return
        for audience, picture in pictures.items():
            if audience in self._rooms:
                self._rooms[audience].show(picture)
