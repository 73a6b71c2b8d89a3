"""Searches become anonymous demand: where, for what, whether anything was there. Never who.

They wait in Redis and are counted in batches, so that looking around costs no write to the
database. Losing some is harmless.
"""

from functools import cache
from typing import cast

import msgspec
import redis
import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

KEY = "bookings:searches"
BATCH = 1000
# Three decimals are about a hundred metres: enough for demand, too coarse for a doorstep.
DECIMALS = 3
MOST_WAITING = 100_000


@cache
def client() -> redis.Redis:
    """The connection pool to the cache's Redis."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1)


def note_search(*, lon: float, lat: float, kind: str | None, found: bool) -> None:
    """Remember one search for the next batch; a silent Redis only loses it."""
    row = msgspec.json.encode((round(lon, DECIMALS), round(lat, DECIMALS), kind or "", found))
    try:
        with client().pipeline(transaction=False) as pipe:
            pipe.rpush(KEY, row)
            pipe.ltrim(KEY, -MOST_WAITING, -1)
            pipe.execute()
    except redis.RedisError:
        log.warning("bookings.search_not_counted")


def take_searches() -> list[tuple[float, float, str, bool]]:
    """Up to a batch of waiting searches, which are gone from Redis then."""
    rows = cast("list[bytes]", client().lpop(KEY, BATCH) or [])
    return [msgspec.json.decode(row, type=tuple[float, float, str, bool]) for row in rows]
