"""What went over the wire and what was forgiven, on its way to the database once a second.

A frame on the hot path costs an append; its text is cleaned and copied in the writer thread,
together with whatever else is committed then. A gateway that is killed loses the last second of
its log and nothing else. A database that is away makes the log forget its oldest frames.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from charging.frames.facts import Forgiveness, FrameSeen, QuirkUse
from charging.frames.rules import forgiven_to
from charging.ocpp.deeds import Verb
from charging.ocpp.gateway import metrics
from charging.ocpp.gateway.writer import StorageAway, Writer
from mobility.core import clock

MOST_A_MINUTE: Final = 1_200
MOST_BYTES_A_MINUTE: Final = 2 * 1024 * 1024
"""Of one station: a hundred times what a station says that charges, and less than 3 GB a day."""
_KEPT: Final = 20_000
_MOST_BYTES: Final = 64 * 1024 * 1024
_AT_ONCE: Final = 2_000
_MAKES: Final = 4096
_MAKE: Final = 100
"""Characters of a vendor, a model, a firmware version: twice what the standard allows."""


class Recorder:
    """The frames and counters of one gateway since the last flush, and the leniency it knows."""

    def __init__(self, writer: Writer, *, logs: bool = True) -> None:
        self._writer = writer
        self.logs = logs
        """Whether there is a log at all."""
        self._frames: deque[FrameSeen] = deque()
        self._held_bytes = 0
        self._minute = -1
        self._shares: dict[int, tuple[int, int]] = {}
        self._quirks: dict[tuple[int, str], tuple[int, str]] = {}
        self._profiles: list[Forgiveness] = []
        self._by_make: dict[tuple[str, str, str], frozenset[str]] = {}

    def note(self, frame: FrameSeen) -> None:
        """Something went over the wire."""
        if not self.logs:
            return
        if not self._has_room(frame):
            metrics.FRAMES_FORGOTTEN.inc()
            return
        self._frames.append(frame)
        self._held_bytes += len(frame.raw)
        self._forget_too_many()

    def _has_room(self, frame: FrameSeen) -> bool:
        """Whether its station has not said its share of this minute: the log is on everybody's disk."""
        if frame.at.minute != self._minute:
            self._minute, self._shares = frame.at.minute, {}
        frames, size = self._shares.get(frame.station_id, (0, 0))
        if frames >= MOST_A_MINUTE or size >= MOST_BYTES_A_MINUTE:
            return False
        self._shares[frame.station_id] = (frames + 1, size + len(frame.raw))
        return True

    def _forget_too_many(self) -> None:
        """A few stations with the longest frames must not fill the memory of all."""
        while len(self._frames) > _KEPT or self._held_bytes > _MOST_BYTES:
            self._held_bytes -= len(self._frames.popleft().raw)
            metrics.FRAMES_FORGOTTEN.inc()

    def forgave(self, station_id: int, quirk: str, example: str) -> None:
        """A leniency was needed."""
        metrics.QUIRKS.labels(quirk=quirk).inc()
        times, _ = self._quirks.get((station_id, quirk), (0, ""))
        self._quirks[station_id, quirk] = (times + 1, example)

    def forgiven(self, make: tuple[str, str, str]) -> frozenset[str]:
        """What is forgiven to a make: vendor, model, firmware."""
        if not self._profiles:
            return frozenset()
        # A payload that its schema refused may carry anything, of any length.
        make = make[0][:_MAKE], make[1][:_MAKE], make[2][:_MAKE]
        known = self._by_make.get(make)
        if known is None:
            vendor, model, firmware = make
            known = forgiven_to(self._profiles, vendor=vendor, model=model, firmware=firmware)
            if len(self._by_make) >= _MAKES:
                self._by_make.clear()
            self._by_make[make] = known
        return known

    async def learn(self) -> None:
        """Read the leniency profiles anew."""
        self._profiles = await self._writer.do(Verb.FORGIVEN, None)
        self._by_make.clear()

    async def flush(self) -> None:
        """Hand everything to the database; while it is away the newest frames are kept.

        Raises NotStored. Frames that it refuses though it is there are gone: a log holds up nobody.
        """
        while self._frames:
            batch = [self._frames.popleft() for _ in range(min(len(self._frames), _AT_ONCE))]
            self._held_bytes -= sum(len(frame.raw) for frame in batch)
            try:
                await self._writer.do(Verb.FRAMES, batch)
            except StorageAway:
                self._frames.extendleft(reversed(batch))
                self._held_bytes += sum(len(frame.raw) for frame in batch)
                self._forget_too_many()
                raise
        await self._flush_quirks()

    async def _flush_quirks(self) -> None:
        if not self._quirks:
            return
        quirks, self._quirks, now = self._quirks, {}, clock.now()
        await self._writer.do(
            Verb.QUIRKS,
            [
                QuirkUse(station_id=pk, quirk=quirk, times=times, at=now, example=example)
                for (pk, quirk), (times, example) in quirks.items()
            ],
        )
