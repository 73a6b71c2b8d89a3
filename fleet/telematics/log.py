"""The log between the door and the tables: what is accepted is in it, and stays until it is stored.

`PointLog` is the seam; on one machine it is a Redis stream per shard. Entries are never dropped by
length: when the log is too long or full, the door says so and the devices keep their points.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

import redis
import structlog
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from fleet.telematics import records
from fleet.vehicles import mailbox
from mobility.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = structlog.get_logger(__name__)

Entry = tuple[str, bytes]


class Left(list[Entry]):
    """Entries that were read before and not acknowledged; a plain list holds new ones."""


GROUP = "store"
# Whoever drains takes this name, so that it inherits what a killed predecessor left unfinished.
CONSUMER = "drain"
# The name of the payload's field is the version of its layout.
FIELD = b"p2"
# Entries that this version cannot read: of another layout, or no entries at all. They are kept
# whole, with their shard and their name in it, until somebody has looked at them.
DEAD = "tele:dead"

MAX_BACKLOG = 200_000
# So far streams are looked for that an earlier, larger setting left.
MAX_SHARDS = 64


class LogBusy(Unavailable):
    code = "telemetry_busy"
    message = _("Too many reports are waiting. Keep your points and try again.")


class LogAnew(Exception):
    """Nobody has ever read this shard: it is new, or what was there before is lost."""


class PointLog(Protocol):
    """An append-only log per shard with one reader that can be replaced at any moment."""

    def append(self, *, vehicle_id: int, payload: bytes) -> bytes | None:
        """Add an entry durably; returns the vehicle's box of commands. Raises `LogBusy`."""
        ...

    def append_batch(
        self,
        *,
        payloads: Mapping[int, bytes],
        vehicle_ids: Sequence[int],
    ) -> list[bytes | None]:
        """Add an entry to each of these shards, durably, all or none.

        Returns the boxes of commands of `vehicle_ids`. Raises `LogBusy`.
        """
        ...

    def boxes(self, *, vehicle_ids: Sequence[int]) -> list[bytes | None]:
        """The boxes of commands alone. Raises `LogBusy`."""
        ...

    def read(self, *, shard: int, count: int, wait_ms: int) -> list[Entry]:
        """Entries read but not acknowledged first, then new ones; waits for the first one.

        What is no entry is put aside on the way, see `dead`. Raises `LogAnew`.
        """
        ...

    def begin(self, *, shard: int) -> None:
        """Make a shard readable that raised `LogAnew`."""
        ...

    def shards(self) -> list[int]:
        """The shards to serve: those of the setting, and those beyond it in which entries wait."""
        ...

    def acknowledge(self, *, shard: int, entry_ids: Sequence[str]) -> None:
        """Forget entries that are stored."""

    def backlog(self, *, shard: int) -> int:
        """How many entries wait."""
        ...

    def dead(self) -> int:
        """How many entries were put aside, of all shards, because nobody could read them."""
        ...

    def oldest_ms(self, *, shard: int) -> int | None:
        """When the oldest waiting entry was added (ms since 1970); None when none waits."""
        ...


def shard_of(vehicle_id: int) -> int:
    """The shard that keeps the order of a vehicle's reports."""
    shards: int = settings.TELEMATICS_SHARDS
    return vehicle_id % shards


def entry_order(entry_id: str) -> tuple[int, int]:
    """A key that sorts entry ids as the log does."""
    milliseconds, _dash, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


@cache
def point_log() -> PointLog:
    """The log of this installation."""
    return RedisPointLog()


