"""Streams of values that 2.1 stations open, feed without being answered, and close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection

from charging.stations.facts import StreamOpened, StreamValues
from charging.stations.models import EventStream

_OPEN: Final = """
INSERT INTO charging_eventstream AS known
       (station_id, number, monitor, opened_at, values_received, last_value)
VALUES (%s, %s, %s, %s, 0, '')
    ON CONFLICT (station_id, number) DO UPDATE
   SET monitor = excluded.monitor, closed_at = NULL,
       opened_at = CASE WHEN known.closed_at IS NULL AND known.monitor = excluded.monitor
                        THEN known.opened_at ELSE excluded.opened_at END
"""
_FEED: Final = """
UPDATE charging_eventstream
   SET values_received = values_received + %s, last_value = %s, last_at = %s
 WHERE station_id = %s AND number = %s AND (last_at IS NULL OR last_at < %s)
"""


MOST_STREAMS: Final = 100
"""Streams that one station may have open; the forgotten ones make room."""


def open_streams(*, streams: Sequence[StreamOpened], at: datetime) -> list[bool]:
    """Streams are announced; one that is opened again goes on. Runs in the caller's transaction.

    False for a stream beyond those a station may have open.
    """
    taken = []
    for stream in streams:
        others = EventStream.objects.filter(station_id=stream.station_id)
        others = others.exclude(number=stream.number)
        fits = others.filter(closed_at__isnull=True).count() < MOST_STREAMS
        if fits:
            _open(stream, at=at)
            if others.count() > MOST_STREAMS:
                others.filter(closed_at__isnull=False).delete()
        taken.append(fits)
    return taken


def _open(stream: StreamOpened, *, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [stream.station_id, stream.number, stream.monitor, at])


def close_streams(*, streams: Sequence[StreamOpened], at: datetime) -> None:
    """Streams have ended; one nobody opened is none. Runs in the caller's transaction."""
    for stream in streams:
        EventStream.objects.filter(
            station_id=stream.station_id,
            number=stream.number,
            closed_at__isnull=True,
        ).update(closed_at=at)


def keep_stream_values(*, values: Sequence[StreamValues]) -> None:
    """Count values and keep the newest of each stream; a part that comes again changes nothing.

    Values of a stream that nobody opened are dropped. Runs in the caller's transaction.
    """
    with connection.cursor() as cursor:
        for part in values:
            newest = part.newest_at
            cursor.execute(
                _FEED,
                [
                    part.count,
                    part.newest.replace("\x00", "")[:500],
                    newest,
                    part.station_id,
                    part.number,
                    newest,
                ],
            )
