"""Anonymous counters of searches."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable

from django.db import connection

from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.models import DemandCount

# Longitude, latitude, kind or None for any, whether something was found.
Search = tuple[float, float, str | None, bool]

_ADD = f"""
INSERT INTO {DemandCount._meta.db_table} AS seen (cell, kind, hour, searched, found)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::int[], %s::int[])
ON CONFLICT (hour, cell, kind) DO UPDATE
SET searched = seen.searched + EXCLUDED.searched, found = seen.found + EXCLUDED.found
"""  # noqa: S608 -- the table's own name


def count_searches(*, searches: Iterable[Search], at: datetime.datetime) -> int:
    """Add searches of the hour of `at` to the counters, in one statement; returns the counters hit.

    Rows go in the order of their key, so that two batches at once wait instead of deadlocking.
    """
    hour = at.replace(minute=0, second=0, microsecond=0)
    counts: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    for lon, lat, kind, found in searches:
        count = counts[cell_at(lon=lon, lat=lat), kind or ""]
        count[0] += 1
        count[1] += int(found)
    if not counts:
        return 0
    keys = sorted(counts)
    columns = (
        [cell for cell, _kind in keys],
        [kind for _cell, kind in keys],
        [hour] * len(keys),
        [counts[key][0] for key in keys],
        [counts[key][1] for key in keys],
    )
    with connection.cursor() as cursor:
        cursor.execute(_ADD, columns)
    return len(keys)
