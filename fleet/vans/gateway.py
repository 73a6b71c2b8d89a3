"""A road service that speaks OSRM's `/table`: minutes of driving between many points.

Asked only at the address that the settings name, in blocks that its limit on coordinates allows,
bounded in time; nobody waits for it inside a transaction.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import httpx
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_CONNECT_S: Final = 2.0
_DECIMALS: Final = 6


class RoadUnavailable(Exception):
    """The service did not answer in time, or not what it should; the text says which."""


def driving_minutes(
    *, url: str, points: Sequence[tuple[float, float]], most: int, seconds: float
) -> Floats:
    """Minutes between all pairs of (longitude, latitude), NaN where it knows no way.

    `most` is how many coordinates one question may hold, `seconds` the time for all of them.
    Raises `RoadUnavailable`.
    """
    half = max(1, most // 2)
    size = most if len(points) <= most else half
    blocks = [range(first, min(first + size, len(points))) for first in range(0, len(points), size)]
    minutes = np.full((len(points), len(points)), np.nan)
    until = time.monotonic() + seconds
    try:
        with httpx.Client(base_url=url, timeout=httpx.Timeout(seconds, connect=_CONNECT_S)) as road:
            for rows in blocks:
                for columns in blocks:
                    left = until - time.monotonic()
                    if left <= 0:
                        raise RoadUnavailable("it took too long")
                    minutes[rows.start : rows.stop, columns.start : columns.stop] = _block(
                        road, points=points, rows=rows, columns=columns, seconds=left
                    )
    except (httpx.HTTPError, ValueError) as error:
        raise RoadUnavailable(type(error).__name__) from error
    np.fill_diagonal(minutes, 0.0)
    return minutes


def _block(
    road: httpx.Client,
    *,
    points: Sequence[tuple[float, float]],
    rows: range,
    columns: range,
    seconds: float,
) -> Floats:
    """One question: from `rows` to `columns`."""
    same = rows == columns
    asked = [points[number] for number in (rows if same else (*rows, *columns))]
    text = ";".join(f"{lon:.{_DECIMALS}f},{lat:.{_DECIMALS}f}" for lon, lat in asked)
    query = {"annotations": "duration"}
    if not same:
        query["sources"] = ";".join(str(number) for number in range(len(rows)))
        query["destinations"] = ";".join(str(len(rows) + number) for number in range(len(columns)))
    reply = road.get(f"table/v1/driving/{text}", params=query, timeout=seconds)
    reply.raise_for_status()
    body = reply.json()
    found = body.get("durations") if isinstance(body, dict) else None
    if not isinstance(found, list) or body.get("code") != "Ok":
        raise RoadUnavailable("the answer is no table")
    table = np.array([[np.nan if each is None else float(each) for each in row] for row in found])
    if table.shape != (len(rows), len(columns)) or (table < 0).any():
        raise RoadUnavailable("the table has another shape than asked for")
    minutes: Floats = table / 60.0
    return minutes
