"""Pending commands of a vehicle, kept in Redis so that a report needs no query to learn of none.

The command table is the truth. A lost or stale entry costs a delay, never a command: the sweep
writes the boxes of all vehicles with open commands again every few seconds.
"""

from __future__ import annotations

import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import redis
import structlog
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from fleet.vehicles.states import CommandState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

log = structlog.get_logger(__name__)

# Longer than any command lives, so that a forgotten box empties itself.
_BOX_TTL_S = 900

# Ids of vehicles with something waiting, each until the last of its commands runs out. What is lost
# or left over here heals as the boxes do.
WAITING = "fleet:waiting"

# Whoever keeps a line to vehicles open listens here for the ids of those that have something waiting.
CHANNEL = "fleet:commands"

# After every order; those whose time is over are left out of the boxes, and ended by the sweep.
_WAITING = """
SELECT vehicle_id, id, public_id, sequence, kind, expires_at, state, parameters FROM fleet_vehiclecommand
WHERE vehicle_id = ANY (%s) AND state IN ('queued', 'sent')
ORDER BY vehicle_id, sequence
"""

# Keys: the box, the vehicles with something waiting. Arguments: the command that is over, its vehicle.
_EMPTY = """
local box = redis.call('GET', KEYS[1])
if box then
    for _, command in ipairs(cjson.decode(box)) do
        if command.id ~= ARGV[1] then return 0 end
    end
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
return 1
"""


class PendingCommand(msgspec.Struct, frozen=True, kw_only=True):
    """One command as it waits for its vehicle."""

    id: str
    sequence: int
    kind: str
    expires_at: datetime.datetime
    sent: bool
    # Its row; 0 in boxes that an earlier release has filled.
    pk: int = 0
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


def box_key(vehicle_id: int) -> str:
    """The Redis key of a vehicle's box."""
    return f"fleet:pending:{vehicle_id}"


@cache
def client() -> redis.Redis:
    """The connection pool to the Redis of the telemetry log."""
    # One new try for a connection that went stale; a device waits better than a worker thread.
    retry = Retry(NoBackoff(), 1)
    return redis.Redis.from_url(settings.TELEMETRY_REDIS_URL, socket_timeout=5, retry=retry)


def read_box(raw: bytes | None, *, at: datetime.datetime) -> list[PendingCommand]:
    """The commands in a box that are still in time, oldest first."""
    if not raw:
        return []
    commands = msgspec.json.decode(raw, type=list[PendingCommand])
    return [command for command in commands if command.expires_at > at]


def waiting(*, at: datetime.datetime) -> set[int]:
    """The vehicles that have something waiting, of all fleets. Raises `redis.RedisError`."""
    found: Any = client().zrange(WAITING, f"({at.timestamp()}", "+inf", byscore=True)
    return {int(vehicle_id) for vehicle_id in found}


def refill(*, vehicle_ids: Collection[int], at: datetime.datetime) -> None:
    """Write the boxes of these vehicles from the table; one query, one round trip."""
    fill(read_table(vehicle_ids), at=at)


def read_table(vehicle_ids: Collection[int]) -> dict[int, list[PendingCommand]]:
    """What no vehicle has answered yet, by vehicle, oldest first, overdue or not; one query."""
    boxes: dict[int, list[PendingCommand]] = {vehicle_id: [] for vehicle_id in vehicle_ids}
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [list(boxes)])
        for vehicle_id, *waiting in cursor.fetchall():
            boxes[vehicle_id].append(_pending(*waiting))
    return boxes


def fill(boxes: Mapping[int, list[PendingCommand]], *, at: datetime.datetime) -> None:
    """Let the boxes hold those of these commands that are in time, then tell on `CHANNEL` which have something waiting.

    Who misses that finds the box. Redis out of reach is logged, not raised: the sweep comes back.
    """
    in_time = {
        vehicle_id: [command for command in commands if command.expires_at > at]
        for vehicle_id, commands in boxes.items()
    }
    try:
        _write(in_time, at=at)
    except redis.RedisError:
        log.warning("fleet.mailbox_unreachable", vehicles=len(boxes))


def empty_of(command_id: str, *, vehicle_id: int, at: datetime.datetime) -> None:
    """Empty a vehicle's box if this command, which is over, is all that it holds; else refill it.

    Redis compares and empties in one step: an order that comes in between is not lost.
    """
    try:
        alone = client().eval(_EMPTY, 2, box_key(vehicle_id), WAITING, command_id, vehicle_id)
    except redis.RedisError:
        log.warning("fleet.mailbox_unreachable", vehicles=1)
        return
    if not alone:
        refill(vehicle_ids=[vehicle_id], at=at)


def _pending(
    pk: int,
    public_id: UUID,
    sequence: int,
    kind: str,
    expires_at: datetime.datetime,
    state: str,
    parameters: str,
) -> PendingCommand:
    return PendingCommand(
        id=str(public_id),
        pk=pk,
        sequence=sequence,
        kind=kind,
        expires_at=expires_at,
        sent=state != CommandState.QUEUED,
        parameters=msgspec.json.decode(parameters),
    )


def _write(boxes: dict[int, list[PendingCommand]], *, at: datetime.datetime) -> None:
    pipeline: Any = client().pipeline(transaction=False)
    pipeline.zremrangebyscore(WAITING, "-inf", at.timestamp())
    for vehicle_id, commands in boxes.items():
        if commands:
            body = msgspec.json.encode(commands)
            pipeline.set(box_key(vehicle_id), body, ex=_BOX_TTL_S)
            until = max(command.expires_at for command in commands)
            pipeline.zadd(WAITING, {str(vehicle_id): until.timestamp()})
            pipeline.publish(CHANNEL, str(vehicle_id))
        else:
            pipeline.delete(box_key(vehicle_id))
            pipeline.zrem(WAITING, str(vehicle_id))
    pipeline.execute()
