"""Counting what was forgiven to whom, so that somebody can ask the maker to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import connection

from charging.frames.facts import QuirkUse

_COUNT: Final = """
INSERT INTO charging_quirkcount AS known
       (station_id, quirk, times, first_at, last_at, example)
SELECT station_id, quirk, sum(times), min(at), max(at), max(example)
  FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[], %s::text[])
       AS used (station_id, quirk, times, at, example)
 WHERE EXISTS (SELECT FROM charging_chargingstation station WHERE station.id = used.station_id)
 GROUP BY station_id, quirk
 ORDER BY station_id, quirk
    ON CONFLICT (station_id, quirk) DO UPDATE
   SET times = known.times + excluded.times, last_at = excluded.last_at,
       example = excluded.example
"""


def note_quirks(*, uses: Sequence[QuirkUse]) -> None:
    """Add to the counters of stations; runs inside the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            [
                [use.station_id for use in uses],
                [use.quirk for use in uses],
                [use.times for use in uses],
                [use.at for use in uses],
                [use.example.replace("\x00", "")[:120] for use in uses],
            ],
        )