class RedisPointLog:
    """Redis streams `tele:{shard}` on an instance of their own, synced to disk at every append."""

    def __init__(self) -> None:
        # Length by shard and when it was measured; a door asks at most once a second.
        self._backlogs: dict[int, tuple[int, float]] = {}

    def append(self, *, vehicle_id: int, payload: bytes) -> bytes | None:
        """A batch for one shard."""
        payloads = {shard_of(vehicle_id): payload}
        return self.append_batch(payloads=payloads, vehicle_ids=(vehicle_id,))[0]

    def append_batch(
        self,
        *,
        payloads: Mapping[int, bytes],
        vehicle_ids: Sequence[int],
    ) -> list[bytes | None]:
        """One round trip: the entries, the boxes, the lengths. Several entries go as one MULTI."""
        for shard in payloads:
            self._refuse_when_busy(shard)
        pipeline: Any = mailbox.client().pipeline(transaction=len(payloads) > 1)
        for shard, payload in payloads.items():
            pipeline.xadd(_key(shard), {FIELD: payload})
            pipeline.xlen(_key(shard))
        if vehicle_ids:
            pipeline.mget([mailbox.box_key(vehicle_id) for vehicle_id in vehicle_ids])
        answers = _execute(pipeline)  # an empty pipeline asks nobody
        for shard, length in zip(payloads, answers[1::2], strict=False):
            self._backlogs[shard] = (length, time.monotonic())
        return cast("list[bytes | None]", answers[-1]) if vehicle_ids else []

    def boxes(self, *, vehicle_ids: Sequence[int]) -> list[bytes | None]:
        """One round trip."""
        return self.append_batch(payloads={}, vehicle_ids=vehicle_ids)

    def read(self, *, shard: int, count: int, wait_ms: int) -> list[Entry]:
        """What a predecessor left comes first: its effects may be stored, the offset will tell."""
        left = self._read(shard, "0", count, None)
        return Left(left) if left else self._read(shard, ">", count, wait_ms)

    def begin(self, *, shard: int) -> None:
        """The group of readers is what a new stream lacks."""
        client: Any = mailbox.client()
        try:
            client.xgroup_create(_key(shard), GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def shards(self) -> list[int]:
        """One round trip: streams stay where they are when the setting is lowered."""
        pipeline: Any = mailbox.client().pipeline(transaction=False)
        beyond = range(settings.TELEMATICS_SHARDS, MAX_SHARDS)
        for shard in beyond:
            pipeline.xlen(_key(shard))
        waiting = [
            shard for shard, length in zip(beyond, pipeline.execute(), strict=True) if length
        ]
        return [*range(settings.TELEMATICS_SHARDS), *waiting]

    def acknowledge(self, *, shard: int, entry_ids: Sequence[str]) -> None:
        """Acknowledge, then cut the stream before the last of them."""
        if not entry_ids:
            return
        last = max(entry_ids, key=entry_order)
        pipeline: Any = mailbox.client().pipeline(transaction=False)
        pipeline.xack(_key(shard), GROUP, *entry_ids)
        pipeline.xdel(_key(shard), last)
        pipeline.xtrim(_key(shard), minid=last, approximate=False)
        pipeline.execute()

    def backlog(self, *, shard: int) -> int:
        """The length of the stream: what is stored has been cut off."""
        return mailbox.client().xlen(_key(shard))

    def dead(self) -> int:
        """The length of the stream beside the shards; only people shorten it."""
        return mailbox.client().xlen(DEAD)

    def oldest_ms(self, *, shard: int) -> int | None:
        """The name of the first entry tells its time."""
        client: Any = mailbox.client()
        entries = client.xrange(_key(shard), count=1)
        return entry_order(entries[0][0].decode())[0] if entries else None

    def _read(self, shard: int, after: str, count: int, wait_ms: int | None) -> list[Entry]:
        client: Any = mailbox.client()
        try:
            answer = client.xreadgroup(
                GROUP,
                CONSUMER,
                {_key(shard): after},
                count=count,
                block=wait_ms,
            )
        except redis.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            raise LogAnew from error
        return self._readable(shard, answer[0][1] if answer else [])

    def _readable(self, shard: int, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> list[Entry]:
        """The entries that can be read; the others leave the shard for `DEAD`, all or none."""
        found: list[Entry] = []
        dead: dict[bytes, dict[bytes, bytes]] = {}
        for entry_id, fields in entries:
            payload = (fields or {}).get(FIELD, b"")
            if records.is_entry(payload):
                found.append((entry_id.decode(), payload))
            else:
                dead[entry_id] = fields or {}  # without any it was deleted by hand
        if dead:
            self._put_aside(shard, dead)
        return found

    def _put_aside(self, shard: int, dead: dict[bytes, dict[bytes, bytes]]) -> None:
        pipeline: Any = mailbox.client().pipeline(transaction=True)
        for entry_id, fields in dead.items():
            log.error("telematics.entry_unreadable", shard=shard, entry_id=entry_id.decode())
            pipeline.xadd(DEAD, {**fields, b"shard": shard, b"entry": entry_id})
        pipeline.xack(_key(shard), GROUP, *dead)
        pipeline.xdel(_key(shard), *dead)
        pipeline.execute()

    def _refuse_when_busy(self, shard: int) -> None:
        length, measured = self._backlogs.get(shard, (0, 0.0))
        if length < MAX_BACKLOG:
            return
        if time.monotonic() - measured > 1.0:
            try:
                length = self.backlog(shard=shard)
            except redis.RedisError as error:
                raise LogBusy from error
            self._backlogs[shard] = (length, time.monotonic())
        if length >= MAX_BACKLOG:
            raise LogBusy


def _execute(pipeline: Any) -> list[Any]:
    try:
        answers: list[Any] = pipeline.execute()
    except redis.RedisError as error:
        raise LogBusy from error
    return answers


def _key(shard: int) -> str:
    return f"tele:{shard}"
